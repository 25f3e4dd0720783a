"""The compiled loops, called from Python: one program over 64 regions, or at any points.

The kernels of a render reach a loop only by way of a walk. These run every record of a plain
program in order and prune nothing, so a test sees what each arm of a loop computes, and has the
compiled evaluator's own dense image to hold a walk against.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from intervalvm.compiler.program import INPUTS, Program
from intervalvm.jit import interpreter, layout, native
from intervalvm.jit.layout import AREA, LANES, Each
from intervalvm.memory import aligned
from intervalvm.ops.row import Interval
from intervalvm.words import Meaning


@cache
def _loop(dtype: str, tame: bool, each: Each, meaning: Meaning) -> Any:
    """The loop as a function of seven addresses and numbers; ``cache`` keeps its code alive."""
    loop, machine = interpreter.Loop(each, dtype, tame, meaning=meaning), native._target_machine()
    engine = llvm.create_mcjit_compiler(native.compiled_loops([loop], machine), machine)
    engine.finalize_object()
    kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * len(loop.ARGUMENTS))
    function: Any = kind(engine.get_function_address(loop.name))
    function.engine = engine
    return function


@dataclass(frozen=True)
class Found:
    """Of each record over 64 regions: bounds [n, 64], and where only one operand matters."""

    lower: Any
    upper: Any
    maybe_nan: Any
    left_only: Any
    right_only: Any


class LaneEvaluator:
    """Runs plain programs in one dtype, tame or careful, with the bounds of a meaning."""

    def __init__(self, dtype: Any, *, tame: bool = False, meaning: Meaning = "float") -> None:
        self.dtype, self.tame, self.meaning = np.dtype(dtype), tame, meaning

    def _run(self, each: Each, program: Program, slots: Any, choices: int) -> None:
        assert program.constants.dtype == self.dtype
        _loop(self.dtype.name, self.tame, each, self.meaning)(
            program.records.ctypes.data,
            len(program),
            *[slots.ctypes.data] * 3,
            program.constants.ctypes.data,
            choices,
        )

    def points(self, program: Program, x: Any, y: Any) -> Any:
        """The value of the last record at each point: an array of the shape of x and y."""
        x, y = np.broadcast_arrays(np.asarray(x, self.dtype), np.asarray(y, self.dtype))
        flat_x, flat_y, out = x.ravel(), y.ravel(), np.empty(x.size, self.dtype)
        slots = aligned((len(program) + INPUTS) * AREA * self.dtype.itemsize)
        values = slots.view(self.dtype).reshape(-1, AREA)
        for start in range(0, x.size, AREA):
            chunk = slice(start, min(start + AREA, x.size))
            n = chunk.stop - start
            values[0], values[1] = 0, 0
            values[0, :n], values[1, :n] = flat_x[chunk], flat_y[chunk]
            self._run("sample", program, slots, 0)
            out[chunk] = values[program.result, :n]
        return out.reshape(x.shape)

    def interval(self, program: Program, x: Interval, y: Interval) -> Found:
        """Every record over up to 64 regions; the lanes beyond them repeat the last region."""
        slot_bytes = layout.interval_bytes(self.dtype.name, LANES)
        n = len(program)
        slots = aligned((n + INPUTS) * slot_bytes)
        choices = np.zeros((n + INPUTS, 2), np.uint64)
        rows = slots.reshape(-1, slot_bytes)
        span = LANES * self.dtype.itemsize
        for slot, side in enumerate((x, y)):
            m = len(side.lower)
            full = np.minimum(np.arange(LANES), m - 1)
            rows[slot, :span] = np.asarray(side.lower, self.dtype)[full].view(np.uint8)
            rows[slot, span : 2 * span] = np.asarray(side.upper, self.dtype)[full].view(np.uint8)
            nan = np.packbits(np.asarray(side.maybe_nan, bool)[full], bitorder="little")
            rows[slot, 2 * span : 2 * span + 8] = nan
        self._run("region", program, slots, choices.ctypes.data)
        # the result of a program without records is an input
        written = slice(INPUTS, None) if n else slice(program.result, program.result + 1)
        rows, choices = rows[written], choices[written]
        lower, upper = (
            np.ascontiguousarray(rows[:, at : at + span]).view(self.dtype)[:, :m]
            for at in (0, span)
        )
        nan = np.ascontiguousarray(rows[:, 2 * span : 2 * span + 8])
        masks = (nan, *(np.ascontiguousarray(choices[:, [k]]).view(np.uint8) for k in range(2)))
        flags = [np.unpackbits(m8, axis=1, bitorder="little").astype(bool)[:, :m] for m8 in masks]
        return Found(lower, upper, *flags)
