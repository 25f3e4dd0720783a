"""What each technique is worth: the same picture without it.

A switch is an engine's own piece in another place, or a subclass of one that does less; nothing in
the package knows of it.
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
from intervalvm.arith.arrays import Arrays
from intervalvm.compiler import assemble
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.compiler.predicates import Predicates
from intervalvm.compiler.program import Assembler, Operand, Program
from intervalvm.compiler.thresholds import Floats
from intervalvm.jit import native, walk
from intervalvm.jit.layout import Counts
from intervalvm.jit.plan import Plan, _bounds, domain_of, plan_of
from intervalvm.ops import ROWS
from intervalvm.raster.grid import coordinates
from intervalvm.raster.image import canvas
from intervalvm.tape import Tape

SIZE = 1024
STEPS = (3, 3)
DTYPE = np.dtype(np.float32)


class _RootOnly(Predicates):
    """Asks whether the root is below 0, and nothing of its operands."""

    def _push(self, node: int) -> None:
        self._literal(node)


class _NoThresholds(Predicates):
    """Pushes the question through choices and signs, and through no arithmetic."""

    def _push(self, node: int) -> None:
        name = ROWS[self.codes[self._demand[node][0]]].name
        if name in ("min", "max", "copy", "neg", "const"):
            super()._push(node)
        else:
            self._literal(node)


class _NoAxes(Assembler):
    """Takes x and y as values that depend on both."""

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__(dtype)
        self.x, self.y = self.spread(("x", 0)), self.spread(("y", 1))

    def sum_less(self, x: Operand, y: Operand, t: Operand, *, greater: bool) -> Operand:
        total = self.value("add", x, y)
        return self.less(t, total) if greater else self.less(total, t)


@dataclass(frozen=True)
class Scene:
    """A tape at 1024 x 1024: its coordinates and its plan."""

    tape: Tape
    x: NDArray[Any]
    y: NDArray[Any]
    plan: Plan

    def program(self, tape: Tape, asked: type[Predicates] = Predicates) -> Program:
        numbers = Floats(tape, Arrays(np, DTYPE))
        found = _bounds(numbers, tape, self.plan.domain)
        predicates = asked(tape, found.lower, found.maybe_nan, numbers)
        return assemble.bitmap_program(tape, predicates, DTYPE)

    def with_program(self, program: Program) -> Plan:
        return replace(self.plan, program=program, _idle=[])


def scene(tape: Tape, size: int = SIZE) -> Scene:
    x, y = coordinates(None, size, size, "linspace", "float32")
    plan = plan_of(
        tape, DTYPE, {"var-z": 0.0}, domain_of((x[0], x[-1], y[-1], y[0]), DTYPE), sign_only=True
    )
    return Scene(tape, x, y, plan)


Draw = Callable[[], tuple[NDArray[np.uint8], list[Counts]]]


def drawing(
    of: Scene, plan: Plan, *, steps: Sequence[int] = STEPS, threads: int = 1, careful: bool = False
) -> Draw:
    """A picture by a plan, in the splits of ``steps``; ``careful`` keeps the tame kernel out."""
    original = native.kernel

    def draw() -> tuple[NDArray[np.uint8], list[Counts]]:
        pixels, is_clear = canvas((len(of.y), len(of.x)), np.dtype(np.uint8))
        sides = (of.x, of.y)
        counts = walk.render(plan, sides, sides, pixels, steps, threads=threads, is_clear=is_clear)
        return pixels, counts

    def draw_carefully() -> tuple[NDArray[np.uint8], list[Counts]]:
        with patch.object(native, "kernel", lambda _kind, *which: original("careful", *which)):
            return draw()

    return draw_carefully if careful else draw


def _plans(of: Scene) -> dict[str, Plan]:
    """Plans of programs that were made with less."""
    unbalanced = fold(of.tape, Arrays(np, DTYPE), {"var-z": 0.0})
    folded = balance(unbalanced)
    with patch.object(assemble, "Assembler", _NoAxes):
        no_axes = of.program(folded)
    programs = {
        "demand: only the root is asked": of.program(folded, _RootOnly),
        "thresholds: demand through min, max and neg": of.program(folded, _NoThresholds),
        "terms of one axis": no_axes,
        "folding": of.program(balance(of.tape)),
        "balance: chains of min and max as they are": of.program(unbalanced),
    }
    return {ALL: of.plan} | {name: of.with_program(p) for name, p in programs.items()}


ALL = "nothing"


def switched_off(shape: Subject, *, rounds: int) -> tuple[str, str]:
    """Two tables: what each technique is worth, and the mean lengths of programs with it."""
    of = scene(shape.tape)
    plans = _plans(of)
    ways = {name: drawing(of, plan) for name, plan in plans.items()} | {
        "the tame kernel: careful throughout": drawing(
            of, replace(of.plan, is_tame=False, _idle=[]), careful=True
        ),
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
