"""Every shape: its sign, its bounds over boxes, and what its docstring says that it measures."""

from __future__ import annotations

import inspect
import operator
import re
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.shape_samples import BOUNDS, SAMPLES, Inside, Sample

from intervalvm import shapes
from intervalvm.api.bounds import interval
from intervalvm.api.evaluate import evaluate
from intervalvm.errors import Undecided
from intervalvm.shapes import Shape, circle

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATORS = ["__and__", "__invert__", "__or__", "__sub__"]
PLAIN = {"tape", "defaults", "expr", "bind", "bounds", "save", "show"}
"""What a shape shares with an expression."""
METHODS = [
    name for name in dir(Shape) if not name.startswith("_") and name not in PLAIN
] + OPERATORS
FUNCTIONS = [name for name in shapes.__all__ if name not in ("Shape", "Font")]

CLAIM = re.compile(
    r"Field:\s+(kept|the\s+distance\s+(?:outside|inside)|the\s+distance|a\s+bound|the\s+sign)\b"
)
OPERATOR_CLAIMS = {
    "__or__": "the distance outside",
    "__and__": "the distance inside",
    "__sub__": "the distance inside",
    "__invert__": "the distance",
}
"""As of the function that each stands for."""

NAMED = [
    pytest.param(name, *sample, id=f"{name}-{i}")
    for name, samples in SAMPLES.items()
    for i, sample in enumerate(samples)
]


def document(name: str) -> str:
    found = getattr(Shape, name) if hasattr(Shape, name) else getattr(shapes, name)
    text: str = inspect.getdoc(found) or ""
    return text


def claim(name: str) -> str:
    """What the field of the samples is said to measure; they are made of exact shapes."""
    if name in OPERATOR_CLAIMS:
        return OPERATOR_CLAIMS[name]
    found = CLAIM.search(document(name))
    assert found, f"{name} does not say what its field measures"
    words = " ".join(found[1].split())
    return "the distance" if words == "kept" else words


def test_every_shape_and_every_method_has_a_sample() -> None:
    assert sorted(SAMPLES) == sorted(set(FUNCTIONS + METHODS))


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS + METHODS) - set(OPERATORS)))
def test_every_docstring_says_what_the_field_measures(name: str) -> None:
    assert claim(name)
    if name not in ("move", "paint", "reflect"):
        assert re.search(r"\bFormula\b", document(name))


def values(shape: Shape, points: Any, dtype: str = "float64") -> Any:
    return evaluate(shape, *points, dtype=dtype)


def random_points(count: int, reach: float = 1.2) -> Any:
    return np.random.default_rng(4).uniform(-reach, reach, (3, count))


def nudged(points: Any, step: float) -> Any:
    """Each point moved a little along each axis, both ways."""
    return [points + sign * step * axis[:, None] for axis in np.eye(3) for sign in (1, -1)]


@pytest.mark.parametrize(("name", "shape", "inside"), NAMED)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_below_zero_is_inside(name: str, shape: Shape, inside: Inside, dtype: str) -> None:
    """Away from a band of 1e-5, in which roundings of coordinates of 1.2 decide."""
    check_sign(shape, inside, dtype)


@pytest.mark.parametrize("sample", BOUNDS)
def test_what_keeps_only_a_bound(sample: Sample) -> None:
    check_sign(*sample, "float64")
    check_bound(sample[0])


def test_copies_go_on_for_ever() -> None:
    check_sign(*BOUNDS[-1], "float64", random_points(4000, reach=50))


def check_sign(shape: Shape, inside: Inside, dtype: str, points: Any = None) -> None:
    points = random_points(4000) if points is None else points
    found = np.broadcast_to(inside(*points), points.shape[1:])
    is_clear = np.all([inside(*moved) == found for moved in nudged(points, 1e-5)], axis=0)
    assert is_clear.mean() > 0.99
    assert 0.01 < found.mean() < 0.99
    np.testing.assert_array_equal((values(shape, points, dtype) < 0)[is_clear], found[is_clear])


def check_bound(shape: Shape) -> None:
    """The slope is at most 1: no two near points differ by more than their distance."""
    rng = np.random.default_rng(5)
    points = random_points(4000)
    step = rng.normal(size=points.shape)
    step *= 10 ** rng.uniform(-4, -0.5, points.shape[1]) / np.linalg.norm(step, axis=0)
    difference = np.abs(values(shape, points + step) - values(shape, points))
    # 1e-12: roundings of float64 fields of size 1
    assert (difference <= np.linalg.norm(step, axis=0) + 1e-12).all()


@pytest.mark.parametrize(
    ("name", "shape", "inside"), [p for p in NAMED if claim(str(p.values[0])) != "the sign"]
)
def test_a_field_is_nowhere_steeper_than_a_distance(
    name: str, shape: Shape, inside: Inside
) -> None:
    check_bound(shape)


REACH = 2.0
SAMPLES_2D, SAMPLES_3D = 401, 65
"""Samples a side of the grid from -REACH to REACH on which a boundary is looked for."""


