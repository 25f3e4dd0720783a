"""Threads of the compiled walk: whatever is raised, none is left behind."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from intervalvm import Region, Renderer, parse, render
from intervalvm.render import compiled

CIRCLE = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k"


def test_a_thread_that_cannot_be_started_leaves_no_other_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Future[Any]] = []

    class Pool(ThreadPoolExecutor):
        def submit(self, *call: Any) -> Future[Any]:
            if started:
                raise RuntimeError("can't start new thread")
            started.append(super().submit(*call))
            return started[0]

    with Pool(2) as pool:
        monkeypatch.setattr(compiled, "_pool", lambda _process, _threads: pool)
        with pytest.raises(RuntimeError, match="can't start"):
            render(parse(CIRCLE), size=64, threads=3)
        assert started[0].done()


def test_an_exception_of_progress_stops_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "BUDGET", 1)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        render(parse(CIRCLE), size=512, threads=3, progress=interrupt)
    render(parse(CIRCLE), size=64, threads=3)


def test_frames_far_out_have_views_of_finite_size() -> None:
    region = Region((-3.2e38, 1.0), (-1.0, 1.0))
    options: dict[str, Any] = {"size": 32, "region": region}
    found = Renderer(parse(CIRCLE), **options).render()
    expected = render(parse(CIRCLE), engine="dense", **options)
    np.testing.assert_array_equal(found.pixels, expected.pixels)
