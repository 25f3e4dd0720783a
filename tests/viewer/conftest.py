"""Kernels that windows need, and one browser for the tests of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support import browser as browsers
from support.windows import PLANE, SOLID, a_view

from intervalvm.shapes import circle, sphere
from intervalvm.viewer.making import make
from intervalvm.viewer.request import MODES, SHOWS, Save, View, Why, parse
from intervalvm.viewer.scene import Scene

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DEEP = PLANE | {"scale": "1e-9"}  # in float64
PLANES = [
    {"plane": plane, "show": show, "overlay": "tiles"} for plane in (PLANE, DEEP) for show in SHOWS
]
SOLIDS = [{"solid": SOLID | {"mode": mode}} for mode in MODES]


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Make what windows need of every kind, so that no wait for one is a wait for a compiler."""
    for shape, looks in ((circle(1), PLANES), (sphere(1), SOLIDS)):
        scene = Scene(shape, "")
        scene.prepare()
        views = [parse(json.dumps(a_view(**look))) for look in looks]
        for view in views:
            assert isinstance(view, View)
            scene.draw(view, view.size, lambda *_: None)
            make(scene, Save(1, view, "png"), lambda *_: None)
        if scene.is_solid:
            make(scene, Save(1, view, "stl"), lambda *_: None)
        else:
            make(scene, Save(1, view, "svg"), lambda *_: None)
            scene.explain(Why(1, view, (0, 0)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; the test skips where there is none."""
    if reason := browsers.missing():
        pytest.skip(reason)
    with browsers.started() as found:
        yield found
