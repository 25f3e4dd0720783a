"""Which evaluator answers a call: the compiled one, or NumPy's while compiling would cost more.

Both give the same bits. A kernel that is not loaded yet is loaded once NumPy has spent as much time
in its place as loading takes, and compiled once it has spent as much as compiling takes. So no
program waits for more than twice what the better choice takes, whether it makes one large call or
many small ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.evaluate.evaluator import Evaluator, NumpyEvaluator
from intervalvm.evaluate.points import peak_bytes
from intervalvm.memory import WORTH_ASKING, Amount, require, require_lists
from intervalvm.tape import Tape
from intervalvm.words import Meaning

LOAD_SECONDS = 0.1
"""What a kernel takes to load from the cache, with llvmlite, which the first one imports."""
COMPILE_SECONDS = 3.0
"""What a kernel takes to compile, with numba, which the first one imports."""
SECONDS = {
    "points": (1.5e-6, 1e-9),
    "duals": (1e-5, 1e-8),
    "boxes": (1e-5, 3e-8),
    "shorten": (4e-6, 1e-6),
}
"""What NumPy takes in the place of a kernel: for each clause, and for each clause and point or box.
"""
_spent: dict[tuple[Any, ...], float] = {}
"""Seconds of NumPy in the place of a kernel, as estimated."""
_prices: dict[tuple[Any, ...], float] = {}
"""Seconds until a kernel is there, of those that are no longer assumed to be in the cache."""


def inputs_of(tape: Tape) -> tuple[str, ...]:
    """The inputs of ``evaluate`` and the like: the axes and all variables."""
    return ("x", "y", "z", *tape.variables)


def points_engine(
    tape: Tape,
    dtype: np.dtype[Any],
    shapes: Sequence[tuple[int, ...]],
    shape: tuple[int, ...],
    max_memory: Amount | None,
    *,
    compiled: bool,
    slopes: int | None = None,
) -> Evaluator:
    """The evaluator of points: inputs of some shapes, which broadcast to ``shape``.

    ``slopes`` is the number of derivatives. Raises DoesNotFit if the evaluation needs more than
    ``max_memory``.
    """
    kind, size = "points" if slopes is None else "duals", math.prod(shape)
    arrays, inputs = 1 + (slopes or 0), inputs_of(tape)
    if compiled and pays(kind, dtype, Meaning.FLOAT, len(tape), size):
        needed = (arrays + len(shapes)) * size * dtype.itemsize
        require(needed, f"{kind} of shape {shape}", "take fewer points at a time", max_memory)
        return compiled_evaluator(tape, inputs, dtype)
    # the most that all arrays of all clauses take
    if max_memory is not None or 8 * arrays * (len(tape) + 32) * size > WORTH_ASKING:
        require_lists(len(tape), max_memory)
        needed = arrays * peak_bytes(tape, dict(zip(inputs, shapes, strict=True)), dtype)
        if slopes is not None:
            needed += needed // arrays // dtype.itemsize  # and a mask
        what = "engine='dense'" if slopes is None else "a gradient"
        way_out = "take fewer points at a time"
        require(needed, f"{what} on {shape} points", way_out, max_memory)
    return NumpyEvaluator(tape, inputs, dtype)


def box_engine(
    tape: Tape, dtype: np.dtype[Any], count: int, *kinds: str, compiled: bool
) -> Evaluator:
    """The evaluator of some number of boxes, for what some kinds of kernels do."""
    paid = [pays(kind, dtype, Meaning.FLOAT, len(tape), count) for kind in kinds if compiled]
    make = compiled_evaluator if compiled and all(paid) else NumpyEvaluator
    return make(tape, inputs_of(tape), dtype)


def pays(kind: str, dtype: np.dtype[Any], meaning: Meaning, clauses: int, count: int) -> bool:
    """Whether a kernel is loaded, or to be loaded before some points or boxes are evaluated.

    What NumPy takes instead is added to what it has taken.
    """
    key = kind, dtype, meaning
    price = _prices.get(key, LOAD_SECONDS)
    if not price:
        return True
    clause, each = SECONDS[kind]
    spent = _spent[key] = _spent.get(key, 0.0) + clauses * (clause + each * count)
    if spent < price:
        return False
    if price == LOAD_SECONDS:
        from intervalvm.jit import native

        if not native.is_there(kind, DTYPE_NAMES[dtype], meaning):
            _prices[key] = COMPILE_SECONDS
            if spent < COMPILE_SECONDS:
                return False
    _prices[key] = 0.0
    return True


def compiled_evaluator(
    tape: Tape, inputs: tuple[str, ...], dtype: np.dtype[Any], meaning: Meaning = Meaning.FLOAT
) -> Evaluator:
    """The compiled evaluator, cached with the tape."""

    def make() -> Evaluator:
        from intervalvm.jit.compiled import CompiledEvaluator

        return CompiledEvaluator(tape, inputs, dtype, meaning)

    return tape.derived(("evaluator", inputs, dtype, meaning), make)
