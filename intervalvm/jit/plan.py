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

from intervalvm.arith.arrays import Arrays
from intervalvm.compiler.assemble import bitmap_program, plain_program, value_program
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.compiler.predicates import Predicates
from intervalvm.compiler.program import INPUTS, Program
from intervalvm.compiler.proven import Reals, prepared
from intervalvm.compiler.thresholds import Floats
from intervalvm.errors import DoesNotFit
from intervalvm.jit import context as c
from intervalvm.jit import native
from intervalvm.jit.layout import Slots, slots_of
from intervalvm.memory import no_search_for_cycles, require
from intervalvm.ops import ROWS
from intervalvm.tape import Tape

MOST_PLANS = 8
"""Plans kept with a tape: one for each dtype, mode, domain and setting of z and the variables."""
MOST_CLAUSES = 1 << 28
PLANNING_BYTES = 1280
"""The most that a clause takes while a plan is made, as measured: 360 to 1,030."""


@dataclass
class Plan:
    """A tape made ready for the compiled walk.

    It holds for coordinates up to ``domain`` in size. ``is_tame`` says that there neither NaN nor
    infinity can arise, ``is_bitmap`` that nothing but ``v < 0`` is computed; ``rounding`` what it
    is about, floats ("nearest") or the real function ("outward"). ``frame`` is the kernels' context
    as far as it depends on the tape alone.
    """

    program: Program
    dtype: np.dtype[Any]
    is_tame: bool
    is_bitmap: bool
    domain: float
    rounding: str = "nearest"
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

    def _sizes(self, steps: int) -> tuple[int, int, int, Slots]:
        return (
            len(self.program),
            len(self.program.constants),
            steps,
            slots_of(self.dtype, proves=self.rounding == "outward"),
        )

    def take(self, count: int, steps: int) -> list[c.Workspace]:
        """Scratch memory for ``count`` threads, which nobody else uses."""
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
        return taken

    def put_back(self, *workspaces: c.Workspace) -> None:
        """Keep scratch memory for the next frame: no thread uses it any more, nor will.

        The last is the first that ``take`` returns.
        """
        self._idle.extend(workspaces)

    def put_under(self, workspace: c.Workspace) -> None:
        """As ``put_back``, to be taken last: what a caller has used lies in its cache."""
        self._idle.insert(0, workspace)

    @contextmanager
    def workspaces(self, count: int, steps: int) -> Iterator[list[c.Workspace]]:
        """Scratch memory for what the caller does alone; after an exception it is not kept."""
        taken = self.take(count, steps)
        yield taken
        self.put_back(*reversed(taken))


def domain_of(box: tuple[float, float, float, float], dtype: np.dtype[Any]) -> float:
    """A finite bound on all coordinates of a box, one of few, so that frames nearby share a plan.

    The box is x low, x high, y low, y high.
    """
    largest = max(map(abs, box))
    mantissa, power = math.frexp(largest)  # by exponent: a logarithm is rounded, and may lie below
    power -= mantissa == 0.5
    power = max(4, power + power % 2)
    info = np.finfo(dtype)
    return math.ldexp(1.0, power) if power < info.maxexp else float(info.max)


def plan_of(
    tape: Tape,
    dtype: np.dtype[Any],
    settings: dict[str, Any],
    domain: float,
    *,
    sign_only: bool,
    rounding: str = "nearest",
) -> Plan:
    """The plan of ``tape`` with its z and variables set, for coordinates up to ``domain``.

    It is kept with the tape. With ``rounding`` "outward" it is for proofs about the real function,
    of ``v < 0`` alone.
    """
    plans = tape.derived("plans", lambda: lru_cache(MOST_PLANS)(_Planner(tape)))
    exact = tuple((name, float(value).hex()) for name, value in settings.items())
    made: Plan = plans(dtype, exact, domain, sign_only, rounding)
    return made


@dataclass(frozen=True)
class _Planner:
    tape: Tape

    @no_search_for_cycles()
    def __call__(
        self,
        dtype: np.dtype[Any],
        exact: tuple[Any, ...],
        domain: float,
        sign_only: bool,
        rounding: str,
    ) -> Plan:
        if len(self.tape) > MOST_CLAUSES:
            raise DoesNotFit(f"{len(self.tape)} clauses are too many: the most is {MOST_CLAUSES}")
        settings = {name: float.fromhex(value) for name, value in exact}
        if rounding == "outward":
            folded, ends = prepared(self.tape, settings)
            numbers: Floats = Reals(ends, dtype)
        else:
            xp = Arrays(np, dtype)
            folded = balance(fold(self.tape, xp, settings))
            numbers = Floats(folded, xp)
        bounds = _bounds(numbers, folded, domain, rounding)
        if sign_only:
            asked = Predicates(folded, bounds.lower, bounds.maybe_nan, numbers)
            program = bitmap_program(folded, asked, dtype)
        else:
            program = value_program(folded, dtype)
        return Plan(program, dtype, bounds.are_tame(), sign_only, domain, rounding)


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


def _bounds(numbers: Floats, tape: Tape, domain: float, rounding: str = "nearest") -> _Bounds:
    dtype = numbers.dtype
    constants = np.array(numbers.constants, dtype)
    program = plain_program(tape, dtype, constants)
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
    native.kernel("bounds", dtype.name, rounding)(context.ctypes.data)
    # Records stand in the order of the clauses that are neither constants nor inputs.
    arity = np.array([op.arity for op in ROWS])[tape.codes]
    is_record = arity > 0
    pairs = constants.reshape(len(tape), -1)
    lower, upper = pairs[:, 0].copy(), pairs[:, -1].copy()
    maybe_nan = np.isnan(lower)
    inputs = (arity == 0) & np.isin(tape.codes, INPUT_CODES)
    lower[inputs], upper[inputs] = -edge, edge
    written = slice(INPUTS, INPUTS + np.count_nonzero(is_record))
    lower[is_record], upper[is_record] = ends[written].T
    maybe_nan[is_record] = nan[written] & 1 != 0
    return _Bounds(lower, upper, maybe_nan)


INPUT_CODES = [code for code, op in enumerate(ROWS) if op.is_input]
