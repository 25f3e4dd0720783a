"""Threads of the compiled walk: with more, fewer or none the picture is the same."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from intervalvm import Region, Renderer, parse, render
from intervalvm.jit import thread_pool, walk

CIRCLE = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k"


def test_without_more_threads_the_picture_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that has no more of them, or while the interpreter ends."""

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(thread_pool, "_pool", thread_pool.ThreadPool())
    monkeypatch.setattr(threading.Thread, "start", start)
    found = render(parse(CIRCLE), size=64, threads=3)
    assert_array_equal(found.pixels, render(parse(CIRCLE), size=64, engine="dense").pixels)


def test_an_exception_of_progress_stops_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "BUDGET", 1)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(parse(CIRCLE), size=512, threads=3, progress=interrupt)
    render(parse(CIRCLE), size=64, threads=3)


def test_progress_may_draw_the_same_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "BUDGET", 1000)
    tape, inner = parse(CIRCLE), []

    def draw(done: int, total: int) -> None:
        if len(inner) < 3:
            inner.append(render(tape, size=32, threads=2).pixels)

    expected = {size: render(parse(CIRCLE), size=size, engine="dense").pixels for size in (32, 256)}
    found = render(tape, size=256, threads=2, progress=draw)
    assert_array_equal(found.pixels, expected[256])
    assert len(inner) == 3
    for pixels in inner:
        assert_array_equal(pixels, expected[32])


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))]
)
def test_a_copy_of_a_renderer_shares_no_memory(again: Callable[[Renderer], Renderer]) -> None:
    """Views hold addresses: in another process, or when the first is gone, they mean nothing."""
    region = Region.around((0.7, 0), 0.2)
    renderer = Renderer(parse(CIRCLE), size=64, region=region)
    expected = renderer.render().pixels
    other = again(renderer)
    assert not other._views
    assert_array_equal(other.render().pixels, expected)


def test_frames_far_out_have_views_of_finite_size() -> None:
    region = Region((-3.2e38, 1.0), (-1.0, 1.0))
    options: dict[str, Any] = {"size": 32, "region": region}
    found = Renderer(parse(CIRCLE), **options).render()
    expected = render(parse(CIRCLE), engine="dense", **options)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
