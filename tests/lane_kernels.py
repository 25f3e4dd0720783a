"""The compiled steps, called from Python: one tape over 64 regions, or at any number of points.

The kernels of a render reach a step only by way of a walk. These run every record of a packed tape
in order and prune nothing, so a test sees what each arm of a step computes, and has the compiled
evaluator's own dense image to hold a walk against.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import cfunc, types

from intervalvm.compiler.pack import INPUT_SLOTS, OPERAND_BITS, VARIANTS, Packed
from intervalvm.evaluate import lanes
from intervalvm.evaluate.interval import Interval
from intervalvm.evaluate.lanes import WIDTH
from intervalvm.render import kernels
from intervalvm.render.context import aligned

FIELDS = 5
"""Columns of the table that a kernel runs through: a variant, then addresses."""


@cache
def _kernel(dtype: str, tame: bool, kind: str) -> Any:
    """``kernel(address of the table, rows)``; the caller of ``cache`` keeps the code alive."""
    int64_at = kernels.int64_at
    if kind == "points":
        step = lanes.points_step(dtype, tame=tame, chunks=1)

        def run(address: Any, rows: Any) -> Any:
            table = int64_at(address)
            for i in range(rows):
                at = FIELDS * i
                step(table[at], table[at + 1], table[at + 2], table[at + 3])
            return rows

    else:
        step = lanes.interval_step(dtype, tame=tame)

        def run(address: Any, rows: Any) -> Any:
            table = int64_at(address)
            for i in range(rows):
                at = FIELDS * i
                step(table[at], table[at + 1], table[at + 2], table[at + 3], table[at + 4])
            return rows

    signature = types.int64(types.int64, types.int64)
    return cfunc(signature, **kernels.compile_flags())(run)


@dataclass(frozen=True)
class Found:
    """Of each record over 64 regions: bounds [n, 64], and where only one operand matters."""

    lower: Any
    upper: Any
    maybe_nan: Any
    left_only: Any
    right_only: Any


class LaneEvaluator:
    """Runs packed tapes in one dtype, tame or careful."""

    def __init__(self, dtype: Any, *, tame: bool = False) -> None:
        self.dtype, self.tame = np.dtype(dtype), tame

    def _run(self, kind: str, packed: Packed, slots: Any, slot_bytes: int, choices: int) -> None:
        assert packed.constants.dtype == self.dtype
        mask = (1 << OPERAND_BITS) - 1
        first = slots.ctypes.data
        pool, itemsize = packed.constants.ctypes.data, self.dtype.itemsize
        table = np.zeros((len(packed.records), FIELDS), np.int64)
        for i, record in enumerate(packed.records.tolist()):
            number = record >> 2 * OPERAND_BITS
            operands = (record >> OPERAND_BITS & mask, record & mask)
            constant = (*VARIANTS[number].constant, False)[:2]
            table[i] = [
                number,
                first + (i + INPUT_SLOTS) * slot_bytes,
                *(
                    pool + operand * itemsize if is_constant else first + operand * slot_bytes
                    for operand, is_constant in zip(operands, constant, strict=True)
                ),
                choices + 16 * i,
            ]
        _kernel(self.dtype.name, self.tame, kind).ctypes(table.ctypes.data, len(table))

    def points(self, packed: Packed, x: Any, y: Any) -> Any:
        """The value of the last record at each point: an array of the shape of x and y."""
        x, y = np.broadcast_arrays(np.asarray(x, self.dtype), np.asarray(y, self.dtype))
        flat_x, flat_y, out = x.ravel(), y.ravel(), np.empty(x.size, self.dtype)
        span = WIDTH * self.dtype.itemsize
        slots = aligned((len(packed.records) + INPUT_SLOTS) * span)
        values = slots.view(self.dtype).reshape(-1, WIDTH)
        for start in range(0, x.size, WIDTH):
            chunk = slice(start, min(start + WIDTH, x.size))
            n = chunk.stop - start
            values[0], values[1] = 0, 0
            values[0, :n], values[1, :n] = flat_x[chunk], flat_y[chunk]
            self._run("points", packed, slots, span, 0)
            out[chunk] = values[-1, :n]
        return out.reshape(x.shape)

    def interval(self, packed: Packed, x: Interval, y: Interval) -> Found:
        """Every record over up to 64 regions; the lanes beyond them repeat the last region."""
        itemsize = self.dtype.itemsize
        slot_bytes = lanes.interval_bytes(self.dtype.name)
        n = len(packed.records)
        slots = aligned((n + INPUT_SLOTS) * slot_bytes)
        choices = np.zeros((n, 2), np.uint64)
        rows = slots.reshape(-1, slot_bytes)
        span = WIDTH * itemsize
        for slot, side in enumerate((x, y)):
            m = len(side.lower)
            full = np.minimum(np.arange(WIDTH), m - 1)
            rows[slot, :span] = np.asarray(side.lower, self.dtype)[full].view(np.uint8)
            rows[slot, span : 2 * span] = np.asarray(side.upper, self.dtype)[full].view(np.uint8)
            nan = np.packbits(np.asarray(side.maybe_nan, bool)[full], bitorder="little")
            rows[slot, 2 * span : 2 * span + 8] = nan
        self._run("interval", packed, slots, slot_bytes, choices.ctypes.data)
        rows = rows[INPUT_SLOTS:]
        lower, upper = (
            np.ascontiguousarray(rows[:, at : at + span]).view(self.dtype)[:, :m]
            for at in (0, span)
        )
        nan = np.ascontiguousarray(rows[:, 2 * span : 2 * span + 8])
        masks = (nan, *(np.ascontiguousarray(choices[:, [k]]).view(np.uint8) for k in range(2)))
        flags = [np.unpackbits(m8, axis=1, bitorder="little").astype(bool)[:, :m] for m8 in masks]
        return Found(lower, upper, *flags)
