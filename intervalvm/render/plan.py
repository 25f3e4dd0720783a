"""What depends on a tape alone, computed once: folded, packed, with workspaces for its length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from intervalvm.compiler.fold import fold
from intervalvm.compiler.pack import Packed, pack
from intervalvm.evaluate.arrays import Arrays
from intervalvm.memory import require
from intervalvm.render.context import BLOCK_PX, LANES, Workspace
from intervalvm.tape import Tape

MOST_PLANS = 8
"""Plans kept with a tape: one for each dtype, mode and setting of z and the variables."""


@dataclass
class Plan:
    """A tape made ready for the compiled walk in one dtype."""

    tape: Tape
    packed: Packed
    dtype: np.dtype[Any]
    _idle: list[Workspace] = field(default_factory=list)

    def workspace_bytes(self, steps: int) -> int:
        """The memory that each thread needs."""
        return Workspace.bytes_needed(len(self.packed.records), steps, *self._slot_bytes)

    @property
    def _slot_bytes(self) -> tuple[int, int]:
        itemsize = self.dtype.itemsize
        return 2 * LANES * itemsize + 64, BLOCK_PX * BLOCK_PX * itemsize

    @contextmanager
    def workspaces(self, count: int, steps: int) -> Iterator[list[Workspace]]:
        """Scratch memory for ``count`` threads, kept for the next frame."""
        taken: list[Workspace] = []
        while len(taken) < count and self._idle:
            try:
                found = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if found.steps >= steps:
                taken.append(found)
        missing = count - len(taken)
        require(
            missing * self.workspace_bytes(steps),
            f"a walk with {count} threads over {len(self.packed.records)} clauses",
            "use fewer threads",
        )
        for _ in range(missing):
            taken.append(Workspace(len(self.packed.records), steps, *self._slot_bytes))
        try:
            yield taken
        finally:
            self._idle.extend(taken)


def plan_of(tape: Tape, dtype: np.dtype[Any], settings: dict[str, Any], *, sign_only: bool) -> Plan:
    """The plan of ``tape`` with its z and variables set; kept with the tape."""
    plans = tape.derived("plans", lambda: lru_cache(MOST_PLANS)(_Planner(tape)))
    exact = tuple((name, float(value).hex()) for name, value in settings.items())
    made: Plan = plans(dtype, exact, sign_only)
    return made


@dataclass(frozen=True)
class _Planner:
    tape: Tape

    def __call__(self, dtype: np.dtype[Any], exact: tuple[Any, ...], sign_only: bool) -> Plan:
        settings = {name: float.fromhex(value) for name, value in exact}
        folded = fold(self.tape, Arrays(np, dtype), settings)
        return Plan(folded, pack(folded, dtype, sign_only=sign_only), dtype)
