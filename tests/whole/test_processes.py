"""Objects cross processes: there they are of use, and they come back as they went."""

from __future__ import annotations

import inspect
import multiprocessing
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.expr.paint import paint_of

X, Y, _ = ivm.axes()
R = ivm.var("r", 0.3)
FORMULA = ivm.sqrt(X * X + Y * Y) - R
TURNED = ivm.View.turntable(30, 20, perspective=0.3)
PICTURE: dict[str, Any] = {"size": (9, 7), "engine": "dense"}
MESH = ivm.mesh(shapes.sphere(0.4).paint("teal"), depth=2, threads=1)

OBJECTS: dict[type, Any] = {
    ivm.Interval: ivm.interval(FORMULA, x=(0, 1), y=0, decoration=True),
    ivm.Decoration: ivm.Decoration.DAC,
    ivm.Expr: FORMULA,
    ivm.Gradient: ivm.grad(FORMULA, np.linspace(0, 1, 5), 0.2),
    ivm.Derivatives: ivm.grad(FORMULA, np.linspace(0, 1, 5), 0.2, by=("r",)),
    ivm.Evaluator: ivm.Evaluator(FORMULA, backend="numpy"),
    ivm.Image: ivm.render(FORMULA, crop=(1, 1, 8, 6), mode="value", **PICTURE),
    ivm.Picture: ivm.Picture(np.arange(24, dtype=np.uint8).reshape(2, 3, 4)),
    ivm.Proof: ivm.prove(FORMULA, resolution=5, engine="dense"),
    ivm.Region: ivm.Region.around((0.1, 0.2), 0.5),
    ivm.Renderer: ivm.Renderer(FORMULA, variables={"r": 0.4}, **PICTURE),
    ivm.Light: ivm.Light((0, 1, 1), 0.5, "teal"),
    ivm.Mesh: MESH,
    ivm.MeshStats: MESH.stats,
    ivm.Outline: ivm.Outline([[[-1, 0], [1, 0], [-1, 0]]], [[1, 1]], colours=["teal"]),
    ivm.OutlineStats: ivm.OutlineStats(12, 1e-5, {"proven": 3}, {"cells": 0.1}),
    ivm.Level: ivm.Level((4, 4), 64, 1, 2, 61, 1.5),
    ivm.Stats: ivm.render(FORMULA, variables={"r": 0.4}, **PICTURE).stats,
    ivm.SolidImage: ivm.render3d(FORMULA, size=(5, 4, 3), view=TURNED),
    ivm.SolidStats: ivm.render3d(FORMULA, size=3).stats,
    ivm.Tape: FORMULA.tape(),
    ivm.View: TURNED,
    ivm.Why: ivm.why(FORMULA, 0.1, 0.2, variables={"r": 0.4}, size=5),
    shapes.Shape: (shapes.circle(R).paint("teal") | shapes.star(5, 0.9, 0.4)).move(0.1),
}
ELSEWHERE = {shapes.Font}
"""Tested with what they need."""


def public_classes() -> set[type]:
    found = {getattr(module, name) for module in (ivm, shapes) for name in module.__all__}
    kinds = {kind for kind in found if isinstance(kind, type)}
    return {kind for kind in kinds if not issubclass(kind, ivm.IntervalvmError)}


def facts(thing: Any) -> Any:
    """What tells an object from another, as bytes and text; it is used on the way."""
    if isinstance(thing, ivm.Renderer):
        return facts(thing.render())
    if isinstance(thing, (ivm.Expr, shapes.Shape)):
        return str(thing.tape()), thing.defaults, str(paint_of(thing))
    if isinstance(thing, ivm.Image):
        parts = [thing.pixels, *thing.samples()]
        return [part.tobytes() for part in parts], thing.region, thing.crop, thing.prove
    if isinstance(thing, ivm.SolidImage):
        parts = [thing.depth, thing.normals, thing.position, thing.pixels]
        return [part.tobytes() for part in parts], thing.view, thing.mode, thing.stats
    if type(thing) is ivm.Picture:
        return thing.shown.tobytes(), repr(thing)
    if isinstance(thing, ivm.Outline):
        parts = [*thing, *thing.bulges, thing.levels]
        return [part.tobytes() for part in parts], thing.colours, thing.svg(), thing.stats
    if isinstance(thing, ivm.Mesh):
        parts = [thing.vertices, thing.triangles, thing.normals, thing.colours]
        return [part.tobytes() for part in parts], thing.volume, thing.volume_bounds
    if isinstance(thing, ivm.Proof):
        boxes = [*thing.boxes]
        return str(thing), boxes, str(thing.tape), facts(thing.image), thing.variables
    if isinstance(thing, ivm.Why):
        return str(thing), thing.as_json(), str(thing.tape), str(thing.value_tape), thing.clauses
    if isinstance(thing, ivm.Derivatives):
        return thing.value.tobytes(), [(name, part.tobytes()) for name, part in thing.by.items()]
    if isinstance(thing, ivm.Evaluator):
        return str(thing.tape), thing.inputs, thing.values(0.3, 0.4, r=0.5)
    if isinstance(thing, ivm.Gradient):
        return [part.tobytes() for part in thing]
    return thing


