"""Work beside the calling thread, so that an interrupt need not wait for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from intervalvm.environment import in_default_environment

T = TypeVar("T")
PATIENCE = 0.1
"""Seconds between looks at the work."""


def aside(work: Callable[[], T], look: Callable[[], object] = lambda: None) -> T:
    """The result of ``work()``, which runs in another thread: one long call of a library, say.

    ``look()`` is called by the caller's thread every ``PATIENCE`` seconds, and may raise. After an
    exception of its own, such as an interrupt, the caller goes on at once: the work is left to
    itself.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((in_default_environment(work)(), None))
        except BaseException as error:
            done.put((None, error))

    try:
        Thread(target=run, name="intervalvm aside", daemon=True).start()
    except RuntimeError:  # no more threads
        return work()
    while True:
        with suppress(Empty):  # without a timeout Windows would wait through an interrupt
            found, error = done.get(timeout=PATIENCE)
            break
        look()
    if error is not None:
        raise error
    return found  # type: ignore[return-value]  # which is None only if T is
