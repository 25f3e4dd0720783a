"""The program of a tree: its axes are x, y and z, and its other inputs are constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from intervalvm.compiler.plain import plain_places, plain_program
from intervalvm.compiler.program import INPUTS, Program
from intervalvm.evaluate.points import input_of
from intervalvm.jit.points import IS_INPUT, dual_program
from intervalvm.ops import AXES, CODE
from intervalvm.tape import NONE, Tape


def direction_bits(inputs: Sequence[str], along: Sequence[str]) -> list[int]:
    """For each input the bits of the directions that are ``along`` it."""
    return [sum((name == k) << i for i, k in enumerate(along)) for name in inputs]


@dataclass(frozen=True)
class AxesProgram:
    """The plain program of a tape over axes; other inputs are constants of it.

    ``numbers`` are the places of those in its pool, by name of the input. For derivatives the
    records have the third words of ``jit.points``, ``directions`` the bits of each axis, and
    ``prunes`` says whether cells may get shorter programs.
    """

    program: Program
    numbers: tuple[tuple[int, str], ...]
    directions: tuple[int, ...] = ()
    prunes: bool = True

    @staticmethod
    def of(
        tape: Tape, axes: Sequence[str], dtype: np.dtype[Any], along: tuple[str, ...] = ()
    ) -> AxesProgram:
        """That of a tape with some inputs as axes, for derivatives ``along`` some of them."""
        codes, left, fixed = tape.codes.copy(), tape.left.copy(), {}
        names = dict(zip(axes, AXES, strict=False))
        for i in np.flatnonzero(IS_INPUT[codes]).tolist():
            if (name := input_of(tape, i)) is not None:
                codes[i] = CODE[AXES[names[name]]] if name in names else CODE["const"]
                left[i] = NONE
                if name not in names:
                    fixed[i] = name
        arrays = codes, left, tape.right.copy(), tape.wide.copy(), tape.single.copy()
        over_axes = Tape.of_arrays(arrays, ())
        program = plain_program(over_axes, dtype)
        places = np.cumsum(codes == CODE["const"]) - 1
        numbers = tuple((int(places[i]), name) for i, name in fixed.items())
        if not along:
            return AxesProgram(program, numbers)
        dual = dual_program(
            over_axes, plain_places(over_axes), program, tuple(names[name] for name in along)
        )
        bits = direction_bits(axes, along)
        directions = tuple(bits + [0] * (INPUTS - len(bits)))
        return AxesProgram(replace(program, records=dual.records), numbers, directions, dual.prunes)
