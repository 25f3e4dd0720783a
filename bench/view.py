"""The window in headless Chromium: the first picture, wheel, drag and orbit, hundreds of steps."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

import intervalvm as ivm
from bench import models, peers
from bench.page import ms, table
from bench.subject import CHALLENGE, Subject, machine, parser
from bench.timing import Neighbours

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from support.browser import Window

SIZE = 1600, 1000
STEPS = 250
"""Of each of two windows, a plane's and a solid's."""
WHEELS = 60
SECONDS = 4.0
"""That a drag lasts."""
LISTEN = """() => {
    window.timed = { drawn: [], seen: [] };
    document.addEventListener("wheel", async ({ timeStamp }) => {
        await intervalvm.settled();
        timed.drawn.push(performance.now() - timeStamp);
        await new Promise(requestAnimationFrame);
        const { port1, port2 } = new MessageChannel(); // runs once the frame is handed over
        await new Promise((next) => { port1.onmessage = next; port2.postMessage(null); });
        timed.seen.push(performance.now() - timeStamp);
    });
}"""


@dataclass(frozen=True)
class Found:
    """What was measured: seconds, frames a second, and bytes."""

    first: list[float]
    """From the request of the page to its first sharp picture, on a server just started."""
    drawn: list[float]
    """From a wheel event to the sharp frame on the canvas."""
    seen: list[float]
    """From a wheel event until the browser has handed that frame over to be shown."""
    dragging: float
    """Frames of the server a second, while a plane is dragged."""
    orbiting: float
    """The same while a solid is turned."""
    grown: int
    """Bytes by which both servers grew in the second half of the steps."""
    held: int
    """Bytes that they hold in the end."""


def first_pictures(browser: Browser, path: Path, rounds: int) -> list[float]:
    """Seconds to the first sharp picture of a file, each on a server of its own."""
    from support.browser import window
    from support.windows import served

    found = []
    for _ in range(rounds):
        with served(path) as server, window(browser, server.link, SIZE) as shown:
            shown.settled()
            found.append(float(shown.get("first")) / 1e3)
    return found


def wheels(shown: Window, tape: ivm.Tape) -> tuple[list[float], list[float]]:
    """Seconds from wheel events to sharp frames: drawn, and handed over."""
    from support.browser import LIGHT, coloured, drawn

    shown.settled()
    shown.page.evaluate(LISTEN)
    for i in range(WHEELS):
        shown.page.mouse.move(500 + 7 * i, 500 - 3 * i)
        shown.page.mouse.wheel(0, -120 if i % 12 < 6 else 120)
        shown.until(f"timed.seen.length > {i}")
    told, request = shown.settled(), shown.request()
    expected = coloured(drawn(tape, request, dtype=told["dtype"]), LIGHT)
    assert np.array_equal(shown.canvas(), expected), "another picture: nothing is told"
    times = shown.page.evaluate("() => timed")
    return [t / 1e3 for t in times["drawn"]], [t / 1e3 for t in times["seen"]]


def dragging(shown: Window) -> float:
    """Frames a second while the pointer goes round with its button down."""
    shown.settled()
    mouse = shown.page.mouse
    mouse.move(800, 500)
    mouse.down()
    before, start = shown.get("counts")["frames"], time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS:
        mouse.move(800 + 200 * np.sin(2 * passed), 500 + 150 * np.sin(3 * passed))
    frames = shown.get("counts")["frames"] - before
    mouse.up()
    shown.settled()
    return float(frames / passed)


def steps(browser: Browser, make: Callable[[], ivm.shapes.Shape], folder: Path) -> tuple[int, int]:
    """Take random steps. Bytes by which the server grew in the second half, and that it holds.

    AssertionError for an error, and a last frame that is not that of the last view.
    """
    from support import window_steps
    from support.browser import LIGHT, coloured, drawn, drawn_solid, window
    from support.windows import served

    shape, path = make(), folder / "shape.vm"
    ivm.save(shape, path)
    with served(path) as server, window(browser, server.link, (800, 600)) as shown:
        taken, held = window_steps.Steps(shown, seed=1), []
        for _ in range(2):
            taken.take(STEPS // 2)
            told, request = shown.settled(), shown.request()
            held.append(window_steps.memory(server))
        if "solid" in request:
            expected = drawn_solid(shape, request, dtype=told["dtype"]).pixels
        else:
            expected = coloured(drawn(shape, request, dtype=told["dtype"]), LIGHT)
        assert np.array_equal(shown.canvas(), expected), "the last frame is stale"
        assert shown.get("counts")["errors"] == 0
    return held[1] - held[0], held[1]


def measured(shape: Subject, rounds: int) -> tuple[Found, str]:
    """All of it, and what the solid was."""
    from support import window_steps
    from support.browser import started, window
    from support.windows import served

    with started() as browser, tempfile.TemporaryDirectory() as folder:
        first = first_pictures(browser, shape.path, rounds)
        with served(shape.path) as server, window(browser, server.link, SIZE) as shown:
            drawn, seen = wheels(shown, shape.tape)
            plane = dragging(shown)
        solid_path, about = _solid(Path(folder))
        # the solid may go on for ever
        with (
            served(solid_path) as server,
            window(browser, server.link, SIZE, bounded=False) as shown,
        ):
            solid = dragging(shown)
        each = [
            steps(browser, make, Path(folder)) for make in (window_steps.plane, window_steps.solid)
        ]
    grown, held = (sum(parts) for parts in zip(*each, strict=True))
    return Found(first, drawn, seen, plane, solid, grown, held), about


def _solid(folder: Path) -> tuple[Path, str]:
    """The file of a solid of about 1,000 clauses, and its name: one beside the project, or ours."""
    path = CHALLENGE.parent / "colonnade.vm"
    if not path.is_file():
        path = folder / "octopus.vm"
        ivm.save(models.octopus.build(), path)
    return path, f"`{path.name}`, {len(ivm.load(path)):,} clauses"


def page(found: Found, solid: str) -> str:
    """The table in Markdown."""
    grown = f"{found.grown / 2**20:+.1f} MiB of {found.held / 2**20:.0f}"
    rows = [
        ("the first sharp picture, once the server is up", f"{ms(median(found.first))} ms"),
        ("a wheel event to the sharp frame, drawn", f"{ms(median(found.drawn))} ms"),
        ("the same, until the browser shows it", f"{ms(median(found.seen))} ms"),
        ("frames while the plane is dragged", f"{found.dragging:.0f} a second"),
        (f"frames while a solid is turned: {solid}", f"{found.orbiting:.0f} a second"),
        (f"memory of the servers in the last half of {2 * STEPS} steps", grown),
    ]
    return table(("what", "measured"), rows)


def section(shape: Subject, table: str, busy: float) -> str:
    """The section of the page."""
    return f"""\
{peers.VIEW_HEAD}
[The window](view.md) on {shape},
{SIZE[0]}x{SIZE[1]}, in headless Chromium without a GPU on the same machine; medians. *The first
picture* is timed from the request of the page, by a server that just started. Frames are those
that the server drew and the page showed; between them the page moves the last one. The steps are
pans, zooms, turns and sliders at random, in a window of a plane and one of a solid: none was
answered by an error, and the last frame of each is that of `render` or `render3d`.

{table}
Measured by `python -m bench view --page` on
{machine()}. Other processes kept {busy:.1f} of the CPUs busy.
"""


def main(words: list[str]) -> int:
    """Print the section, or write it to the page; 2 without a browser."""
    from support import browser

    options = parser("view", __doc__, rounds=5)
    options.add_argument("--page", action="store_true", help="write docs/performance.md")
    chosen = options.parse_args(words)
    if reason := browser.missing():
        print(f"the window {reason}", file=sys.stderr)
        return 2
    neighbours = Neighbours()
    found, solid = measured(chosen.file, chosen.rounds)
    text = section(chosen.file, page(found, solid), neighbours.cpus())
    if chosen.page:
        peers.write(peers.PAGE, {"view": text})
    else:
        print(text, end="")
    return 0
