"""Hundreds of random steps in the window: no error, and in the end the exact frame of the view."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from numpy.testing import assert_array_equal
from support import window_steps
from support.browser import LIGHT, Window, coloured, drawn, drawn_solid, window
from support.windows import served

import intervalvm as ivm
from intervalvm.shapes import Shape

if TYPE_CHECKING:
    from playwright.sync_api import Browser

STEPS = 250


@pytest.mark.parametrize("make", [window_steps.plane, window_steps.solid], ids=["plane", "solid"])
def test_steps_end_with_the_exact_frame(
    browser: Browser, tmp_path: Path, make: Callable[[], Shape]
) -> None:
    shape, path = make(), tmp_path / "shape.vm"
    ivm.save(shape, path)
    values = dict.fromkeys(shape.tape().variables, 0.2)
    words = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    with served(path, *words) as server, window(browser, server.link) as shown:
        steps = window_steps.Steps(shown, seed=16)
        for _ in range(STEPS // 50):
            steps.take(50)
            check(shown, shape)
        counts = shown.get("counts")
        assert counts["errors"] == 0
        assert counts["inFlight"] == 0
        assert counts["frames"] + counts["stale"] <= counts["sent"]


def check(shown: Window, shape: Shape) -> None:
    """Assert that the window shows what the library draws of its view."""
    told, request = shown.settled(), shown.request()
    assert told["id"] == shown.get("counts")["last"], "the newest"
    assert told["size"] == request["size"]
    if "solid" in request:
        expected = drawn_solid(shape, request, dtype=told["dtype"]).pixels
    else:
        inside = drawn(shape, request, dtype=told["dtype"])
        expected = coloured(inside, LIGHT)
    assert_array_equal(shown.canvas(), expected)
