"""Runs the tasks of a pass, whose arrays stay where they are until the kernel has returned."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.passes import Pass
from intervalvm.jit import native
from intervalvm.jit.thread_pool import PATIENCE
from intervalvm.memory import address_of

LONG = 1 << 17
"""The rows of arrays from which a pass may take a twentieth of a second."""


class Prepared:
    """A pass of float64 with its arrays, which may run several times.

    ``arrays`` are those that it uses, but its ``sizes``, of which there are ``count``. From
    ``long`` rows on it runs on a thread of its own, which takes a third of a millisecond.
    """

    def __init__(
        self, of: Pass, arrays: Mapping[str, NDArray[Any]], count: int, long: int = LONG
    ) -> None:
        self._sizes, self._status = np.zeros(count, np.int64), np.zeros(1, np.int64)
        self._given = {"sizes": self._sizes, **arrays}
        for name, array in self._given.items():
            assert array.dtype == of.fields[name], name
            assert array.flags.c_contiguous, name
        self._addresses = np.array(
            [address_of(self._given[name]) if name in self._given else 0 for name in of.fields],
            np.int64,
        )
        self._kernel = native.kernel(of.name, "float64")
        self._is_long = max(map(len, self._given.values())) > long

    def run(self, sizes: Mapping[int, int]) -> tuple[NDArray[np.int64], int]:
        """Run it with these sizes, and others 0; returns its sizes, and its status."""
        self._sizes[:] = 0
        for field, size in sizes.items():
            self._sizes[field] = size
        if self._is_long and threading.current_thread() is threading.main_thread():
            run_apart(self._work)
        else:
            self._work()
        return self._sizes, int(self._status[0])

    def _work(self) -> None:  # the kernel reads the arrays as it runs: this holds them
        self._status[0] = self._kernel(address_of(self._addresses))


def run(
    of: Pass,
    sizes: Mapping[int, int],
    arrays: Mapping[str, NDArray[Any]],
    count: int,
    long: int = LONG,
) -> tuple[NDArray[np.int64], int]:
    """Run a pass once: see ``Prepared``."""
    return Prepared(of, arrays, count, long).run(sizes)


def run_apart(work: Callable[[], None]) -> None:
    """Do work that does not raise on a thread of its own.

    So the main thread can be interrupted as it waits; then the work ends on its own.
    """
    done: SimpleQueue[None] = SimpleQueue()

    def run() -> None:
        work()
        done.put(None)

    thread = threading.Thread(target=run, name="intervalvm pass", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # no more threads
        work()
        return None
    while True:
        with suppress(Empty):
            return done.get(timeout=PATIENCE)
