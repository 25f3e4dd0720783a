"""The window on a solid, in Chromium: orbit, pan and zoom, by mouse, touch and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.browser import Fingers, Window, drawn_solid, window
from support.windows import Served, served

import intervalvm as ivm
from intervalvm.shapes import box, cylinder

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

PART = box(1.2, 0.8, 0.5) - cylinder(0.25, 3)


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path: Path = tmp_path_factory.mktemp("solid") / "part.vm"
    ivm.save(PART, path)
    with served(path) as found:
        yield found


@pytest.fixture
def shown(browser: Browser, server: Served) -> Iterator[Window]:
    with window(browser, server.link, (420, 320)) as found:
        found.settled()
        yield found


def check(shown: Window) -> dict[str, Any]:
    """Assert that the window shows what ``render3d`` draws of its view; the view."""
    told, request = shown.settled(), shown.request()
    assert told["final"]
    assert told["size"] == request["size"]
    look: dict[str, Any] = request["solid"]
    found = drawn_solid(PART, request, dtype=told["dtype"])
    pixels = found.pixels if found.pixels.ndim == 3 else found.pixels[..., None].repeat(3, 2)
    assert_array_equal(shown.canvas(), pixels)
    assert found.stats.voxels["hit"] > 0, "the shape is in view"
    return look


def axes(look: dict[str, Any]) -> Any:
    """The directions to the right and up in space, as columns, half a picture long."""
    angles = {name: look[name] for name in ("yaw", "pitch", "roll", "scale")}
    return ivm.View.turntable(**angles).matrix[:3, :2]


def test_whole_solid_is_seen_first(shown: Window) -> None:
    look = check(shown)
    assert (look["yaw"], look["pitch"]) == (30, 25)
    canvas = shown.canvas()
    background = canvas[:, :1]
    seen = (canvas != background).any(axis=2)
    assert seen.any()
    edges = seen[0], seen[-1], seen[:, -1]
    assert not any(edge.any() for edge in edges), "with a margin"


def test_drag_turns_it(shown: Window) -> None:
    before, mouse = check(shown), shown.page.mouse
    mouse.move(200, 160)
    mouse.down()
    mouse.move(240, 200, steps=5)
    mouse.up()
    after = check(shown)
    degrees = 40 * 180 / 320
    assert after["yaw"] == pytest.approx((before["yaw"] - degrees) % 360, abs=1e-2)
    assert after["pitch"] == pytest.approx(before["pitch"] + degrees, abs=1e-2)
    assert after["center"] == before["center"]


@pytest.mark.parametrize("how", ["right", "Shift"])
def test_right_button_or_shift_moves_it(shown: Window, how: str) -> None:
    before, page = check(shown), shown.page
    if how == "Shift":
        page.keyboard.down("Shift")
    page.mouse.move(200, 160)
    page.mouse.down(button="right" if how == "right" else "left")
    page.mouse.move(232, 144, steps=3)
    page.mouse.up(button="right" if how == "right" else "left")
    page.keyboard.up("Shift")
    after = check(shown)
    moved = np.subtract(after["center"], before["center"])
    # against the pointer: 32 and 16 of the 160 pixels of half a picture
    assert moved == pytest.approx(axes(before) @ [-0.2, -0.1], abs=1e-9)
    assert after["yaw"] == before["yaw"]


def test_wheel_zooms_at_the_pointer(shown: Window) -> None:
    before, mouse = check(shown), shown.page.mouse
    mouse.move(300, 100)
    mouse.wheel(0, -200)
    shown.until(f"intervalvm.request.solid.scale !== {before['scale']}")
    after = check(shown)
    offset = np.array([90, 60]) / 160
    ratio = after["scale"] / before["scale"]
    assert ratio < 1
    moved = np.subtract(after["center"], before["center"])
    assert moved == pytest.approx(axes(before) @ offset * (1 - ratio), abs=1e-9)


def test_keys_turn_move_and_fit(shown: Window) -> None:
    press, first = shown.page.keyboard.press, check(shown)
    press("ArrowLeft")
    press("ArrowDown")
    turned = check(shown)
    assert (turned["yaw"], turned["pitch"]) == (25, 20)
    press("Shift+ArrowLeft")
    press("+")
    moved = check(shown)
    assert moved["center"] != turned["center"]
    assert moved["scale"] < turned["scale"]
    press("0")
    fitted = check(shown)
    assert fitted["center"] == first["center"]
    assert fitted["yaw"] == 25, "it is seen from where it was"


def test_a_finger_turns_and_two_move(browser: Browser, server: Served) -> None:
    with window(browser, server.link, (320, 420), has_touch=True, is_mobile=True) as shown:
        before, touch = check(shown), Fingers(shown)
        touch.down((100, 300))
        touch.move((60, 300))
        touch.up()
        turned = check(shown)
        assert turned["yaw"] == pytest.approx(before["yaw"] + 40 * 180 / 320, abs=1e-2)
        touch.down((100, 200), (200, 200))
        touch.move((116, 200), (216, 200))
        touch.up()
        moved = check(shown)
        gone = np.subtract(moved["center"], turned["center"])
        assert gone == pytest.approx(axes(turned) @ [-0.1, 0], abs=1e-9)
        assert moved["yaw"] == turned["yaw"]
        assert moved["scale"] == pytest.approx(turned["scale"])


def test_modes_and_perspective(shown: Window) -> None:
    for mode in ("Normals", "Height", "Occlusion", "Shaded"):
        shown.page.click(f"text={mode}")
        check(shown)
    shown.page.check("text=Perspective")
    look = check(shown)
    assert look["perspective"] > 0
    shown.page.uncheck("text=Perspective")
    assert check(shown)["perspective"] == 0


def test_link_holds_the_view(browser: Browser, shown: Window) -> None:
    shown.page.keyboard.press("ArrowLeft")
    shown.page.click("text=Normals")
    shown.page.check("text=Perspective")
    look = check(shown)
    shown.until("location.hash.includes('mode=normals')")
    with window(browser, shown.page.url, (420, 320)) as other:
        assert check(other) == look
        assert other.page.is_checked("text=Perspective")
