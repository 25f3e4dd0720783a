"""Random tapes without min and max, where no operand can be dropped: is pruning ever a loss?"""

from __future__ import annotations

from statistics import median

import numpy as np

import intervalvm as ivm
from bench.page import ms, table, times
from bench.timing import in_turns
from intervalvm.tape import TapeBuilder

SIZE, CLAUSES, SEEDS = 512, 200, 3
KINDS = {
    "add, sub, mul": (("add", "sub", "mul"), ("neg", "square")),
    "with sin, cos, exp, atan": (("add", "sub", "mul"), ("sin", "cos", "exp", "atan")),
    "with div, sqrt": (("add", "sub", "mul", "div"), ("abs", "sqrt")),
}


def random_tape(kind: str, seed: int) -> ivm.Tape:
    """Each clause reads the one before it, so that all matter; every other is scaled back."""
    binary, unary = KINDS[kind]
    rng, build = np.random.default_rng(seed), TapeBuilder()
    known = [build.clause("var-x"), build.clause("var-y")]
    while len(known) < CLAUSES:
        if rng.random() < 0.25:
            known.append(build.clause(str(rng.choice(unary)), known[-1]))
        else:
            other = known[int(rng.integers(len(known)))]
            known.append(build.clause(str(rng.choice(binary)), known[-1], other))
        scale = build.const(float(np.float32(rng.uniform(0.3, 0.7))))
        known.append(build.clause("mul", known[-1], scale))
    return build.build()


def without_choices(*, rounds: int) -> tuple[str, float]:
    """A table of ratios of dense float32 to pruned, and the least of them."""
    rows, ratios = [], []
    for kind in KINDS:
        taken: list[tuple[float, float, float, float]] = []
        for seed in range(SEEDS):
            taken.append(_one(random_tape(kind, seed), rounds))
        columns = [median(column) for column in zip(*taken, strict=True)]
        worst = min(dense / max(bitmap, value) for dense, bitmap, value, _ in taken)
        ratios.append(worst)
        shown = [ms(column) for column in columns[:3]]
        rows.append((kind, *shown, times(worst), f"{columns[3]:.0%}"))
    head = ("operations", "dense float32", "pruned, 1 thread", "the same, values")
    return table((*head, "least ratio", "pixels evaluated"), rows), min(ratios)


def _one(tape: ivm.Tape, rounds: int) -> tuple[float, float, float, float]:
    def dense() -> ivm.Image:
        return ivm.render(tape, size=SIZE, engine="dense")

    def bitmap() -> ivm.Image:
        return ivm.render(tape, size=SIZE, threads=1)

    def value() -> ivm.Image:
        return ivm.render(tape, size=SIZE, threads=1, mode="value")

    right = dense().pixels
    pruned = bitmap()
    assert np.array_equal(pruned.pixels, right)
    assert np.array_equal((value().pixels < 0) * np.uint8(255), right)
    runs = {"dense": dense, "bitmap": bitmap, "value": value}
    taken = in_turns(runs, rounds=rounds, most=5)
    evaluated = pruned.stats.pixels["evaluated"] / pruned.pixels.size
    return (*(taken[name].median for name in runs), evaluated)  # type: ignore[return-value]
