"""What is told while kernels are compiled: a line in the log, and reports for who watches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import accumulate

log = logging.getLogger("intervalvm")
Watch = Callable[[int, int, float], None]
"""Called with the number of kernels that are finished, that of all, and the share of the work."""
Reach = Callable[[int], None]
"""Called often, with the number of kernels that are finished."""
START = 1.0
"""Seconds until a process has begun to compile."""
UNFINISHED = 0.9
"""The most that a kernel counts, as a share of its estimate, before it is finished."""
_watch: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Watch) -> Iterator[None]:
    """Have ``watch`` called, in this context, while kernels are compiled."""
    token = _watch.set(watch)
    try:
        yield
    finally:
        _watch.reset(token)


@contextmanager
def told(costs: list[float], processes: int) -> Iterator[Reach]:
    """Tell that kernels are compiled, which take ``costs``, in seconds and in order; and the end.

    Whoever compiles them calls what this gives. It raises what ``watch`` raises.
    """
    # a program that has set up no logging shows warnings alone, and would seem to hang
    level = logging.INFO if log.hasHandlers() else logging.WARNING
    whole = START + max(*costs, sum(costs) / processes)
    log.log(level, "compiling %s for this processor, once: about %.0f s", _kernels(costs), whole)
    start, watch = time.perf_counter(), _watch.get()
    ends = [0.0, *accumulate(costs)]
    done, shown = 0, 0.0

    def reach(finished: int) -> None:
        """Between two kernels time goes on: reports are even."""
        nonlocal done, shown
        done = finished
        if watch is None:
            return
        spent = (time.perf_counter() - start - START) * processes
        ahead = min(finished + processes, len(costs))
        most = ends[finished] + UNFINISHED * (ends[ahead] - ends[finished])
        shown = max(shown, ends[finished], min(spent, most))
        watch(finished, len(costs), shown / ends[-1])

    reach(0)
    yield reach
    if watch is not None:
        watch(len(costs), len(costs), 1.0)
    spent = time.perf_counter() - start
    log.log(level, "compiled %s in %.1f s", _kernels(costs[:done]), spent)


def _kernels(some: list[float]) -> str:
    return f"{len(some)} kernel{'' if len(some) == 1 else 's'}"
