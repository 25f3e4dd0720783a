"""Kernels that windows need, and one browser for the tests of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from support import browser as browsers
from support.windows import PLANE, SOLID, a_view

from intervalvm.shapes import circle, sphere
from intervalvm.viewer.making import make
from intervalvm.viewer.request import MODES, SHOWS, FileKind, Save, View, Why, parse
from intervalvm.viewer.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DEEP = {"center": ["1", "0"], "scale": "1e-9"}


@pytest.fixture(scope="session")
def kernels() -> None:
    """Compile what windows need of every kind, before a test waits for a picture or a file."""
    plane, solid = Scene(circle(1), ""), Scene(sphere(1), "")
    for scene in (plane, solid):
        scene.prepare()
    looks = product((PLANE, DEEP), SHOWS)
    views = [use(plane, "svg", plane=at, show=show, overlay="tiles") for at, show in looks]
    assert {view.frame.dtype(view.size) for view in views} == {"float32", "float64"}
    plane.explain(Why(1, views[0], (0, 0)))
    for mode in MODES:
        use(solid, "stl", solid=SOLID | {"mode": mode})


def use(scene: Scene, format: FileKind, **look: Any) -> View:
    """Draw a view, and save it as a picture and in another format."""
    view = parse(json.dumps(a_view(**look)))
    assert isinstance(view, View)
    scene.draw(view, view.size, lambda *_: None)
    formats: tuple[FileKind, ...] = ("png", format)
    for each in formats:
        make(scene, Save(1, view, each), lambda *_: None)
    return view


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Browser]:
    """Chromium; the test skips where there is none."""
    if reason := browsers.missing():
        pytest.skip(reason)
    request.getfixturevalue("kernels")
    with browsers.started() as found:
        yield found