def boundary(shape: Shape, inside: Inside, most: int | None) -> tuple[Any, float]:
    """Points of the boundary, float64 [axes, n], and the pitch of the grid they were found on.

    Where membership changes between neighbours of a grid, bisection finds the place between them;
    in ``most`` such places at random, if a number is given.
    """
    is_flat = "z" not in shape.tape().axes
    count = SAMPLES_2D if is_flat else SAMPLES_3D
    # off the middle, so that no sample lies on a symmetric shape's own lines
    side = np.linspace(-REACH, REACH, count) + 0.00137
    axes = np.meshgrid(side, side, *([] if is_flat else [side]), indexing="ij")
    grid = np.stack([*axes, *([np.zeros_like(axes[0])] if is_flat else [])])
    found = np.broadcast_to(inside(*grid), grid.shape[1:])
    low: list[Any] = []
    high: list[Any] = []
    for axis in range(found.ndim):
        before = [slice(None)] * found.ndim
        after = list(before)
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        changes = found[tuple(before)] != found[tuple(after)]
        low.append(grid[(slice(None), *before)][:, changes])
        high.append(grid[(slice(None), *after)][:, changes])
    a, b = np.concatenate(low, axis=1), np.concatenate(high, axis=1)
    if most is not None and a.shape[1] > most:
        some = np.random.default_rng(6).choice(a.shape[1], most, replace=False)
        a, b = a[:, some], b[:, some]
    start = inside(*a)
    for _ in range(32):
        middle = (a + b) / 2
        same = inside(*middle) == start
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return (a + b) / 2, float(side[1] - side[0])


@pytest.mark.parametrize(
    ("name", "shape", "inside"), [p for p in NAMED if claim(str(p.values[0])) != "the sign"]
)
def test_a_field_is_the_distance_where_it_says_so(name: str, shape: Shape, inside: Inside) -> None:
    points = random_points(200, reach=0.9)
    said = claim(name)
    # that a bound is one needs no nearest point of the boundary, only many
    edge, pitch = boundary(shape, inside, 3000 if said == "a bound" else None)
    if "z" not in shape.tape().axes:
        points[2] = 0.0
    nearest = np.sqrt([((p[:, None] - edge) ** 2).sum(axis=0).min() for p in points.T])
    field = values(shape, points)
    # No boundary point is nearer than a bound says, and each that was found is one to 1e-10.
    assert (np.abs(field) <= nearest + 1e-9).all()
    exact = {
        "the distance": np.ones_like(field, bool),
        "the distance outside": field > 0,
        "the distance inside": field < 0,
        "a bound": np.zeros_like(field, bool),
    }[said]
    # Those that were found lie at most about a pitch from any other, but for a sharp corner, which
    # may reach two pitches beyond the last of its sides.
    assert (np.abs(field) >= nearest - 2 * pitch)[exact].all()
    assert (np.sign(field) == np.where(inside(*points), -1, 1))[nearest > 1e-6].all()


coordinates = st.floats(-1.5, 1.5, width=32)


@pytest.mark.parametrize(("name", "shape", "inside"), NAMED)
@settings(max_examples=12)
@given(
    corners=st.tuples(*[st.tuples(coordinates, coordinates)] * 3),
    sizes=st.tuples(*[st.sampled_from([0.0, 0.01, 0.1, 1.0])] * 3),
    seed=st.integers(0, 999),
)
def test_bounds_enclose_every_value_of_a_box(
    name: str, shape: Shape, inside: Inside, corners: Any, sizes: Any, seed: int
) -> None:
    low = np.array([min(pair) for pair in corners], np.float32)
    high = low + np.float32(sizes) * (np.array([max(pair) for pair in corners]) - low)
    high = high.astype(np.float32)
    share = np.random.default_rng(seed).choice([0, 0.25, 0.5, 1], (60, 3)).T
    points = (low[:, None] * (1 - share) + high[:, None] * share).astype(np.float32)
    points = np.clip(points, low[:, None], high[:, None])
    found = values(shape, points, "float32")
    box = interval(shape, **{axis: (low[i], high[i]) for i, axis in enumerate("xyz")})
    assert not np.isnan(found).any()
    assert (box.lower <= found).all()
    assert (found <= box.upper).all()


def test_all_samples_are_tried() -> None:
    assert len(list(chain(*SAMPLES.values()))) == len(NAMED) >= 60


# --- what Python would do with an object ---------------------------------------------------------

TRUTH_ASKED: dict[str, Callable[[Any], Any]] = {
    "bool": bool,
    "not": lambda a: not a,
    "and": lambda a: a and a,
    "or": lambda a: a or a,
    "if": lambda a: 1 if a else 0,
    "any": lambda a: any([a]),
    "all": lambda a: all([a]),
    "filter": lambda a: list(filter(None, [a])),
    "np.logical_and": lambda a: np.logical_and(a, a),
    "np.logical_or": lambda a: np.logical_or(a, a),
    "np.logical_not": np.logical_not,
    "np.where": lambda a: np.where(a, 1, 0),
}
MEANINGLESS: dict[str, Callable[[Any], Any]] = {
    "min": lambda a: min(a, circle(1)),
    "max": lambda a: max(a, circle(1)),
    "sorted": lambda a: sorted([a, circle(1)]),
    "chained": lambda a: 0 < a < 1,
    "len": len,
    "iter": iter,
    "in": lambda a: (0, 0) in a,
    "index": lambda a: a[0],
    "unpacked": lambda a: [*a],
    "int": int,
    "float": float,
    "round": round,
    "+": lambda a: a + a,
    "*": lambda a: a * 2,
    "neg": operator.neg,
    "abs": abs,
    "^": lambda a: a ^ a,
    "sum": lambda a: sum([a, a]),
    "np.minimum": lambda a: np.minimum(a, a),
    "np.sqrt": np.sqrt,
    "array *": lambda a: np.ones(2) * a,
    "format": lambda a: format(a, ".2f"),
}


@pytest.mark.parametrize("asks", TRUTH_ASKED)
def test_a_shape_is_neither_true_nor_false(asks: str) -> None:
    with pytest.raises(Undecided, match=r"`&`, `\|`, `~`"):
        TRUTH_ASKED[asks](circle(0.5))


@pytest.mark.parametrize("name", MEANINGLESS)
def test_what_has_no_meaning_for_a_set_is_a_type_error(name: str) -> None:
    with pytest.raises(TypeError):
        MEANINGLESS[name](circle(0.5))
