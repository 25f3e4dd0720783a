"""One page's talk with a scene, whatever carries its messages: a websocket, a notebook.

Requests come in as text, see ``request``. Answers go out as (header, payload): a dict for JSON, and
bytes. Each kind of work, pictures, questions and files, has a thread that does the newest of what
was asked. So a page that asks for more than can be drawn gets the newest, and older ones no answer.

    hello     first, and after each change: the facts of the shape, see ``Scene.facts``
    broken    the file has an error now; the last good shape stays
    frame     a picture, of the newest view alone; ``final`` if it is as large as asked and exact
    why, file, progress, error
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from intervalvm.errors import IntervalvmError
from intervalvm.viewer.request import Save, Stop, View, Why, id_of, parse
from intervalvm.viewer.scene import Size
from intervalvm.viewer.source import Source

log = logging.getLogger("intervalvm")
T = TypeVar("T")
Send = Callable[[dict[str, Any], bytes], None]
MOVING_SECONDS = 0.03
"""That a picture may take while the page moves: it is made smaller for that."""
LATE_SECONDS = 0.1
"""After which a picture of a page that moves is given up for a newer one."""
PROGRESS_SECONDS = 0.1
"""Between messages that tell how far a file is."""
BOUNDS_SECONDS = 0.1
"""That the first message waits for the bounds of the shape."""
LEAST_SHARE = 1 / 8
"""Of the sides of a picture that the page asks for."""


class Gone(Exception):
    """The page is no longer there."""


class Stale(Exception):
    """The work is no longer wanted."""


class Lane(Generic[T]):
    """A thread that does the newest of what it was given; it starts with the first."""

    def __init__(self, work: Callable[[T], None]) -> None:
        self._work = work
        self._news = threading.Condition()
        self._next: list[T] = []  # at most one
        self._is_dropped = False
        self._thread: threading.Thread | None = None
        self.ended = False

    def give(self, what: T) -> None:
        """Do this after the current work, in place of what waits."""
        with self._news:
            self._next = [what]
            self._news.notify()
            if self._thread is None and not self.ended:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def drop(self) -> None:
        """Give up the current work and what waits."""
        with self._news:
            self._next.clear()
            self._is_dropped = True

    def end(self) -> None:
        """Give up all work, and begin none."""
        with self._news:
            self.ended = True
            self._news.notify()

    def check(self) -> None:
        """Raise Gone or Stale if the current work is no longer wanted."""
        if self.ended:
            raise Gone
        if self._is_dropped or self._next:
            raise Stale

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self.ended or self._next)
                if self.ended:
                    return
                what, self._is_dropped = self._next.pop(), False
            try:
                self._work(what)
            except Gone:
                self.end()
            except Stale:
                continue


class Pace:
    """How long pixels take, by kind of picture, to choose sizes that take a given time."""

    def __init__(self) -> None:
        self._per_pixel: dict[Any, float] = {}

    def size(self, kind: Any, size: Size, seconds: float) -> Size:
        """A size of about the same shape, at most as large, and ``LEAST_SHARE`` of it at least.

        A picture takes some time however small it is, so the time of one tells too little of a
        larger one; from picture to picture the size still goes to where the time is the given one.
        """
        width, height = size
        expected = self._per_pixel.get(kind, 0.0) * width * height
        share = 1.0 if expected <= seconds else max(LEAST_SHARE, math.sqrt(seconds / expected))
        return max(1, round(width * share)), max(1, round(height * share))

    def took(self, kind: Any, size: Size, seconds: float, *, moving: bool) -> None:
        """Note the time of a picture; one at rest counts until there is one that moved."""
        now = seconds / (size[0] * size[1])
        if moving:
            self._per_pixel[kind] = (self._per_pixel.get(kind, now) + now) / 2
        else:
            self._per_pixel.setdefault(kind, now)


class Session:
    """One page. ``send`` may wait for a page that is slow, and raises ``Gone`` without one."""

    def __init__(self, source: Source, send: Send) -> None:
        self._source, self._send = source, send
        self._pace = Pace()
        self._told: tuple[Any, ...] = ()
        self._newest: list[View] = []  # at most one
        self._pictures: Lane[None] = Lane(self._talk)
        self._errors: Lane[tuple[int | None, str]] = Lane(lambda error: self._refuse(*error))
        self._questions: Lane[Why] = Lane(self._explain)
        self._files: Lane[Save] = Lane(self._make)
        self._stop_listening = source.listen(lambda: self._pictures.give(None))
        self._pictures.give(None)

    def receive(self, text: str) -> None:
        """Take a message, and return at once. An answer tells what is wrong with it."""
        try:
            request = parse(text)
        except IntervalvmError as error:
            self._errors.give((id_of(text), str(error)))
            return
        match request:
            case View():
                self._newest = [request]
                self._pictures.give(None)
            case Why():
                self._questions.give(request)
            case Save():
                self._files.give(request)
            case Stop():
                self._files.drop()

    def close(self) -> None:
        """End all work for the page, without waiting for it."""
        self._stop_listening()
        for lane in (self._pictures, self._questions, self._files, self._errors):
            lane.end()

    def _talk(self, _: None) -> None:
        """Tell what is new, and draw the newest view."""
        self._tell_news()
        try:
            view = self._newest.pop()
        except IndexError:
            return
        with self._told_of_errors(view.id):
            self._draw(view)

    def _tell_news(self) -> None:
        source = self._source
        scene, problem, revision = source.scene, source.problem, source.revision
        scene.bounds_known.wait(BOUNDS_SECONDS)
        news = scene, problem, scene.bounds
        if news == self._told:
            return
        if not self._told or (scene, scene.bounds) != (self._told[0], self._told[2]):
            self._send({"type": "hello", **scene.facts(), "revision": revision}, b"")
        if self._told and scene is not self._told[0]:
            self._pace = Pace()
        if problem is not None:
            broken = {"message": problem.message, "line": problem.line}
            self._send({"type": "broken", **broken, "revision": revision}, b"")
        self._told = news

    def _draw(self, view: View) -> None:
        scene, start = self._source.scene, time.perf_counter()
        kind = type(view.what), view.show, view.with_tiles
        size = self._pace.size(kind, view.size, MOVING_SECONDS) if view.moving else view.size

        def check(done: int, total: int) -> None:
            if self._pictures.ended:
                raise Gone
            passed = time.perf_counter() - start
            if self._newest and (passed > LATE_SECONDS or not view.moving):
                if done:
                    self._pace.took(kind, size, passed * total / done, moving=view.moving)
                raise Stale

        drawn = scene.draw(view, size, check)
        self._pace.took(kind, size, time.perf_counter() - start, moving=view.moving)
        is_final = size == view.size and drawn.facts["format"] != "jpeg"
        self._send(
            {"type": "frame", "id": view.id, **drawn.facts, "final": is_final}, drawn.payload
        )

    def _explain(self, asked: Why) -> None:
        with self._told_of_errors(asked.id):
            found = self._source.scene.explain(asked)
            self._send({"type": "why", "id": asked.id, **found}, b"")

    def _make(self, asked: Save) -> None:
        """Make a file, and tell how far it is."""
        from intervalvm.viewer.making import make  # imports what traces and meshes

        told = time.perf_counter()

        def tell(done: int, total: int) -> None:
            nonlocal told
            self._files.check()
            if time.perf_counter() - told > PROGRESS_SECONDS:
                told = time.perf_counter()
                progress = {"type": "progress", "id": asked.id, "done": done, "total": total}
                self._send(progress, b"")

        with self._told_of_errors(asked.id):
            made = make(self._source.scene, asked, tell)
            header = {"type": "file", "id": asked.id, "name": made.name, "mime": made.mime}
            self._send(header, made.content)

    @contextmanager
    def _told_of_errors(self, id: int | None) -> Iterator[None]:
        """A block whose errors are answers."""
        try:
            yield
        except (Gone, Stale):
            raise
        except IntervalvmError as error:
            message = str(error)
        except MemoryError:
            message = "out of memory: make the window smaller"
        except Exception:
            log.exception("a window asked for what failed")
            message = "this failed, by a mistake of intervalvm's: its log says where"
        else:
            return
        self._refuse(id, message)

    def _refuse(self, id: int | None, message: str) -> None:
        self._send({"type": "error", "id": id, "message": message}, b"")
