"""Windows in a real browser: ``intervalvm view`` in a process of its own, and Chromium's pages."""

from __future__ import annotations

import base64
import gzip
import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from intervalvm.expr import TapeLike

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"
FLAGS = [
    "--no-sandbox",  # which root has none of
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LIGHT = {"paper": (250, 248, 243), "ink": (31, 41, 62), "unproven": (224, 122, 32)}
"""Colours of the canvas in the light theme."""
WAIT_MS = 20_000
"""That a test waits for anything, before it fails."""

CANVAS = """async () => {
    const { canvas } = intervalvm;
    const { width, height } = canvas;
    // of a copy: a canvas that is read again and again becomes another kind of canvas
    const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const packed = new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
    return [width, height, btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))];
}"""

SETTLED = f"""() => Promise.race([
    intervalvm.settled(),
    new Promise((_, late) => setTimeout(() => {{
        const {{ state, shown, counts }} = intervalvm;
        late(Error(`no final frame: ${{JSON.stringify({{ state, shown, counts }})}}`));
    }}, {WAIT_MS})),
])"""


def missing() -> str | None:
    """Why no browser can be started; None if one can."""
    if importlib.util.find_spec("playwright") is None:
        return "needs playwright"
    return None if chromium() else f"needs Chromium: none of {', '.join(NAMES)} is on the path"


def chromium() -> str | None:
    """The path of Chromium."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without windows."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield browser
        browser.close()


class Window:
    """A page with the window, and what it said that it should not have said."""

    def __init__(self, page: Page, link: str) -> None:
        self.page, self.link = page, link
        self.complaints: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.goto(link)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def settled(self) -> dict[str, Any]:
        """Wait for the final frame of the newest view. What the page says of it."""
        found = self.page.evaluate(SETTLED)
        assert isinstance(found, dict)
        return found

    def until_greeted(self, *, bounded: bool = True) -> None:
        """Wait until the shape is known, with its bounds if they can be proven.

        Until then the whole shape may be seen from farther away.
        """
        self.until("intervalvm.hello?.bounds" if bounded else "intervalvm.hello")

    def until(self, condition: str) -> Any:
        """Wait until an expression of JavaScript is true. Its value."""
        waiting = (
            "new Promise((done, late) => { const start = performance.now(); const look = () => {"
            f" const found = {condition}; if (found) done(found);"
            f" else if (performance.now() - start > {WAIT_MS}) late(Error('not in time'));"
            " else setTimeout(look, 10); }; look(); })"
        )
        return self.page.evaluate(f"() => {waiting}")

    def get(self, name: str) -> Any:
        """A value of ``window.intervalvm``."""
        return self.page.evaluate(f"() => intervalvm.{name}")

    def request(self) -> dict[str, Any]:
        """What the page asks of the server for its newest state."""
        found = self.get("request")
        assert isinstance(found, dict)
        return found

    def canvas(self) -> NDArray[np.uint8]:
        """The picture that is seen: uint8[height, width, 3]."""
        width, height, text = self.page.evaluate(CANVAS)
        data = gzip.decompress(base64.b64decode(text))
        pixels = np.frombuffer(data, np.uint8).reshape(height, width, 4)
        return pixels[..., :3]


@contextmanager
def window(
    browser: Browser,
    link: str,
    size: tuple[int, int] = (640, 420),
    *,
    bounded: bool = True,
    **options: Any,
) -> Iterator[Window]:
    """A window of its own, without a word of complaint on its console at the end.

    ``bounded`` says that bounds of the shape can be proven.
    """
    with opened(browser, link, size, **options) as found:
        found.until_greeted(bounded=bounded)
        yield found


@contextmanager
def opened(
    browser: Browser,
    link: str,
    size: tuple[int, int] = (640, 420),
    *,
    script: str = "",
    **options: Any,
) -> Iterator[Window]:
    """Such a window as soon as it is open. ``script`` runs in the page before all else."""
    options = {"color_scheme": "light", **options}
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
    try:
        context.add_init_script(script)
        found = Window(context.new_page(), link)
        try:
            yield found
        except Exception as error:
            if found.complaints:
                error.add_note(f"the page complained: {found.complaints}")
            raise
        assert not found.complaints
    finally:
        context.close()


class Fingers:
    """Touches, as the screen's driver tells them to the browser."""

    def __init__(self, shown: Window) -> None:
        self._session = shown.page.context.new_cdp_session(shown.page)
        self._at: list[tuple[int, int]] = []

    def down(self, *at: tuple[int, int]) -> None:
        self._tell("touchStart", at)

    def move(self, *at: tuple[int, int]) -> None:
        for part in (0.25, 0.5, 0.75, 1.0):
            steps = [
                tuple(round(a + part * (b - a)) for a, b in zip(old, new, strict=True))
                for old, new in zip(self._at, at, strict=True)
            ]
            self._tell("touchMove", steps, keep=part < 1)

    def up(self) -> None:
        self._tell("touchEnd", ())

    def _tell(self, kind: str, at: Any, *, keep: bool = False) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(at)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        if not keep:
            self._at = list(at)


def region(request: dict[str, Any]) -> ivm.Region:
    """The rectangle that a request of a plane shows, its ends rounded once."""
    plane, size = request["plane"], request["size"]
    scale, sides = Fraction(plane["scale"]), []
    for middle, pixels in zip(map(Fraction, plane["center"]), size, strict=True):
        half = scale * pixels / min(size)
        sides.append((float(middle - half), float(middle + half)))
    x, y = sides
    return ivm.Region(x, y)


def drawn_image(shape: TapeLike, request: dict[str, Any], **options: Any) -> ivm.Image:
    """What ``render`` draws for a request of a plane."""
    return ivm.render(
        shape,
        size=tuple(request["size"]),
        region=region(request),
        grid="center",
        variables=request["variables"],
        **options,
    )


def drawn(shape: TapeLike, request: dict[str, Any], **options: Any) -> NDArray[Any]:
    """Its pixels."""
    return drawn_image(shape, request, **options).pixels


def drawn_solid(shape: TapeLike, request: dict[str, Any], **options: Any) -> ivm.SolidImage:
    """What ``render3d`` draws for a request of a solid."""
    angles = {name: value for name, value in request["solid"].items() if name != "mode"}
    return ivm.render3d(
        shape,
        size=tuple(request["size"]),
        view=ivm.View.turntable(**angles),
        mode=request["solid"]["mode"],
        variables=request["variables"],
        **options,
    )


def coloured(inside: NDArray[Any], colours: dict[str, tuple[int, int, int]]) -> NDArray[np.uint8]:
    """The canvas for a bitmap."""
    chosen = np.array([colours["paper"], colours["ink"]], np.uint8)
    return chosen[(inside != 0).astype(int)]
