"""The thread pool, reused by the next frame.

A signal handler may raise at any bytecode of the main thread, and again in any ``finally``. So
nothing here depends on cleanup in Python code: threads own what they work on (see ``Work``), and
the signal to stop is a lock that a ``with`` statement releases without running Python code. Queues
and locks are the interpreter's, which an exception cannot leave in a partial state.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from intervalvm.errors import IntervalvmError

Place = TypeVar("Place")
PATIENCE = 1.0
"""Seconds between checks that a thread is alive while a frame waits for it."""


class Work(Generic[Place]):
    """Work that threads share: each takes a place and repeats ``turn(place)`` until that is false.

    It runs while its caller holds ``under_way``; then threads stop after the current turn, and none
    begins. A participant refers to ``turn`` and its place, whose memory is freed when the last has
    left. A closed work refers to neither, so late threads keep nothing alive. ``leave(place)``
    is called when a thread has left a place, except by an exception.
    """

    def __init__(
        self,
        turn: Callable[[Place], object],
        places: Sequence[Place],
        leave: Callable[[Place], object],
    ) -> None:
        self.under_way = threading.Lock()
        self._leave = leave
        self._parts, self._count = [(turn, place) for place in places], len(places)
        self._home: SimpleQueue[BaseException | None] = SimpleQueue()

    def __call__(self) -> None:
        """Take part if there is a free place."""
        try:
            turn, place = self._parts.pop()
        except IndexError:
            return
        error = None
        try:
            while self.under_way.locked() and turn(place):
                pass
            self._leave(place)
        except BaseException as raised:
            error = raised
        self._home.put(error)

    def close(self) -> int:
        """Let no more threads begin; returns how many have begun."""
        begun = self._count
        with suppress(IndexError):
            while True:
                _, place = self._parts.pop()
                self._leave(place)
                begun -= 1
        return begun

    def wait(self, begun: int, threads: Sequence[threading.Thread]) -> None:
        """Wait until a number of ``threads`` have left; raises an exception of one of them."""
        while begun:
            try:
                error = self._home.get(timeout=PATIENCE)
            except Empty:
                if not all(thread.is_alive() for thread in threads):
                    raise IntervalvmError(
                        "a thread that was drawing has been ended from outside: draw again"
                    ) from None
                continue
            if error is not None:
                raise error
            begun -= 1


class ThreadPool:
    """Threads that wait for work. They are daemons: none keeps a process from ending."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def call(self, work: Callable[[], None], count: int) -> list[threading.Thread]:
        """Let up to ``count`` threads call ``work()``; returns them.

        There may be fewer, down to none: the caller can do all of the work.
        """
        threads = self._threads
        if not all(thread.is_alive() for thread in threads):
            threads[:] = [thread for thread in threads if thread.is_alive()]
        with suppress(RuntimeError):  # no more threads, or the interpreter is ending
            while len(threads) < count:
                thread = threading.Thread(
                    target=_serve, args=(self._calls,), name="intervalvm", daemon=True
                )
                thread.start()
                threads.append(thread)
        called = threads[:count]
        for _ in called:
            self._calls.put(work)
        return called


def _serve(calls: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        calls.get()()


_pool = ThreadPool()


def current() -> ThreadPool:
    """The threads of this process."""
    return _pool


def share(
    turn: Callable[[Place], object],
    places: Sequence[Place],
    report: Callable[[], object] = lambda: None,
) -> None:
    """Repeat ``turn(place)`` until it is false, on a thread for each place, the caller's the first.

    ``report`` is called after each turn of the caller's. Raises an exception of one of them.
    """
    caller, *others = places
    work = Work(turn, others, lambda _: None)
    with work.under_way:
        threads = current().call(work, len(others)) if others else []
        while turn(caller):
            report()
        work.wait(work.close(), threads)


def _begin_anew() -> None:
    """Reset the pool in a forked process, which has only the forking thread."""
    global _pool
    _pool = ThreadPool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
