"""A program sorted into waves of independent records (see ``layout``)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import (
    INPUTS,
    LEFT_PLACE,
    RIGHT_PLACE,
    THIRD_PLACE,
    VARIANT_MASK,
    VARIANTS,
    Program,
)
from intervalvm.compiler.records import is_combination

COMBINES = np.array([is_combination(variant) for variant in VARIANTS])
PLACE_FLAGS = (LEFT_PLACE, RIGHT_PLACE, THIRD_PLACE)


def in_waves(program: Program) -> tuple[Program, NDArray[np.uint32]]:
    """The same program with its records sorted by wave, and the table of waves.

    A wave has the records of equal depth, values and literals before combinations; within a wave
    records keep their order.
    """
    records, n = program.records, len(program)
    combines = COMBINES[records[:, 0] & VARIANT_MASK]
    is_place = [(records[:, 0] & flag) != 0 for flag in PLACE_FLAGS]
    depth = [0] * (n + INPUTS)
    operands = np.where(np.stack(is_place, axis=1), records[:, 1:], 0).tolist()
    for i, places in enumerate(operands):
        depth[i + INPUTS] = 1 + max(depth[place] for place in places)
    waves = 2 * np.array(depth[INPUTS:], np.int64) + combines
    order = np.argsort(waves, kind="stable")
    renamed = np.arange(n + INPUTS)
    renamed[INPUTS + order] = INPUTS + np.arange(n)
    ordered = records[order]
    for word, flag in zip((1, 2, 3), PLACE_FLAGS, strict=True):
        places = (ordered[:, 0] & flag) != 0
        ordered[places, word] = renamed[ordered[places, word]]
    result = int(renamed[program.result])
    return replace(program, records=ordered, result=result), _table(waves[order])


def _table(waves: NDArray[Any]) -> NDArray[np.uint32]:
    """``2 * end + is_combination`` for each wave of the sorted records."""
    ends = np.append(np.flatnonzero(np.diff(waves)) + 1, len(waves))[: len(waves)]
    table: NDArray[np.uint32] = (2 * ends + (waves[ends - 1] & 1)).astype(np.uint32)
    return table
