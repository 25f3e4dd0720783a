"""The effect of each technique: the same picture without it.

A switch is an option of the pipeline, or an engine's own piece in another place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.page import ms, table, times
from bench.subject import Subject
from bench.timing import in_turns
from intervalvm.compiler.pipeline import Technique, compile
from intervalvm.evaluate.arithmetic import Inputs
from intervalvm.jit import native, walk
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.jit.plan import Plan, domain_of, plan_of
from intervalvm.raster.canvas import canvas
from intervalvm.raster.grid import coordinates
from intervalvm.raster.job import Counts
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

SIZE = 1024
STEPS = (3, 3)
DTYPE = np.dtype(np.float32)


@dataclass(frozen=True)
class Scene:
    """A tape at 1024 x 1024: its coordinates and its plan."""

    tape: Tape
    x: NDArray[Any]
    y: NDArray[Any]
    plan: Plan

    def without(self, technique: Technique) -> Plan:
        """The plan that leaves a technique out."""
        edge = self.plan.domain
        box = Inputs.box([(-edge, edge)] * 2, DTYPE)
        floats = arithmetic(Meaning.FLOAT, DTYPE)
        program = compile(
            self.tape, Question.SIGN, floats, box, {"var-z": 0.0}, without=[technique]
        )
        return Plan(program, edge)


def scene(tape: Tape, size: int = SIZE) -> Scene:
    x, y = coordinates(None, size, size, "linspace", "float32")
    domain = domain_of((x[0], x[-1], y[-1], y[0]), DTYPE)
    plan = plan_of(tape, Question.SIGN, Meaning.FLOAT, DTYPE, {"var-z": 0.0}, domain)
    return Scene(tape, x, y, plan)


Draw = Callable[[], tuple[NDArray[np.uint8], list[Counts]]]


def drawing(
    of: Scene, plan: Plan, *, steps: Sequence[int] = STEPS, threads: int = 1, careful: bool = False
) -> Draw:
    """A picture by a plan, in the splits of ``steps``; ``careful`` keeps the tame kernel out."""
    original = native.kernel

    def draw() -> tuple[NDArray[np.uint8], list[Counts]]:
        pixels = canvas((len(of.y), len(of.x)), np.dtype(np.uint8), clear=True)
        sides = (of.x, of.y)
        counts = walk.render(plan, sides, sides, pixels, steps, threads=threads)
        return pixels, [Counts(*row) for row in counts.tolist()]

    def draw_carefully() -> tuple[NDArray[np.uint8], list[Counts]]:
        with patch.object(native, "kernel", lambda _kind, *which: original("careful", *which)):
            return draw()

    return draw_carefully if careful else draw


ALL = "nothing"
SWITCHES: dict[str, Technique] = {
    "demand: at the root only": "pushdown",
    "thresholds: demand through min, max and neg": "thresholds",
    "terms of one axis": "axes",
    "folding": "fold",
    "balance: chains of min and max as they are": "balance",
}


def switched_off(shape: Subject, *, rounds: int) -> tuple[str, str]:
    """Two tables: the effect of each technique, and the mean lengths of programs with it."""
    of = scene(shape.tape)
    plans = {ALL: of.plan} | {name: of.without(each) for name, each in SWITCHES.items()}
    wild = Plan(replace(of.plan.program, is_tame=False), of.plan.domain)
    ways = {name: drawing(of, plan) for name, plan in plans.items()} | {
        "the tame kernel: careful throughout": drawing(of, wild, careful=True),
        "64 children at once: four a split": drawing(of, of.plan, steps=[1] * 6),
        "the second split: leaves of 128 pixels": drawing(of, of.plan, steps=[3]),
    }
    counts: dict[str, list[Counts]] = {}
    for name, draw in ways.items():
        pixels, counts[name] = draw()
        shape.check(pixels)
    taken = in_turns(ways, rounds=rounds)
    all_on = taken[ALL].median
    rows = [(name, ms(t.median), times(t.median / all_on)) for name, t in taken.items()]
    worth = table(("switched off", "ms", "/ nothing switched off"), rows)
    means = [
        (name, f"{len(plan.program):,}", *(f"{c.clauses / c.ambiguous:.1f}" for c in counts[name]))
        for name, plan in plans.items()
    ]
    return worth, table(("switched off", "root", "128 px", "16 px"), means)


def views(shape: Subject, *, rounds: int) -> str:
    """Frames of part of the shape, with what a view keeps and without."""
    region = ivm.Region.around((0.3, 0.3), 0.1)
    options: dict[str, Any] = {"size": SIZE, "region": region, "threads": 1}
    renderer = ivm.Renderer(shape.tape, size=SIZE, threads=1)
    expected = ivm.render(shape.tape, **options, engine="dense").pixels
    runs: dict[str, Callable[[], Any]] = {
        "`render`, a tenth of the picture each way": partial(ivm.render, shape.tape, **options),
        "`Renderer.render`, the same frame from a view": partial(renderer.render, region=region),
    }
    for run in runs.values():
        assert np.array_equal(run().pixels, expected)
    taken = in_turns(runs, rounds=rounds)
    first = next(iter(taken.values())).median
    rows = [(name, ms(t.median), times(t.median / first)) for name, t in taken.items()]
    return table(("frame", "ms", "ratio"), rows)