def visit(thing: Any) -> tuple[Any, Any]:
    """What another process makes of an object, and the object, which goes back."""
    return facts(thing), thing


def test_all_public_classes_are_tried() -> None:
    assert public_classes() == set(OBJECTS) | ELSEWHERE


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_objects_go_to_another_process_and_come_back(start: str) -> None:
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        visits = {kind: executor.submit(visit, thing) for kind, thing in OBJECTS.items()}
        for kind, going in visits.items():
            there, back = going.result(timeout=120)
            assert type(back) is kind
            assert facts(back) == there == facts(OBJECTS[kind])


SHAPES: list[Callable[[], shapes.Shape]] = [
    lambda: shapes.Shape(lambda x, y: x * x + y * y - 0.3),
    lambda: shapes.circle(R),
    lambda: shapes.circle(0.2) | shapes.circle(0.3).move(1) | shapes.rectangle(1, 1),
    lambda: (
        shapes.union(shapes.circle(0.2), shapes.circle(0.3).move(1)) & shapes.half_plane((1, 0))
    ),
    lambda: shapes.box(1, 1, 1) - shapes.sphere(0.6),
    lambda: shapes.circle(0.1).repeat(0.3, count=4),
    lambda: shapes.text("Hi").rotate(33),
    lambda: shapes.circle(0.3).paint("red") | shapes.circle(R).move(0.4).paint("teal"),
    lambda: shapes.box(1, 1, 1) & shapes.sphere(0.6).paint("red"),
    lambda: (shapes.circle(0.3).paint("red") | shapes.circle(0.4).move(0.2)).move(R),
]


def colours(shape: shapes.Shape) -> Any:
    """What shows at some points."""
    paint = paint_of(shape)
    points = np.random.default_rng(3).uniform(-1, 1, (3, 500))
    return 0 if paint is None else ivm.evaluate(paint, *points, variables=paint.defaults)


@pytest.mark.parametrize("make", SHAPES)
def test_a_shape_goes_on_where_it_was(make: Callable[[], shapes.Shape]) -> None:
    """Its clauses are the same, and so are those of what is made of it."""
    shape = make()
    again = pickle.loads(pickle.dumps(shape))
    more = shapes.circle(0.7)
    for step in (
        lambda s: s,
        lambda s: s.move(0.1, 0.2).rotate(12),
        lambda s: s | more,
        lambda s: s & more,
        lambda s: more - s,
        lambda s: s.extrude(0.5),
    ):
        assert step(again).tape() == step(shape).tape()
        assert_array_equal(colours(step(again)), colours(step(shape)))
    assert again.defaults == shape.defaults


def test_functions_and_methods_go_to_another_process() -> None:
    """As pickles they are names."""
    tried = 0
    for place in (ivm, shapes):
        for name in place.__all__:
            public = getattr(place, name)
            methods = [m for m in dir(public) if not m.startswith("_")]
            for found in (
                [getattr(public, m) for m in methods] if inspect.isclass(public) else [public]
            ):
                if inspect.isfunction(found):
                    tried += 1
                    assert pickle.loads(pickle.dumps(found)) is found
    assert tried > 100


def test_a_deep_shape_is_pickled_flat() -> None:
    shape = shapes.circle(0.3)
    for _ in range(80):
        shape = (shape | shapes.circle(0.1).move(0.5)).rotate(10)
    assert pickle.loads(pickle.dumps(shape)).tape() == shape.tape()
