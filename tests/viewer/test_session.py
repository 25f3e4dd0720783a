"""A page's talk: what it hears first, the newest view, reloads, files, errors, the end."""

from __future__ import annotations

import io
import json
import threading
import time
from typing import Any

import numpy as np
import PIL.Image
import pytest
from support.windows import SOLID, Talk, a_view, bits_of

import intervalvm as ivm
from intervalvm.shapes import circle, rectangle, sphere
from intervalvm.viewer import making
from intervalvm.viewer import session as sessions
from intervalvm.viewer.request import View
from intervalvm.viewer.scene import Drawn, Scene
from intervalvm.viewer.session import Gone, Lane, Pace, Session, Stale
from intervalvm.viewer.source import Problem, Source

pytestmark = pytest.mark.usefixtures("kernels")
DISC = circle(0.5)
SIDE_CM = 4


class Edited(Source):
    """A source that a test changes."""

    def become(self, shape: Any, problem: Problem | None = None) -> None:
        self.scene = Scene(shape, "new.py") if shape is not None else self.scene
        self.problem, self.revision = problem, self.revision + 1
        self._tell()


class Slow(Scene):
    """A scene whose pictures take until a test lets them go on."""

    def __init__(self) -> None:
        super().__init__(DISC, "slow.py")
        self.begun: list[int] = []
        self.goes_on = threading.Event()
        self.has_begun = threading.Event()

    def draw(self, view: View, size: Any, progress: Any) -> Drawn:
        self.begun.append(view.id)
        self.has_begun.set()
        while not self.goes_on.wait(0.001):
            progress(1, 2)
        return super().draw(view, size, progress)


def talk(shape: Any = DISC) -> Talk:
    source = Source(Scene(shape, "shape.py"))
    source.start()
    return Talk(source)


def test_hello_comes_first_then_a_frame() -> None:
    page = talk()
    page.ask(a_view(5))
    header, payload = page.answers.get(timeout=60)
    assert header["type"] == "hello"
    assert (header["name"], header["kind"], header["revision"]) == ("shape.py", "plane", 0)
    assert payload == b""
    header, payload = page.next("frame")
    assert (header["id"], header["final"], header["size"]) == (5, True, [64, 48])
    expected = ivm.render(DISC, size=(64, 48), grid="center").pixels == 255
    np.testing.assert_array_equal(bits_of(header, payload), [expected])


def test_bounds_are_told_when_they_are_known() -> None:
    page = talk()
    while (hello := page.next("hello")[0])["bounds"] is None:
        pass
    assert hello["bounds"] == [tuple(side) for side in DISC.bounds()]


def test_the_newest_view_wins() -> None:
    scene = Slow()
    page = Talk(Source(scene))
    for id in range(1, 50):
        page.ask(a_view(id))
        if id == 1:
            assert scene.has_begun.wait(60)
    while scene.begun[-1] != 49:
        time.sleep(0.001)
    scene.goes_on.set()
    assert page.next("frame")[0]["id"] == 49
    assert page.answers.empty()


def test_a_moving_view_is_finished_unless_it_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "LATE_SECONDS", 1e9)
    scene = Slow()
    page = Talk(Source(scene))
    page.ask(a_view(1, moving=True))
    assert scene.has_begun.wait(60)
    page.ask(a_view(2, moving=True))
    time.sleep(0.05)  # in which the first would have been given up
    scene.goes_on.set()
    assert [page.next("frame")[0]["id"] for _ in range(2)] == [1, 2]

    monkeypatch.setattr(sessions, "LATE_SECONDS", 0.0)
    scene = Slow()
    page = Talk(Source(scene))
    page.ask(a_view(1, moving=True))
    assert scene.has_begun.wait(60)
    page.ask(a_view(2, moving=True))
    while scene.begun[-1] != 2:
        time.sleep(0.001)
    scene.goes_on.set()
    assert page.next("frame")[0]["id"] == 2


