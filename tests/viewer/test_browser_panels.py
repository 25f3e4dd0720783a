"""What the window shows beside the picture, in Chromium: overlays, values, sliders, downloads."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL.Image
import pytest
from numpy.testing import assert_array_equal
from numpy.typing import NDArray
from support.browser import LIGHT, Window, coloured, drawn, drawn_image, window
from support.windows import Served, served

import intervalvm as ivm
from intervalvm.shapes import circle, star

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SHAPE = star(5, outer=1, inner=0.45).offset(ivm.var("grown", 0.05)) - circle(ivm.var("hole", 0.25))
VALUES = {"grown": 0.05, "hole": 0.25}


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    path = tmp_path_factory.mktemp("plane") / "star.vm"
    ivm.save(SHAPE, path)
    words = [word for name, value in VALUES.items() for word in ("--set", f"{name}={value}")]
    with served(path, *words) as found:
        yield found


@pytest.fixture
def shown(browser: Browser, server: Served) -> Iterator[Window]:
    with window(browser, server.link, (800, 500)) as found:
        found.settled()
        yield found


def check(shown: Window) -> dict[str, Any]:
    """Assert that the window shows what ``render`` draws of its view; the view."""
    told, request = shown.settled(), shown.request()
    inside = drawn(SHAPE, request, dtype=told["dtype"])
    assert_array_equal(shown.canvas(), coloured(inside, LIGHT))
    return request


# --- overlays -------------------------------------------------------------------------------------


def over(below: NDArray[np.uint8], colour: tuple[int, int, int], alpha: float) -> NDArray[Any]:
    """A colour over pixels."""
    return (1 - alpha) * below + alpha * np.array(colour)


def multiplied(
    below: NDArray[np.uint8], colour: tuple[int, int, int], alpha: float
) -> NDArray[Any]:
    """Pixels as if seen through a colour, so that dark ones stay dark."""
    return (1 - alpha) * below + alpha * (below * (np.array(colour) / 255))


def test_tiles_have_the_colours_of_their_verdicts(shown: Window) -> None:
    shown.page.click("text=Tiles")
    told, request = shown.settled(), shown.request()
    image = drawn_image(SHAPE, request, dtype=told["dtype"])
    below = coloured(image.pixels, LIGHT)
    verdicts = image.map("verdict", per="pixel")
    expected = below.astype(float)
    for verdict, blended, colour, alpha in (
        (255, over, (38, 160, 105), 0.72),
        (0, over, (92, 122, 160), 0.16),
        (128, multiplied, (255, 170, 70), 0.7),
    ):
        of_it = verdicts == verdict
        assert of_it.any()
        expected[of_it] = blended(below[of_it], colour, alpha)
    inner = ~borders(image.map("level", per="pixel"), request["size"])
    assert inner.mean() > 0.5
    off = np.abs(shown.canvas()[inner] - expected[inner])
    assert off.max() <= 2, "but for the browser's own rounding"
    legend = shown.page.inner_text(".legend")
    assert legend.split("\n") == [
        "proven inside",
        "proven outside",
        "ambiguous: evaluated at each pixel",
    ]
    shown.page.click("text=None")
    check(shown)
    assert not shown.page.is_visible(".legend")


def borders(levels: NDArray[Any], size: list[int]) -> NDArray[np.bool_]:
    """Which pixels are the first row or column of a tile."""
    found = np.zeros(levels.shape, bool)
    for level in np.unique(levels):
        n = 2**level
        for axis, pixels in enumerate((size[1], size[0])):
            first = np.zeros(pixels, bool)
            first[np.arange(n) * pixels // n] = True
            found |= (levels == level) & (first[:, None] if axis == 0 else first[None, :])
    return found


def test_clauses_are_told_of_the_tile_at_the_pointer(shown: Window) -> None:
    shown.page.click("text=Clauses")
    told, request = shown.settled(), shown.request()
    image = drawn_image(SHAPE, request, dtype=told["dtype"])
    clauses, verdicts = image.map("clauses", per="pixel"), image.map("verdict", per="pixel")
    bare = np.zeros(verdicts.shape, bool)
    bare[70:360, 20:480] = True
    for verdict, words in (
        (128, "{} clauses left"),
        (255, "proven inside"),
        (0, "proven outside"),
    ):
        rows, columns = np.nonzero((verdicts == verdict) & bare & (clauses != 1))
        column, row = int(columns[len(columns) // 2]), int(rows[len(rows) // 2])
        shown.page.mouse.move(column, row)
        text = words.format(clauses[row, column])
        assert text in shown.page.inner_text(".pointed")
    counts = clauses[verdicts == 128]
    ticks = shown.page.inner_text(".ticks").split()
    assert (ticks[0], ticks[-1]) == (str(counts.min()), str(counts.max()))


def test_heat_goes_with_the_clauses(shown: Window) -> None:
    """Tiles of as many clauses have one colour where the picture below is one."""
    shown.page.click("text=Clauses")
    told, request = shown.settled(), shown.request()
    image = drawn_image(SHAPE, request, dtype=told["dtype"])
    clauses, canvas = image.map("clauses", per="pixel"), shown.canvas()
    outside = ~borders(image.map("level", per="pixel"), request["size"]) & (image.pixels == 0)
    counts = np.unique(clauses[(clauses > 0) & outside])
    assert len(counts) > 2
    colours = [np.unique(canvas[outside & (clauses == n)], axis=0) for n in counts]
    assert [len(each) for each in colours] == [1] * len(counts)
    assert len(np.unique(np.concatenate(colours), axis=0)) == len(counts)


def test_proven_pixels_have_three_colours(shown: Window) -> None:
    shown.page.click("text=Proven")
    told, request = shown.settled(), shown.request()
    proven = drawn(SHAPE, request, dtype=told["dtype"], prove="area")
    expected = np.empty((*proven.shape, 3), np.uint8)
    for verdict, name in ((0, "paper"), (255, "ink"), (128, "unproven")):
        assert (proven == verdict).any()
        expected[proven == verdict] = LIGHT[name]
    assert_array_equal(shown.canvas(), expected)


def test_values_and_isolines(shown: Window) -> None:
    assert not shown.page.is_visible("text=Iso-lines")
    shown.page.click("text=Value")
    assert shown.settled()["format"] == "png"
    plain = shown.canvas()
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) > 16
    shown.page.check("text=Iso-lines")
    shown.settled()
    step = shown.request()["isolines"]
    assert step is not None
    assert step > 0
    lines = shown.canvas()
    assert (lines != plain).any()
    shown.page.fill("[aria-label='Step between iso-lines']", "0.5")
    shown.page.keyboard.press("Enter")
    shown.settled()
    assert shown.request()["isolines"] == 0.5
    assert (shown.canvas() != lines).any()


def test_a_key_steps_through_the_overlays(shown: Window) -> None:
    found = []
    for _ in range(3):
        shown.page.keyboard.press("t")
        shown.settled()
        found.append(shown.request()["overlay"])
    assert found == ["tiles", "clauses", "none"]


# --- variables ------------------------------------------------------------------------------------


def test_sliders_set_variables(shown: Window) -> None:
    assert shown.request()["variables"] == VALUES
    shown.page.get_by_label("hole", exact=True).focus()
    for _ in range(3):
        shown.page.keyboard.press("ArrowRight")
    moved = check(shown)["variables"]["hole"]
    assert moved > VALUES["hole"]
    shown.page.fill("[aria-label='hole, exactly']", "0.4")
    shown.page.keyboard.press("Tab")
    assert check(shown)["variables"] == VALUES | {"hole": 0.4}
    shown.until("location.hash.includes('set=hole:0.4')")
    shown.page.click("[aria-label='Reset hole to 0.25']")
    assert check(shown)["variables"] == VALUES


def test_ranges_of_sliders_can_be_set(shown: Window) -> None:
    most = shown.page.get_by_label("greatest value of the slider of grown")
    most.fill("0.5")
    most.press("Tab")
    slider = shown.page.get_by_label("grown", exact=True)
    assert slider.get_attribute("max") == "0.5"
    slider.focus()
    slider.press("End")
    assert check(shown)["variables"]["grown"] == 0.5
    shown.page.fill("[aria-label='grown, exactly']", "0.75")  # beyond, which makes it wider
    shown.page.keyboard.press("Tab")
    assert check(shown)["variables"]["grown"] == 0.75
    assert slider.get_attribute("max") == "0.75"
    most.fill("-7")  # below the least: refused
    most.press("Tab")
    assert most.input_value() == "0.75"
    shown.page.click("[aria-label='Reset all variables']")
    assert check(shown)["variables"] == VALUES


def test_link_holds_variables_and_overlay(browser: Browser, server: Served) -> None:
    fragment = "view=0,0,1.5&overlay=tiles&set=hole:0.125&set=nosuch:1&set=grown:x"
    with window(browser, f"{server.link}#{fragment}") as shown:
        shown.settled()
        request = shown.request()
        assert request["variables"] == VALUES | {"hole": 0.125}
        assert request["overlay"] == "tiles"
        assert shown.page.is_checked("text=Tiles")
        assert shown.page.input_value("[aria-label='hole, exactly']") == "0.125"


# --- downloads ------------------------------------------------------------------------------------


def downloaded(shown: Window, kind: str) -> bytes:
    shown.page.click("[aria-label='Download']")
    with shown.page.expect_download() as waiting:
        shown.page.click(f"[role=menuitem]:has-text('{kind}')")
    assert waiting.value.suggested_filename == f"star.{kind.lower()}"
    content = Path(waiting.value.path()).read_bytes()
    assert not shown.page.is_visible(".save")
    return content


def test_downloads(shown: Window) -> None:
    request = check(shown)
    with PIL.Image.open(io.BytesIO(downloaded(shown, "PNG"))) as picture:
        assert list(picture.size) == request["size"]
    svg = downloaded(shown, "SVG")
    assert b"<svg" in svg[:200]
    assert b"<path" in svg


@pytest.mark.parametrize("size", [(1200, 700), (390, 700)], ids=["wide", "phone"])
def test_a_menu_lies_above_all_else(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "star.vm"
    ivm.save(circle(ivm.var("r", 0.5)), path)
    with served(path) as server, window(browser, server.link, size) as shown:
        shown.settled()
        assert shown.page.is_visible("[aria-label='r, exactly']") == (size[0] > 720)
        for kind in ("PNG", "SVG"):
            assert downloaded(shown, kind)


# --- why ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["tool", "alt", "keys"])
def test_why_this_pixel(shown: Window, how: str) -> None:
    request = check(shown)
    page, at = shown.page, (260, 140)
    if how == "tool":
        page.click("[aria-label='Why this pixel? (W)']")
        page.mouse.click(*at)
    elif how == "alt":
        page.keyboard.down("Alt")
        page.mouse.click(*at)
        page.keyboard.up("Alt")
    else:
        page.keyboard.press("Tab")
        page.evaluate("() => intervalvm.canvas.focus()")
        page.keyboard.press("w")
        page.keyboard.press("Enter")
        at = (400, 250)
    page.wait_for_selector(".why dd")
    image = drawn_image(SHAPE, request)
    value = ivm.evaluate(
        SHAPE,
        *(samples[i] for samples, i in zip(image.samples(), at, strict=True)),
        variables=VALUES,
    )
    text = page.inner_text(".why")
    assert f"{float(value):.3g}"[:5] in text
    assert page.is_visible(".cross")
    page.keyboard.press("Escape")
    assert not page.is_visible(".why")
    assert not page.is_visible(".cross")
