"""What depends on a tape alone, computed once: its program, with workspaces for its length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.assemble import bitmap_program, plain_program, value_program
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.compiler.predicates import Predicates
from intervalvm.compiler.program import INPUTS, Program
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.arrays import Arrays
from intervalvm.memory import require
from intervalvm.ops import ROWS
from intervalvm.render import context as c
from intervalvm.render import native
from intervalvm.tape import Tape

MOST_PLANS = 8
"""Plans kept with a tape: one for each dtype, mode, domain and setting of z and the variables."""
MOST_CLAUSES = 1 << 28
BLOCK = c.BLOCK_PX


@lru_cache
def slots_of(dtype: np.dtype[Any]) -> c.Slots:
    """What a record's result takes, as intervals of 64 regions or at the points of a leaf."""
    size = dtype.itemsize
    return c.Slots(
        full=max(2 * c.LANES * size + 64, BLOCK * BLOCK * size),
        axis=max(2 * c.SIDE * size + 64, BLOCK * size),
        truth=BLOCK * BLOCK // 8,
    )


@dataclass
class Plan:
    """A tape made ready for the compiled walk.

    It holds for coordinates up to ``domain`` in size. ``is_tame`` says that there neither NaN nor
    infinity can arise, ``is_bitmap`` that nothing but ``v < 0`` is computed; ``frame`` is the
    kernels' context as far as it depends on the tape alone.
    """

    program: Program
    dtype: np.dtype[Any]
    is_tame: bool
    is_bitmap: bool
    domain: float
    _idle: list[c.Workspace] = field(default_factory=list)
    on_devices: dict[Any, Any] = field(default_factory=dict, init=False)
    """What has been made ready of it on GPUs."""
    kept: dict[object, list[Any]] = field(default_factory=dict)
    """What a GPU's engines keep for the next frame, also of a part of the domain."""

    def __post_init__(self) -> None:
        self.frame = np.zeros(c.FRAME_FIELDS, np.int64)
        self.frame[c.RECORDS] = self.program.records.ctypes.data
        self.frame[c.LENGTH] = len(self.program)
        self.frame[c.RESULT] = self.program.result
        self.frame[c.NUMBERS] = self.program.constants.ctypes.data

    def workspace_bytes(self, steps: int) -> int:
        """The memory that each thread needs."""
        return c.Workspace.bytes_needed(*self._sizes(steps))

    def _sizes(self, steps: int) -> tuple[int, int, int, c.Slots]:
        return len(self.program), len(self.program.constants), steps, slots_of(self.dtype)

    @contextmanager
    def workspaces(self, count: int, steps: int) -> Iterator[list[c.Workspace]]:
        """Scratch memory for ``count`` threads, kept for the next frame."""
        taken: list[c.Workspace] = []
        while len(taken) < count and self._idle:
            try:
                found = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if found.steps >= steps:
                taken.append(found)
        if missing := count - len(taken):
            require(
                missing * self.workspace_bytes(steps),
                f"a walk with {count} threads over {len(self.program)} clauses",
                "use fewer threads",
            )
            taken += [c.Workspace(*self._sizes(steps)) for _ in range(missing)]
        try:
            yield taken
        finally:
            self._idle.extend(taken)


def domain_of(x: NDArray[Any], y: NDArray[Any]) -> float:
    """A finite bound on all coordinates, one of few, so that frames nearby share a plan."""
    largest = float(max(abs(x[0]), abs(x[-1]), abs(y[0]), abs(y[-1])))
    mantissa, power = math.frexp(largest)  # by exponent: a logarithm is rounded, and may lie below
    power -= mantissa == 0.5
    power = max(4, power + power % 2)
    info = np.finfo(x.dtype)
    return math.ldexp(1.0, power) if power < info.maxexp else float(info.max)


def plan_of(
    tape: Tape, dtype: np.dtype[Any], settings: dict[str, Any], domain: float, *, sign_only: bool
) -> Plan:
    """The plan of ``tape`` with its z and variables set, for coordinates up to ``domain``.

    It is kept with the tape.
    """
    plans = tape.derived("plans", lambda: lru_cache(MOST_PLANS)(_Planner(tape)))
    exact = tuple((name, float(value).hex()) for name, value in settings.items())
    made: Plan = plans(dtype, exact, domain, sign_only)
    return made


@dataclass(frozen=True)
class _Planner:
    tape: Tape

    def __call__(
        self, dtype: np.dtype[Any], exact: tuple[Any, ...], domain: float, sign_only: bool
    ) -> Plan:
        if len(self.tape) > MOST_CLAUSES:
            raise DoesNotFit(f"{len(self.tape)} clauses are too many: the most is {MOST_CLAUSES}")
        xp = Arrays(np, dtype)
        settings = {name: float.fromhex(value) for name, value in exact}
        folded = balance(fold(self.tape, xp, settings))
        bounds = _bounds(folded, dtype, domain)
        if sign_only:
            asked = Predicates(folded, bounds.lower, bounds.maybe_nan, xp)
            program = bitmap_program(folded, asked, dtype)
        else:
            program = value_program(folded, dtype)
        return Plan(program, dtype, bounds.are_tame(), sign_only, domain)


@dataclass(frozen=True)
class _Bounds:
    """Of each clause over the whole domain."""

    lower: NDArray[Any]
    upper: NDArray[Any]
    maybe_nan: NDArray[np.bool_]

    def are_tame(self) -> bool:
        """Whether all are finite, with room to spare, and none may be NaN."""
        limit = np.finfo(self.lower.dtype).max / 4
        wild = self.maybe_nan | ~(self.lower > -limit) | ~(self.upper < limit)
        return not wild.any()


def _bounds(tape: Tape, dtype: np.dtype[Any], domain: float) -> _Bounds:
    program = plain_program(tape, dtype)
    limit = np.finfo(dtype).max
    edge = dtype.type(min(domain, float(limit)))
    stride = 2 * dtype.itemsize + 64
    slots = c.aligned((len(program) + INPUTS) * stride)
    ends = np.ndarray((len(program) + INPUTS, 2), dtype, slots, strides=(stride, dtype.itemsize))
    nan = np.ndarray((len(program) + INPUTS,), np.int64, slots, 2 * dtype.itemsize, (stride,))
    ends[:INPUTS], nan[:INPUTS] = (-edge, edge), 0
    choices = np.empty(2 * len(ends), np.uint64)
    context = np.zeros(c.FIELDS, np.int64)
    for name, value in (
        (c.RECORDS, program.records.ctypes.data),
        (c.LENGTH, len(program)),
        (c.NUMBERS, program.constants.ctypes.data),
        (c.FULL, slots.ctypes.data),
        (c.CHOICES, choices.ctypes.data),
    ):
        context[name] = value
    native.kernel("bounds", dtype.name)(context.ctypes.data)
    # Records stand in the order of the clauses that are neither constants nor inputs.
    arity = np.array([op.arity for op in ROWS])[tape.codes]
    is_record = arity > 0
    constants = tape.constants(dtype)
    lower, upper = constants.copy(), constants.copy()
    maybe_nan = np.isnan(constants)
    inputs = (arity == 0) & np.isin(tape.codes, INPUT_CODES)
    lower[inputs], upper[inputs] = -edge, edge
    written = slice(INPUTS, INPUTS + np.count_nonzero(is_record))
    lower[is_record], upper[is_record] = ends[written].T
    maybe_nan[is_record] = nan[written] & 1 != 0
    return _Bounds(lower, upper, maybe_nan)


INPUT_CODES = [code for code, op in enumerate(ROWS) if op.is_input]
