"""The window on a plane, in Chromium: pictures, and moving them by mouse, touch, keys and link."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.browser import LIGHT, Fingers, Window, coloured, drawn, opened, window
from support.places import TOP
from support.windows import Served, served

import intervalvm as ivm

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FILE = TOP / "prospero.vm"


@pytest.fixture(scope="module")
def tape() -> ivm.Tape:
    return ivm.load(FILE)


@pytest.fixture(scope="module")
def server(browser: Browser) -> Iterator[Served]:
    with served(FILE) as found:
        yield found


@pytest.fixture
def shown(browser: Browser, server: Served) -> Iterator[Window]:
    with window(browser, server.link) as found:
        found.settled()
        yield found


def check(shown: Window, tape: ivm.Tape) -> dict[str, Any]:
    """Assert that the window shows what ``render`` draws of its view; the view."""
    told = shown.settled()
    request = shown.request()
    assert told["final"]
    assert told["size"] == request["size"]
    inside = drawn(tape, request, dtype=told["dtype"])
    assert_array_equal(shown.canvas(), coloured(inside, LIGHT))
    return request


def center(request: dict[str, Any]) -> list[Decimal]:
    return [Decimal(part) for part in request["plane"]["center"]]


def pixel(request: dict[str, Any]) -> float:
    """The width of a pixel of the plane."""
    return 2 * float(request["plane"]["scale"]) / min(request["size"])


def test_first_picture_is_that_of_render(shown: Window, tape: ivm.Tape) -> None:
    request = check(shown, tape)
    assert request["size"] == [640, 420]
    assert request["overlay"] == "none"
    assert drawn(tape, request).any(), "the shape is in view"
    assert shown.page.title() == "prospero.vm · intervalvm"
    assert "8,752 clauses · 640 × 420" in shown.page.inner_text(".status")


def test_pixels_are_those_of_the_screen(browser: Browser, server: Served, tape: ivm.Tape) -> None:
    with window(browser, server.link, (301, 207), device_scale_factor=2) as shown:
        assert check(shown, tape)["size"] == [602, 414]
        shown.page.set_viewport_size({"width": 260, "height": 310})
        shown.until("intervalvm.canvas.width === 520")
        assert check(shown, tape)["size"] == [520, 620]


def test_page_in_the_background_fits_the_shape_once_it_is_seen(
    browser: Browser, server: Served, tape: ivm.Tape
) -> None:
    """Nothing is laid out in such a tab, so the canvas has no size when the shape is told."""
    hidden = """
        const sheet = new CSSStyleSheet();
        sheet.replaceSync("html { display: none }");
        document.adoptedStyleSheets = [sheet];
        window.show = () => sheet.replaceSync("");
    """
    with opened(browser, server.link, script=hidden) as shown:
        shown.until("document.title.startsWith('prospero.vm')")
        shown.page.evaluate("() => show()")
        shown.until_greeted()
        behind = check(shown, tape)
    with window(browser, server.link) as other:
        assert check(other, tape) == behind


def test_dark_theme_has_its_own_colours(browser: Browser, server: Served, tape: ivm.Tape) -> None:
    with window(browser, server.link, color_scheme="dark") as shown:
        shown.settled()
        dark = {"paper": (17, 21, 28), "ink": (233, 228, 216)}
        inside = drawn(tape, shown.request())
        assert_array_equal(shown.canvas(), coloured(inside, dark))
        draws = shown.get("counts")["draws"]
        shown.page.emulate_media(color_scheme="light")
        shown.until(f"intervalvm.counts.draws > {draws}")  # the frame, anew
        assert_array_equal(shown.canvas(), coloured(inside, LIGHT))


def test_drag_moves_the_plane(shown: Window, tape: ivm.Tape) -> None:
    before, mouse = shown.request(), shown.page.mouse
    mouse.move(300, 200)
    mouse.down()
    mouse.move(340, 190, steps=4)
    mouse.up()
    after = check(shown, tape)
    moved = [
        float(b - a) / pixel(before) for a, b in zip(center(before), center(after), strict=True)
    ]
    # rounded to digits beyond a thousandth of a pixel
    assert moved == pytest.approx([-40, -10], abs=1e-3)


def test_last_frame_moves_while_the_server_is_busy(
    browser: Browser, server: Served, tape: ivm.Tape
) -> None:
    with window(browser, server.link) as shown:
        shown.settled()
        old, mouse = shown.canvas(), shown.page.mouse
        server.process.send_signal(signal.SIGSTOP)
        try:
            mouse.move(300, 200)
            mouse.down()
            mouse.move(330, 240, steps=3)
            shown.page.evaluate("() => new Promise(requestAnimationFrame)")
            now = shown.canvas()
            assert_array_equal(now[40:, 30:], old[:-40, :-30])
            assert (now[:40] == LIGHT["paper"]).all()
            for step in range(40):
                mouse.move(330 + step, 240)
            mouse.up()
            assert shown.get("counts")["inFlight"] in (1, 2), "never more views on the way"
        finally:
            server.process.send_signal(signal.SIGCONT)
        check(shown, tape)


@pytest.mark.parametrize("delta", [-240, 120], ids=["in", "out"])
def test_wheel_zooms_at_the_pointer(shown: Window, tape: ivm.Tape, delta: float) -> None:
    before, mouse = shown.request(), shown.page.mouse
    mouse.move(200, 150)
    mouse.wheel(0, delta)
    shown.until(f"intervalvm.request.plane.scale !== '{before['plane']['scale']}'")
    after = check(shown, tape)
    ratio = float(after["plane"]["scale"]) / float(before["plane"]["scale"])
    assert (ratio < 1) == (delta < 0)
    offset = 200 - 320, 210 - 150
    for a, b, off in zip(center(before), center(after), offset, strict=True):
        kept = float(a - b) / pixel(before) + off * (1 - ratio)
        assert kept == pytest.approx(0, abs=1e-3)  # as above


def test_pinch_on_a_touchpad_is_a_wheel_with_control(shown: Window, tape: ivm.Tape) -> None:
    before = shown.request()
    wheel = "new WheelEvent('wheel', {deltaY: -10, ctrlKey: true, clientX: 9, cancelable: true})"
    assert shown.page.evaluate(f"() => !intervalvm.canvas.dispatchEvent({wheel})"), "not the page"
    after = check(shown, tape)
    ratio = float(after["plane"]["scale"]) / float(before["plane"]["scale"])
    assert ratio == pytest.approx(np.exp(-0.1))


def test_keys_move_zoom_and_fit(shown: Window, tape: ivm.Tape) -> None:
    press, first = shown.page.keyboard.press, check(shown, tape)
    press("ArrowRight")
    press("ArrowUp")
    moved = check(shown, tape)
    right, up = (b - a for a, b in zip(center(first), center(moved), strict=True))
    assert right > 0
    assert up > 0
    press("+")
    press("+")
    nearer = check(shown, tape)
    press("-")
    between = check(shown, tape)
    scales = [float(each["plane"]["scale"]) for each in (nearer, between, moved)]
    assert scales == sorted(set(scales))
    press("Home")
    assert check(shown, tape) == first


def test_double_click_zooms_in_and_with_shift_out(shown: Window, tape: ivm.Tape) -> None:
    first = float(shown.request()["plane"]["scale"])
    shown.page.mouse.dblclick(100, 300)
    assert float(check(shown, tape)["plane"]["scale"]) == first / 2
    shown.page.keyboard.down("Shift")
    shown.page.mouse.dblclick(100, 300)
    shown.page.keyboard.up("Shift")
    assert float(check(shown, tape)["plane"]["scale"]) == first


def test_fingers_pan_and_pinch(browser: Browser, server: Served, tape: ivm.Tape) -> None:
    with window(browser, server.link, (390, 700), has_touch=True, is_mobile=True) as shown:
        before = check(shown, tape)
        touch = Fingers(shown)
        touch.down((100, 300))
        touch.move((130, 350))
        touch.up()
        after = check(shown, tape)
        moved = [float(b - a) for a, b in zip(center(before), center(after), strict=True)]
        assert np.divide(moved, pixel(before)) == pytest.approx([-30, 50], abs=1e-3)
        touch.down((150, 300), (250, 300))
        touch.move((100, 310), (300, 310))
        touch.up()
        pinched = check(shown, tape)
        assert float(pinched["plane"]["scale"]) == pytest.approx(float(after["plane"]["scale"]) / 2)


def test_zoom_goes_on_where_floats_end(browser: Browser, server: Served) -> None:
    """Centres are decimal text of any length, and a notice tells what that means for pixels."""
    digits = "0.1000000000000000000000000000000000000000000000000000000000000000000123"
    with window(browser, f"{server.link}#view={digits},0.25,1e-66") as shown:
        shown.settled()
        assert shown.request()["plane"]["center"] == [digits, "0.25"]
        assert "float64" in shown.page.inner_text(".notes")
        shown.page.keyboard.press("ArrowRight")
        shown.settled()
        x, y = center(shown.request())
        assert y == Decimal("0.25")
        assert float(x - Decimal(digits)) == pytest.approx(420 / 12 * 2e-66 / 420)
        shown.page.keyboard.press("0")
        shown.settled()
        assert not shown.page.is_visible(".notes >> text=float64")


def test_pointer_tells_its_place(shown: Window) -> None:
    shown.page.mouse.move(0.5, 0.5)  # the middle of the first pixel
    text = shown.page.inner_text(".pointed")
    found = re.match(r"x (\S+) +y (\S+)", text)
    assert found, text
    request = shown.request()
    x, y = (float(part) for part in center(request))
    step = pixel(request)
    places = -int(np.floor(np.log10(step)))
    expected = [x + (0.5 - 320) * step, y + (210 - 0.5) * step]
    assert [float(part) for part in found.groups()] == pytest.approx(expected, abs=10.0**-places)


def test_link_holds_the_view(browser: Browser, server: Served, tape: ivm.Tape) -> None:
    with window(browser, server.link) as shown:
        shown.settled()
        shown.page.mouse.move(400, 100)
        shown.page.mouse.wheel(0, -700)
        shown.page.click("text=Proven")
        shown.settled()
        shown.until("location.hash.includes('show=proven')")
        request, picture, link = shown.request(), shown.canvas(), shown.page.url
        shown.page.click("text=Shape")
        shown.until("!location.hash.includes('proven')")
        shown.page.evaluate(f"() => {{ location.hash = {link.partition('#')[2]!r} }}")
        shown.until("intervalvm.request.show === 'proven'")
        shown.settled()
        assert shown.request() == request
    with window(browser, link) as other:
        other.settled()
        assert other.request() == request
        assert_array_equal(other.canvas(), picture)


def test_link_is_copied(browser: Browser, server: Served) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    with window(browser, server.link, permissions=permissions) as shown:
        shown.settled()
        shown.page.click("[aria-label='Copy a link to this view']")
        shown.page.wait_for_selector("text=The link is copied")
        copied = shown.page.evaluate("() => navigator.clipboard.readText()")
        assert copied == shown.page.url
        assert copied.startswith(f"{server.link}#view=")


@pytest.mark.parametrize(
    "fragment",
    ["view=1,2", "view=x,0,1", "view=0,0,-1", "set=q:1&show=nonsense", "%%%", "isolines=-1"],
)
def test_link_of_something_else_shows_the_whole(
    browser: Browser, server: Served, tape: ivm.Tape, fragment: str
) -> None:
    with window(browser, f"{server.link}#{fragment}") as shown:
        request = check(shown, tape)
        assert request["show"] == "bitmap"
        shown.page.keyboard.press("0")
        assert check(shown, tape) == request


def test_keys_reach_everything(shown: Window) -> None:
    """In the order of the page: the picture, what is shown, tools; each with a name."""
    shown.page.evaluate("() => document.activeElement.blur()")
    names = []
    for _ in range(9):
        shown.page.keyboard.press("Tab")
        names.append(
            shown.page.evaluate(
                "() => { const e = document.activeElement;"
                " return e.getAttribute('aria-label') ?? e.closest('label')?.innerText ?? ''; }"
            )
        )
    assert names[0].startswith("The picture")
    assert names[1:3] == ["Shape", "None"]
    assert all(names)
    shown.page.keyboard.press("?")
    assert shown.page.is_visible("dialog")
    shown.page.keyboard.press("Escape")
    assert not shown.page.is_visible("dialog")


def test_page_obeys_a_strict_policy(browser: Browser, server: Served) -> None:
    """Nothing is asked for but the page, its module and its socket."""
    asked: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.goto(server.link)
    page.evaluate("() => intervalvm.settled()")
    context.close()
    names = [re.sub(r"^\w+://[^/]+|\?.*$", "", url) for url in asked]
    assert names == ["/", "/viewer.js", "/ws"]