def test_solids_are_smaller_while_they_move_and_whole_at_rest() -> None:
    page = talk(sphere(0.8))
    pace = page.session._pace
    pace.size = lambda kind, size, seconds: (size[0] // 4, size[1] // 4)  # type: ignore[method-assign]
    page.ask(a_view(1, solid=SOLID, moving=True))
    header, payload = page.next("frame")
    assert (header["size"], header["format"], header["final"]) == ([16, 12], "jpeg", False)
    assert PIL.Image.open(io.BytesIO(payload)).size == (16, 12)
    page.ask(a_view(2, solid=SOLID))
    header, payload = page.next("frame")
    assert (header["size"], header["format"], header["final"]) == ([64, 48], "png", True)
    assert PIL.Image.open(io.BytesIO(payload)).size == (64, 48)


def test_a_pace_chooses_sizes_by_time() -> None:
    pace = Pace()
    assert pace.size("solid", (1000, 600), 0.03) == (1000, 600)  # nothing is known
    pace.took("solid", (1000, 600), 0.3, moving=False)
    width, height = pace.size("solid", (1000, 600), 0.03)
    assert width * height == pytest.approx(600_000 / 10, rel=0.01)
    assert width / height == pytest.approx(1000 / 600, rel=0.01)
    assert pace.size("plane", (1000, 600), 0.03) == (1000, 600)
    for _ in range(20):
        pace.took("solid", (100, 60), 0.0001, moving=True)
    assert pace.size("solid", (1000, 600), 0.03) == (1000, 600)
    pace.took("solid", (1000, 600), 9.0, moving=False)
    assert pace.size("solid", (1000, 600), 0.03) == (1000, 600)  # it knows better
    pace.took("solid", (1, 1), 1e9, moving=True)
    assert pace.size("solid", (1000, 600), 0.03) == (125, 75)
    assert min(pace.size("solid", (3, 2), 0.03)) >= 1


def test_a_pace_finds_the_size_that_takes_the_time() -> None:
    """Of pictures that take some time each, and some more for each pixel."""
    pace, size = Pace(), (1600, 1000)
    for _ in range(40):
        seconds = 0.02 + 1e-7 * size[0] * size[1]
        pace.took("solid", size, seconds, moving=True)
        size = pace.size("solid", (1600, 1000), 0.03)
    assert 1e-7 * size[0] * size[1] == pytest.approx(0.01, rel=0.05)


def test_a_change_is_told_and_shown() -> None:
    source = Edited(Scene(DISC, "old.py"))
    page = Talk(source)
    assert page.next("hello")[0]["name"] == "old.py"
    source.become(rectangle(1, 1))
    hello, _ = page.next("hello")
    assert (hello["name"], hello["revision"]) == ("new.py", 1)
    page.ask(a_view(1))
    header, payload = page.next("frame")
    expected = ivm.render(rectangle(1, 1), size=(64, 48), grid="center").pixels == 255
    np.testing.assert_array_equal(bits_of(header, payload), [expected])


def test_an_error_of_the_file_is_told_and_the_last_shape_stays() -> None:
    source = Edited(Scene(DISC, "old.py"))
    page = Talk(source)
    page.next("hello")
    source.become(None, Problem("old.py:3: no", 3))
    broken, _ = page.next("broken")
    assert (broken["message"], broken["line"], broken["revision"]) == ("old.py:3: no", 3, 1)
    page.ask(a_view(1))
    assert page.next("frame")[0]["inside"] > 0
    source.become(DISC)
    assert page.next("hello")[0]["revision"] == 2
    late = Talk(Edited(Scene(DISC, "")))
    assert late.next("hello")[0]["type"] == "hello"


def test_a_page_that_comes_to_a_broken_file_hears_both() -> None:
    source = Edited(Scene(DISC, "old.py"))
    source.become(None, Problem("no", None))
    page = Talk(source)
    assert [page.answers.get(timeout=60)[0]["type"] for _ in range(2)] == ["hello", "broken"]


@pytest.mark.parametrize(
    ("text", "id", "said"),
    [
        ("{", None, "JSON"),
        (json.dumps(a_view(3, size=[0, 1])), 3, "size"),
        (json.dumps(a_view(4, plane={"center": ["1e301", "0"], "scale": "1"})), 4, "beyond"),
    ],
)
def test_errors_are_answers(text: str, id: int | None, said: str) -> None:
    page = talk()
    page.ask(text)
    header, _ = page.next("error")
    assert header["id"] == id
    assert said in header["message"]
    page.ask(a_view(9))
    assert page.next("frame")[0]["id"] == 9


def test_a_mistake_of_ours_is_an_answer_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    page = talk()
    monkeypatch.setattr(Scene, "explain", lambda *_: 1 / 0)
    page.ask({"type": "why", "id": 2, "view": a_view(), "at": [0, 0]})
    assert page.next("error")[0]["id"] == 2
    assert "ZeroDivisionError" in caplog.text
    page.ask(a_view(9))
    assert page.next("frame")[0]["id"] == 9


def test_why_a_pixel_is_as_it_is() -> None:
    page = talk(circle(0.5) | circle(0.25).move(0.5))
    page.ask({"type": "why", "id": 2, "view": a_view(), "at": [40, 20]})
    header, _ = page.next("why")
    image = ivm.render(circle(0.5), size=(64, 48), grid="center")
    x, y = (samples[i] for samples, i in zip(image.samples(), (40, 20), strict=True))
    assert (header["x"], header["y"]) == (str(x), str(y))
    values = ivm.render(circle(0.5), size=(64, 48), grid="center", mode="value").pixels
    assert header["value"] == float(values[20, 40])
    assert (header["inside"], header["of"]) == (True, 15)
    assert 1 <= header["clauses"] <= 15
    assert all(header[name] for name in ("summary", "levels", "choices", "tape"))
    page.ask({"type": "why", "id": 3, "view": a_view(solid=SOLID), "at": [0, 0]})
    assert page.next("error")[0]["id"] == 3


def a_save(view: dict[str, Any], format: str) -> dict[str, Any]:
    return {"type": "save", "id": 8, "view": view, "format": format}


def test_a_picture_is_saved_with_smooth_edges() -> None:
    page = talk()
    page.ask(a_save(a_view(), "png"))
    header, payload = page.next("file")
    assert (header["id"], header["name"], header["mime"]) == (8, "shape.png", "image/png")
    expected = ivm.render(DISC, size=(64, 48), grid="center", antialias=4).pixels
    assert len(np.unique(expected)) > 2
    np.testing.assert_array_equal(np.asarray(PIL.Image.open(io.BytesIO(payload))), expected)


def test_an_outline_of_what_is_shown_is_saved() -> None:
    page = talk()
    page.ask(a_save(a_view(plane={"center": ["0.5", "0"], "scale": "0.25"}), "svg"))
    header, payload = page.next("file")
    assert (header["name"], header["mime"]) == ("shape.svg", "image/svg+xml")
    assert payload.startswith((b"<?xml", b"<svg"))
    assert b"path" in payload


def test_a_surface_is_saved() -> None:
    page = talk(sphere(0.8))
    page.ask(a_save(a_view(solid=SOLID), "stl"))
    header, payload = page.next("file")
    assert (header["name"], header["mime"]) == ("shape.stl", "model/stl")
    (count,) = np.frombuffer(payload[80:84], "<u4")
    assert len(payload) == 84 + 50 * count
    assert count > 1000


def test_files_that_a_shape_has_not_are_refused() -> None:
    page = talk()
    page.ask(a_save(a_view(), "stl"))
    assert "flat" in page.next("error")[0]["message"]
    page.ask(a_save(a_view(solid=SOLID), "svg"))
    assert "solid" in page.next("error")[0]["message"]


def test_a_save_tells_how_far_it_is_and_ends_when_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "PROGRESS_SECONDS", 0.0)
    started, ended = threading.Event(), threading.Event()

    def endless(_scene: Any, _asked: Any, progress: Any) -> None:
        started.set()
        try:
            while True:
                progress(3, 10)
        finally:
            ended.set()

    monkeypatch.setattr(making, "make", endless)
    page = talk()
    page.ask(a_save(a_view(), "png"))
    header, _ = page.next("progress")
    assert (header["id"], header["done"], header["total"]) == (8, 3, 10)
    page.ask('{"type": "stop"}')
    assert ended.wait(60)
    page.ask(a_view(2))
    assert page.next("frame")[0]["id"] == 2


def test_all_work_ends_with_the_page() -> None:
    scene = Slow()
    source = Source(scene)
    page = Talk(source)
    page.ask(a_view(1))
    assert scene.has_begun.wait(60)
    thread = page.session._pictures._thread
    page.session.close()
    assert thread is not None
    thread.join(60)
    assert not thread.is_alive()
    assert not source._listeners


def test_a_page_that_went_ends_its_thread() -> None:
    def gone(*_: object) -> None:
        raise Gone

    session = Session(Source(Scene(DISC, "")), gone)
    thread = session._pictures._thread
    assert thread is not None
    thread.join(60)
    assert not thread.is_alive()


def test_a_lane_goes_on_after_stale_work() -> None:
    done: list[int] = []
    finished = threading.Event()

    def work(what: int) -> None:
        if what == 1:
            raise Stale
        done.append(what)
        finished.set()

    lane = Lane(work)
    lane.give(1)
    while lane._next:
        time.sleep(0.001)
    lane.give(2)
    assert finished.wait(60)
    assert done == [2]
    lane.end()
