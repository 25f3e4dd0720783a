"""Dispatch of calls: to the compiled evaluator, or to NumPy's while compiling would cost more.

Both give the same bits. A kernel that is not loaded yet is loaded once NumPy has spent as much time
in its place as loading takes, and compiled once it has spent as much as compiling takes. So no
program waits for more than twice what the better choice takes, whether it makes one large call or
many small ones.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.passes import IN_PYTHON, Pass, Runner
from intervalvm.evaluate.evaluator import Evaluator, NumpyEvaluator
from intervalvm.evaluate.points import peak_bytes
from intervalvm.memory import WORTH_ASKING, Amount, as_bytes, require, require_lists
from intervalvm.tape import Tape
from intervalvm.words import Meaning

LOAD = 70_000_000_000
"""What a kernel takes to load from the cache: 15 ms, and 50 for llvmlite, which the first one
imports. Times are in picoseconds, since whole numbers are read alike in any rounding mode."""
SECOND = 10**12
COMPILE = {
    "points": 5 * SECOND, "duals": 5 * SECOND, "boxes": 2 * SECOND, "shorten": SECOND,
    "fold": 3 * SECOND, "assemble": 8 * SECOND,
}  # fmt: skip
"""What a kernel takes to compile, with 0.5 s for numba, which the first one imports."""
NUMPY = {
    "points": (900_000, 200),
    "duals": (7_000_000, 2_500),
    "boxes": (12_000_000, 4_000),
    "shorten": (1_000_000, 220_000),
    "fold": (3_500_000, 0),
    "assemble": (8_000_000, 0),
}
"""What NumPy, or Python for a pass, takes in the place of a kernel, in picoseconds: for a clause,
and for a clause and each point or box.

All of these are CPU time on an EPYC (znver1) with NumPy 2.4 and numba 0.68: each kernel
in new processes, medians of five; prospero.vm at 1 to 10,000 points and over 1 to 512 boxes, the
least of five. ``shorten`` also takes what ``boxes`` does.
"""
WORKSPACE_BYTES = 6 << 10
"""The most bytes a clause that compiled code works with."""
FEWER = "take fewer points at a time"
Kernel = tuple[str, str]
"""A kind, and a dtype."""
_spent: dict[Kernel, int] = {}
"""Picoseconds of NumPy in the place of a kernel, as estimated."""
_prices: dict[Kernel, int] = {}
"""Picoseconds that a kernel costs: 0 once it is paid. Others are assumed to be cached."""


def inputs_of(tape: Tape) -> tuple[str, ...]:
    """The inputs of ``evaluate`` and the like: the axes and all variables."""
    return ("x", "y", "z", *tape.variables)


def evaluator_of_points(
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
    if compiled and pays([(kind, DTYPE_NAMES[dtype])], len(tape), size):
        from intervalvm.jit.points import TOGETHER

        sorting = min(size, TOGETHER) * (2 * len(inputs) * dtype.itemsize + 16)
        results = (arrays + len(inputs)) * size * dtype.itemsize
        needed = results + sorting + len(tape) * WORKSPACE_BYTES
        if max_memory is None or needed <= as_bytes("max_memory", max_memory):
            require(needed, f"an evaluation on {shape} points", FEWER)
            return compiled_evaluator(tape, inputs, dtype)
    # the most that all arrays of all clauses take
    if max_memory is not None or 8 * arrays * (len(tape) + 32) * size > WORTH_ASKING:
        require_lists(len(tape), max_memory)
        needed = arrays * peak_bytes(tape, dict(zip(inputs, shapes, strict=True)), dtype)
        if slopes is not None:
            needed += needed // arrays // dtype.itemsize  # and a mask
        what = "engine='dense'" if slopes is None else "a gradient"
        require(needed, f"{what} on {shape} points", FEWER, max_memory)
    return NumpyEvaluator(tape, inputs, dtype)


def evaluators_of_boxes(
    tape: Tape, dtypes: Collection[np.dtype[Any]], count: int, *kinds: str, compiled: bool
) -> list[Evaluator]:
    """The evaluators of some number of boxes in each dtype, for what some kinds of kernels do.

    They are of one kind, so that they can shorten a tape together.
    """
    kernels = [(kind, DTYPE_NAMES[dtype]) for dtype in dtypes for kind in kinds]
    make = compiled_evaluator if compiled and pays(kernels, len(tape), count) else NumpyEvaluator
    return [make(tape, inputs_of(tape), dtype) for dtype in dtypes]


def runner_of(of: Pass, tape: Tape) -> Runner:
    """What runs a pass of the compiler over a tape."""
    if pays([(of.name, "float64")], len(tape), 0):
        from intervalvm.jit.runner import COMPILED

        return COMPILED
    return IN_PYTHON


def pays(kernels: Iterable[Kernel], clauses: int, count: int) -> bool:
    """Whether kernels are loaded, or to be loaded before some points or boxes are evaluated.

    What NumPy takes instead is added to what it has taken; all must pay together.
    """
    missing = [key for key in kernels if _prices.get(key, LOAD)]
    for key in missing:
        clause, each = NUMPY[key[0]]
        _spent[key] = _spent.get(key, 0) + clauses * (clause + each * count)
    if missing and (_is_paid(missing) or "intervalvm.jit.native" in sys.modules):
        from intervalvm.jit import native

        for key in missing:
            if native.is_loaded(*key):
                _prices[key] = 0
            elif _is_paid(missing) and key not in _prices:
                _prices[key] = LOAD if native.is_there(*key) else COMPILE[key[0]]
        missing = [key for key in missing if _prices.get(key, LOAD)]
        if _is_paid(missing):
            _prices.update(dict.fromkeys(missing, 0))
            return True
    return not missing


def _is_paid(kernels: Iterable[Kernel]) -> bool:
    """Whether NumPy has taken as long in their place as they do until they are loaded."""
    return sum(_spent[key] - _prices.get(key, LOAD) for key in kernels) >= 0


def compiled_evaluator(
    tape: Tape, inputs: tuple[str, ...], dtype: np.dtype[Any], meaning: Meaning = Meaning.FLOAT
) -> Evaluator:
    """The compiled evaluator, cached with the tape."""

    def make() -> Evaluator:
        from intervalvm.jit.evaluator import CompiledEvaluator

        return CompiledEvaluator(tape.bare(), inputs, dtype, meaning)

    return tape.derived(("evaluator", inputs, dtype, meaning), make)


def cuda_evaluator(tape: Tape, inputs: tuple[str, ...], dtype: np.dtype[Any]) -> Evaluator:
    """The evaluator on the GPU, cached with the tape.

    Raises BackendError or DeviceError where no GPU can be used.
    """
    # evaluation on the host need not wait for numba
    from intervalvm.gpu.evaluator import CudaEvaluator
    from intervalvm.gpu.target import check_target

    check_target()

    def make() -> Evaluator:
        return CudaEvaluator(tape.bare(), inputs, dtype)

    return tape.derived(("cuda evaluator", inputs, dtype), make)


def fast_tape(tape: Tape, dtype: np.dtype[Any]) -> Tape:
    """The tape folded with "fast", cached with the tape."""
    from intervalvm.compiler.folding import PASS
    from intervalvm.compiler.pipeline import folded
    from intervalvm.evaluate.arithmetic import Floats

    def make() -> Tape:
        return folded(tape, Floats(dtype), fast=True, runner=runner_of(PASS, tape))

    return tape.derived(("fast", dtype.name), make)
