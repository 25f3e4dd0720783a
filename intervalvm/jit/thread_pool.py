"""The thread pool: threads that help to draw, kept for the next frame.

A signal handler may raise at any bytecode of the main thread, and again in any ``finally``. So
nothing here depends on a clean-up that Python code must reach: what threads work on is owned by the
threads themselves (see ``Work``), and what tells them to stop is a lock that a ``with`` statement
releases without running Python code. Queues and locks are those of the interpreter, which an
exception cannot leave half done.
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
"""Seconds after which a frame that waits for a thread looks whether it is still alive."""


class Work(Generic[Place]):
    """Work that threads share: each takes a place and repeats ``turn(place)`` until that is false.

    It is under way while its caller holds ``under_way``; left for any reason, threads stop after
    the turn that they are in, and none begins. Whoever takes part holds ``turn`` and its place: the
    memory that they refer to is freed when the last has left. A closed work holds neither, so those
    who come late to it keep nothing alive. ``leave(place)`` is told of each place that no thread is
    at any more, unless by an exception.
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
        """Take part, if there is still a place."""
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
        """Have no more threads begin; returns how many have."""
        begun = self._count
        with suppress(IndexError):
            while True:
                _, place = self._parts.pop()
                self._leave(place)
                begun -= 1
        return begun

    def wait(self, begun: int, threads: Sequence[threading.Thread]) -> None:
        """Until so many of ``threads`` have left the work; raises what one of them has raised."""
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
        """Have up to ``count`` threads call ``work()`` as soon as they can; returns them.

        They are fewer where the system has no more: whoever shares work can do all of it.
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


def _begin_anew() -> None:
    """In a process that was forked: a fork takes no thread along but its own."""
    global _pool
    _pool = ThreadPool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
