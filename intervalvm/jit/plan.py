"""``Plan``: what depends on a tape only, its program and workspaces."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.passes import Scratch
from intervalvm.compiler.pipeline import compile
from intervalvm.compiler.program import INPUTS, RECORD_BYTES, Program
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.arithmetic import Inputs
from intervalvm.jit import layout as c
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.jit.layout import slots_of
from intervalvm.jit.runner import COMPILED
from intervalvm.memory import address_of, aligned, no_search_for_cycles, require
from intervalvm.tape import Tape
from intervalvm.words import Meaning, Question

MOST_PLANS = 8
"""Plans cached with a tape: for dtype, mode, domain, and values of z and variables."""
MOST_CLAUSES = 1 << 28
PLANNING_BYTES = 1200
"""Peak bytes a clause of planning, as allocated, and a quarter more: 440 to 970 for 300,000 clauses
of circles, 300 to 610 for as many operations at random; the pages that were touched are a third."""
MOST_ARENA = 1 << 22
"""Records of the arena beyond the minimum: 64 MiB. Children that do not fit are deferred."""


def arena_records(length: int, steps: int) -> int:
    """Records that a thread's arena holds: at least one child's program a step."""
    return steps * (length + 1) + min(c.LANES * length, MOST_ARENA)


def _with_spare(count: int) -> int:
    """Room for as many and a few more: a tape's program for another z has about its length."""
    return count + count // 16 + 64


class Workspace:
    """A thread's workspace for a program, in a walk of ``steps`` splits; or for a shorter one."""

    def __init__(self, program: Program, steps: int) -> None:
        self.steps = steps
        self.records, self.constants = map(_with_spare, (len(program), len(program.constants)))
        slots = slots_of(program.constants.dtype, program.meaning)
        places = self.records + INPUTS
        self.arena = aligned(arena_records(self.records, steps) * RECORD_BYTES)
        self.full, self.axis, self.truth = (
            aligned(places * size) for size in (slots.full, slots.axis, slots.truth)
        )
        self.choices = np.zeros(2 * places, np.uint64)
        self.live = np.zeros(places + c.LANES, np.uint64)
        self.rows_live = np.zeros(places + c.LANES, np.uint64)
        # as long as the pool of constants too, so that what is no place may be looked up
        self.places = np.zeros(max(places, self.constants) + 1, np.int32)
        self.places[:INPUTS] = range(INPUTS)
        self.stack = np.zeros(c.MOST_STEPS * c.ROW, np.int64)
        self.context = context = np.zeros(c.FIELDS, np.int64)
        self.address = address_of(context)
        context[c.ARENA] = address_of(self.arena)
        context[c.ARENA_END] = context[c.ARENA] + len(self.arena)
        slots_by_kind = self.full, self.axis, self.truth
        context[[c.FULL, c.AXIS, c.TRUTH]] = list(map(address_of, slots_by_kind))
        masks = self.choices, self.live, self.rows_live
        context[[c.CHOICES, c.LIVE, c.ROWS_LIVE]] = list(map(address_of, masks))
        context[[c.PLACES, c.STACK]] = address_of(self.places), address_of(self.stack)

    @staticmethod
    def bytes_needed(program: Program, steps: int) -> int:
        slots = slots_of(program.constants.dtype, program.meaning)
        each = slots.full + slots.axis + slots.truth + c.CHOICE_BYTES + 8 + 8 + 4
        records, constants = map(_with_spare, (len(program), len(program.constants)))
        places = max(records + INPUTS, constants)
        return places * each + RECORD_BYTES * arena_records(records, steps)

    def fits(self, program: Program, steps: int) -> bool:
        """Whether there is room for a program of the same dtype and meaning."""
        has_room = len(program) <= self.records and len(program.constants) <= self.constants
        return has_room and steps <= self.steps

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
    """A tape prepared for a compiled walk, for coordinates up to ``domain`` in absolute value.

    ``frame`` is the part of the kernels' context that depends on the program only.
    """

    program: Program
    domain: float
    _idle: list[Workspace] = field(default_factory=list)
    """Shared by the plans of a tape for a dtype, a meaning, and the plane or a volume."""
    attachments: dict[Any, Any] = field(default_factory=dict, init=False)
    """What back ends keep with the program, opaque here."""
    shared_attachments: dict[Any, Any] = field(default_factory=dict)
    """The same, shared with plans of parts of the domain."""

    def __post_init__(self) -> None:
        program, self.frame = self.program, np.zeros(c.FRAME_FIELDS, np.int64)
        self.frame[[c.RECORDS, c.LENGTH]] = address_of(program.records), len(program)
        self.frame[[c.RESULT, c.CONSTANTS]] = program.result, address_of(program.constants)
        self.frame[[c.ITEMSIZE, c.TAME]] = self.dtype.itemsize, program.is_tame
        self.frame[c.IS_PROOF] = program.meaning is Meaning.REAL

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.program.constants.dtype

    @property
    def is_bitmap(self) -> bool:
        return self.program.question is Question.SIGN

    def workspace_bytes(self, steps: int) -> int:
        """The memory that each thread needs."""
        return Workspace.bytes_needed(self.program, steps)

    def take(self, count: int, steps: int) -> list[Workspace]:
        """Unused workspaces for ``count`` threads."""
        taken: list[Workspace] = []
        with suppress(IndexError):  # another thread may take the last one
            while len(taken) < count:
                found = self._idle.pop()
                if found.fits(self.program, steps):
                    taken.append(found)
        if missing := count - len(taken):
            require(
                missing * self.workspace_bytes(steps),
                f"a walk with {count} threads over {len(self.program)} clauses",
                "use fewer threads",
            )
            taken += [Workspace(self.program, steps) for _ in range(missing)]
        return taken

    def put_back(self, *workspaces: Workspace) -> None:
        """Return an unused workspace for the next frame. The last is the first of ``take``."""
        self._idle.extend(workspaces)

    def put_back_last(self, workspace: Workspace) -> None:
        """As ``put_back``, to be taken last: what a caller has used lies in its cache."""
        self._idle.insert(0, workspace)

    @contextmanager
    def workspaces(self, count: int, steps: int) -> Iterator[list[Workspace]]:
        """A workspace for the caller's thread; after an exception it is dropped."""
        taken = self.take(count, steps)
        yield taken
        self.put_back(*reversed(taken))


