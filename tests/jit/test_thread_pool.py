"""Threads that share work: what they use outlives them, and nobody waits in vain."""

from __future__ import annotations

import ctypes
import gc
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from queue import SimpleQueue

import pytest

from intervalvm import IntervalvmError
from intervalvm.jit import thread_pool
from intervalvm.jit.thread_pool import ThreadPool, Work

LONG = 60.0
"""Seconds that a test waits for what comes at once, before it fails."""


class Place:
    """Where a thread works; it can be waited for there, and let go on."""

    def __init__(self) -> None:
        self.entered, self.go_on = threading.Event(), threading.Event()

    def stay(self) -> bool:
        self.entered.set()
        assert self.go_on.wait(LONG)
        return False


@pytest.fixture
def threads() -> ThreadPool:
    return ThreadPool()


@pytest.fixture
def left() -> Iterator[SimpleQueue[Place]]:
    queue: SimpleQueue[Place] = SimpleQueue()
    yield queue
    assert queue.empty()


def test_each_place_has_one_thread_or_none(threads: ThreadPool, left: SimpleQueue[Place]) -> None:
    places = [Place() for _ in range(5)]
    work = Work(Place.stay, places, left.put)
    with work.under_way:
        called = threads.call(work, 2)
        for place in places[:2:-1]:
            assert place.entered.wait(LONG)
        assert work.close() == 2
        assert {left.get(timeout=LONG) for _ in range(3)} == set(places[:3])
        for place in places:
            place.go_on.set()
        work.wait(2, called)
        assert {left.get(timeout=LONG) for _ in range(2)} == set(places[3:])
    assert not any(place.entered.is_set() for place in places[:3])


def test_threads_are_kept(threads: ThreadPool, left: SimpleQueue[Place]) -> None:
    found = []
    for count in (1, 3, 2):
        work = Work(lambda _: False, [Place()], left.put)
        with work.under_way:
            found.append(threads.call(work, count))
            if work.close():
                work.wait(1, found[-1])
        left.get(timeout=LONG)
    assert found[1][:1] == found[0]
    assert found[1][:2] == found[2]


def test_threads_leave_when_their_caller_does(
    threads: ThreadPool, left: SimpleQueue[Place]
) -> None:
    """Without a word of its: an exception may come where it would have said one."""
    entered, place = threading.Event(), Place()
    work = Work(lambda _: entered.set() or True, [place], left.put)
    with suppress(KeyboardInterrupt), work.under_way:
        threads.call(work, 1)
        assert entered.wait(LONG)
        raise KeyboardInterrupt
    assert left.get(timeout=LONG) is place


def test_none_begins_when_the_caller_has_left(
    threads: ThreadPool, left: SimpleQueue[Place]
) -> None:
    place = Place()
    work = Work(Place.stay, [place], left.put)
    with work.under_way:
        pass
    threads.call(work, 1)
    assert left.get(timeout=LONG) is place
    assert not place.entered.is_set()


def test_what_a_thread_uses_lives_until_it_has_left(threads: ThreadPool) -> None:
    place, left = Place(), threading.Event()
    entered, go_on, alive = place.entered, place.go_on, weakref.ref(place)
    work = Work(Place.stay, [place], lambda _: left.set())
    with work.under_way:
        threads.call(work, 1)
        assert entered.wait(LONG)
    del work, place
    gc.collect()
    assert alive() is not None
    go_on.set()
    assert left.wait(LONG)
    next_one = Place()
    next_one.go_on.set()
    with (work := Work(Place.stay, [next_one], lambda _: None)).under_way:
        threads.call(work, 1)
        assert next_one.entered.wait(LONG), "the thread has dropped the work before"
    assert alive() is None


def test_a_closed_work_that_nobody_began_holds_nothing() -> None:
    """It is queued until a thread gets to it: a frame's image must not wait for that."""
    place, used = Place(), Place()
    alive = [weakref.ref(place), weakref.ref(used)]
    work = Work(lambda _, used=used: used.stay(), [place], lambda _: None)
    with work.under_way:
        assert work.close() == 0
    del place, used
    assert [found() for found in alive] == [None, None]


def test_an_error_of_a_thread_is_raised_where_it_is_waited_for(
    threads: ThreadPool, left: SimpleQueue[Place]
) -> None:
    def fail(place: Place) -> bool:
        place.entered.set()
        raise ValueError("here")

    place = Place()
    work = Work(fail, [place], left.put)
    with work.under_way:
        called = threads.call(work, 1)
        assert place.entered.wait(LONG)
        with pytest.raises(ValueError, match="here"):
            work.wait(work.close(), called)
    assert left.empty(), "nobody knows in what state it is"


def test_an_exception_raised_in_a_thread_from_outside(
    threads: ThreadPool, left: SimpleQueue[Place]
) -> None:
    place = Place()
    work = Work(lambda p: p.entered.set() or True, [place], left.put)
    with work.under_way:
        (thread,) = threads.call(work, 1)
        assert place.entered.wait(LONG)
        number = ctypes.c_ulong(thread.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, ctypes.py_object(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            work.wait(1, [thread])


def test_nobody_waits_for_a_thread_that_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread_pool, "PATIENCE", 0.01)
    dead = threading.Thread(target=int)
    dead.start()
    dead.join()
    work = Work(Place.stay, [Place()], lambda _: None)
    with pytest.raises(IntervalvmError, match="ended from outside: draw again"):
        work.wait(1, [dead])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_replaced(threads: ThreadPool, left: SimpleQueue[Place]) -> None:
    def die() -> None:
        raise SystemExit

    (dead,) = threads.call(die, 1)
    dead.join(LONG)
    place = Place()
    place.go_on.set()
    work = Work(Place.stay, [place], left.put)
    with work.under_way:
        (thread,) = threads.call(work, 1)
        assert left.get(timeout=LONG) is place
    assert thread is not dead


def test_fewer_threads_than_asked_for(threads: ThreadPool, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    assert len(threads.call(int, 2)) == 2
    monkeypatch.setattr(threading.Thread, "start", start)
    assert len(threads.call(int, 4)) == 2
    assert ThreadPool().call(int, 4) == []
