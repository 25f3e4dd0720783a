"""Runs the tasks of a pass, whose arrays stay where they are until the kernel has returned."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.passes import Pass
from intervalvm.jit import native
from intervalvm.jit.thread_pool import PATIENCE
from intervalvm.memory import address_of

PLACES: dict[str, dict[str, int]] = {}
"""Of passes, by name, the places of their fields."""


class Given(NamedTuple):
    """Checked arrays of a pass by name, their addresses by field, and the most rows."""

    arrays: Mapping[str, NDArray[Any]]
    addresses: NDArray[np.int64]
    longest: int


def given(of: Pass, arrays: Mapping[str, NDArray[Any]], before: Given | None = None) -> Given:
    """Arrays for a pass of float64, besides those that were given ``before``."""
    before = before or Given({}, np.zeros(len(of.fields), np.int64), 0)
    addresses, longest = before.addresses.copy(), before.longest
    places = PLACES.get(of.name)
    if places is None:
        places = PLACES[of.name] = {name: place for place, name in enumerate(of.fields)}
    for name, array in arrays.items():
        assert array.dtype == of.fields[name], name
        assert array.flags.c_contiguous, name
        addresses[places[name]], longest = address_of(array), max(longest, len(array))
    return Given({**before.arrays, **arrays}, addresses, longest)


def run(
    of: Pass,
    sizes: Mapping[int, int],
    arrays: Mapping[str, NDArray[Any]],
    count: int,
    long: int,
    before: Given | None = None,
) -> Any:
    """Run a pass of float64; returns its ``sizes``, int64[count], and its status.

    ``sizes`` are those that are not 0, ``arrays`` the others that the task uses, besides those that
    were given ``before``. From ``long`` rows on it runs on a thread of its own, which takes a third
    of a millisecond.
    """
    found = np.zeros(count, np.int64)
    for field, size in sizes.items():
        found[field] = size
    every = given(of, {"sizes": found, **arrays}, before)
    kernel, status = native.kernel(of.name, "float64"), np.zeros(1, np.int64)

    def work(held: Given = every) -> None:  # the kernel reads them as it runs
        status[0] = kernel(address_of(held.addresses))

    if every.longest > long and threading.current_thread() is threading.main_thread():
        run_apart(work)
    else:
        work()
    return found, int(status[0])


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