def domain_of(box: Sequence[float], dtype: np.dtype[Any]) -> float:
    """A finite bound on all coordinates of a box, rounded so that frames nearby share a plan.

    The box is x low, x high, y low, y high, and so on.
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
    *,
    volume: bool = False,
) -> Plan:
    """The plan of ``tape`` with its variables set, for coordinates up to ``domain``.

    In the plane z is set too; in a volume it is a coordinate, and the plan has the sign only. It is
    cached with the tape. For the real function it has the sign only.
    """
    plans = tape.derived("plans", lambda: lru_cache(MOST_PLANS)(_Planner(tape)))
    exact = tuple((name, float(value).hex()) for name, value in settings.items())
    made: Plan = plans(question, meaning, dtype, exact, domain, volume)
    return made


@dataclass(frozen=True)
class _Planner:
    """Makes plans of a tape, in memory that one hands on to the next."""

    tape: Tape
    scratch: list[Scratch] = field(default_factory=list)
    idle: dict[tuple[Meaning, str, bool], list[Workspace]] = field(default_factory=dict)

    @no_search_for_cycles()
    def __call__(
        self,
        question: Question,
        meaning: Meaning,
        dtype: np.dtype[Any],
        exact: tuple[Any, ...],
        domain: float,
        volume: bool,
    ) -> Plan:
        if len(self.tape) > MOST_CLAUSES:
            raise DoesNotFit(f"{len(self.tape)} clauses are too many: the most is {MOST_CLAUSES}")
        settings = {name: float.fromhex(value) for name, value in exact}
        edge = min(domain, float(np.finfo(dtype).max))
        box = Inputs.box([(-edge, edge)] * (3 if volume else 2), dtype)
        try:
            scratch = self.scratch.pop()
        except IndexError:  # another thread may have taken the last one
            scratch = Scratch()
        of = arithmetic(meaning, dtype)
        program = compile(self.tape, question, of, box, settings, runner=COMPILED, scratch=scratch)
        self.scratch.append(scratch)
        return Plan(program, domain, self.idle.setdefault((meaning, dtype.char, volume), []))
