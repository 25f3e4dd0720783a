"""What depends on a tape alone, computed once: its program, with workspaces for its length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from intervalvm.compiler.pipeline import compile
from intervalvm.compiler.program import Program, Question
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.evaluators import Inputs, Meaning
from intervalvm.jit import context as c
from intervalvm.jit.evaluator import evaluator
from intervalvm.jit.layout import Slots, slots_of
from intervalvm.memory import no_search_for_cycles, require
from intervalvm.tape import Tape

MOST_PLANS = 8
"""Plans kept with a tape: one for each dtype, mode, domain and setting of z and the variables."""
MOST_CLAUSES = 1 << 28
PLANNING_BYTES = 1280
"""The most that a clause takes while a plan is made, as measured: 360 to 1,030."""


@dataclass
class Plan:
    """A tape made ready for the compiled walk, for coordinates up to ``domain`` in size.

    ``frame`` is the kernels' context as far as it depends on the program alone.
    """

    program: Program
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

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.program.constants.dtype

    @property
    def is_bitmap(self) -> bool:
        return self.program.question == "sign"

    def workspace_bytes(self, steps: int) -> int:
        """The memory that each thread needs."""
        return c.Workspace.bytes_needed(*self._sizes(steps))

    def _sizes(self, steps: int) -> tuple[int, int, int, Slots]:
        return (
            len(self.program),
            len(self.program.constants),
            steps,
            slots_of(self.dtype, self.program.meaning),
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
    question: Question,
    meaning: Meaning,
    dtype: np.dtype[Any],
    settings: dict[str, Any],
    domain: float,
) -> Plan:
    """The plan of ``tape`` with its z and variables set, for coordinates up to ``domain``.

    It is kept with the tape. Of the real function only the sign can be asked.
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
