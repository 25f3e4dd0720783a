"""``Plan``: what depends on a tape only, its program and workspaces."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.pipeline import compile
from intervalvm.compiler.program import INPUTS, RECORD_BYTES, Program
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.evaluators import Inputs
from intervalvm.jit import layout as c
from intervalvm.jit.evaluator import evaluator
from intervalvm.jit.layout import Slots, slots_of
from intervalvm.memory import address_of, aligned, no_search_for_cycles, require
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

MOST_PLANS = 8
"""Plans cached with a tape: for dtype, mode, domain, and values of z and variables."""
MOST_CLAUSES = 1 << 28
PLANNING_BYTES = 1280
"""Measured peak bytes a clause of planning: 360 to 1,030."""


MOST_ARENA = 1 << 22
"""Records of the arena beyond the minimum: 64 MiB. Children that do not fit are deferred."""


def arena_records(length: int, steps: int) -> int:
    """Records that a thread's arena holds: at least one child's program a step."""
    return steps * (length + 1) + min(c.LANES * length, MOST_ARENA)


class Workspace:
    """A thread's workspace for a program of ``length`` records."""

    def __init__(self, length: int, constants: int, steps: int, slots: Slots) -> None:
        places = length + INPUTS
        self.steps = steps
        self.arena = aligned(arena_records(length, steps) * RECORD_BYTES)
        self.full, self.axis, self.truth = (
            aligned(places * size) for size in (slots.full, slots.axis, slots.truth)
        )
        self.choices = np.zeros(2 * places, np.uint64)
        self.live = np.zeros(places + c.LANES, np.uint64)
        self.rows_live = np.zeros(places + c.LANES, np.uint64)
        # as long as the pool of constants too, so that what is no place may be looked up
        self.places = np.zeros(max(places, constants) + 1, np.int32)
        self.places[:INPUTS] = range(INPUTS)
        self.stack = np.zeros(c.MOST_STEPS * c.ROW, np.int64)
        self.context = self._addresses()
        self.address = int(self.context.ctypes.data)

    @staticmethod
    def bytes_needed(length: int, constants: int, steps: int, slots: Slots) -> int:
        each = slots.full + slots.axis + slots.truth + 16 + 8 + 8 + 4
        return max(length + INPUTS, constants) * each + RECORD_BYTES * arena_records(length, steps)

    def _addresses(self) -> NDArray[np.int64]:
        context = np.zeros(c.FIELDS, np.int64)
        context[c.ARENA_END] = self.arena.ctypes.data + len(self.arena)
        for place, array in (
            (c.ARENA, self.arena),
            (c.FULL, self.full),
            (c.AXIS, self.axis),
            (c.TRUTH, self.truth),
            (c.CHOICES, self.choices),
            (c.LIVE, self.live),
            (c.ROWS_LIVE, self.rows_live),
            (c.PLACES, self.places),
            (c.STACK, self.stack),
        ):
            context[place] = array.ctypes.data
        return context

    def start(self, frame: NDArray[np.int64], depth: int = 0, *, is_caller: bool = False) -> int:
        """Make the context ready for a frame; returns its address."""
        context = self.context
        context[: c.FRAME_FIELDS] = frame
        context[c.ARENA_TOP] = context[c.ARENA]
        context[c.DEPTH], context[c.IS_CALLER], context[c.HAS_STARTED] = depth, is_caller, False
        context[c.LEAF_ROW] = context[c.LEAF_BOTTOM] = context[c.BATCH_BLOCKS] = 0
        context[c.ALL_FINISHED] = False
        self.stats = np.zeros((c.MOST_STEPS, c.COUNTS), np.int64)  # the last is its frame's to read
        context[c.STATS] = address_of(self.stats)
        return self.address


@dataclass
class Plan:
    """A tape prepared for the compiled walk, for coordinates up to ``domain`` in absolute value.

    ``frame`` is the part of the kernels' context that depends on the program only.
    """

    program: Program
    domain: float
    _idle: list[Workspace] = field(default_factory=list)
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

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.program.constants.dtype

    @property
    def is_bitmap(self) -> bool:
        return self.program.question is Question.SIGN

    def workspace_bytes(self, steps: int) -> int:
        """The memory that each thread needs."""
        return Workspace.bytes_needed(*self._sizes(steps))

    def _sizes(self, steps: int) -> tuple[int, int, int, Slots]:
        return (
            len(self.program),
            len(self.program.constants),
            steps,
            slots_of(self.dtype, self.program.meaning),
        )

    def take(self, count: int, steps: int) -> list[Workspace]:
        """Unused workspaces for ``count`` threads."""
        taken: list[Workspace] = []
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
            taken += [Workspace(*self._sizes(steps)) for _ in range(missing)]
        return taken

    def put_back(self, *workspaces: Workspace) -> None:
        """Return an unused workspace for the next frame. The last is the first of ``take``."""
        self._idle.extend(workspaces)

    def put_under(self, workspace: Workspace) -> None:
        """As ``put_back``, to be taken last: what a caller has used lies in its cache."""
        self._idle.insert(0, workspace)

    @contextmanager
    def workspaces(self, count: int, steps: int) -> Iterator[list[Workspace]]:
        """A workspace for the caller's thread; after an exception it is dropped."""
        taken = self.take(count, steps)
        yield taken
        self.put_back(*reversed(taken))


def domain_of(box: tuple[float, float, float, float], dtype: np.dtype[Any]) -> float:
    """A finite bound on all coordinates of a box, rounded so that frames nearby share a plan.

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
    question: Question,
    meaning: Meaning,
    dtype: np.dtype[Any],
    settings: dict[str, Any],
    domain: float,
) -> Plan:
    """The plan of ``tape`` with its z and variables set, for coordinates up to ``domain``.

    It is cached with the tape. For the real function it has the sign only.
    """
    plans = tape.derived("plans", lambda: lru_cache(MOST_PLANS)(_Planner(tape)))
    exact = tuple((name, float(value).hex()) for name, value in settings.items())
    made: Plan = plans(question, meaning, dtype, exact, domain)
    return made


@dataclass(frozen=True)
class _Planner:
    tape: Tape

    @no_search_for_cycles()
    def __call__(
        self,
        question: Question,
        meaning: Meaning,
        dtype: np.dtype[Any],
        exact: tuple[Any, ...],
        domain: float,
    ) -> Plan:
        if len(self.tape) > MOST_CLAUSES:
            raise DoesNotFit(f"{len(self.tape)} clauses are too many: the most is {MOST_CLAUSES}")
        settings = {name: float.fromhex(value) for name, value in exact}
        edge = min(domain, float(np.finfo(dtype).max))
        box = Inputs.box((-edge, edge), (-edge, edge), dtype)
        program = compile(self.tape, question, evaluator(meaning, dtype), box, settings)
        return Plan(program, domain)
