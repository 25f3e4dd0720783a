"""The pictures of docs/view.md: ``python tools/draw_view.py`` takes them anew, in Chromium."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image as Pillow

TOP = Path(__file__).resolve().parents[1]
sys.path.append(str(TOP / "tests"))
from support.browser import Window, started, window  # noqa: E402
from support.windows import served  # noqa: E402

PLACE = TOP / "docs" / "view"
LARGE, PHONE = (1280, 800), (390, 780)
SLIDERS = """\
import intervalvm as ivm
from intervalvm.shapes import circle, star

points = star(7, outer=1, inner=0.55).offset(ivm.var("round", 0.06))
shape = points - circle(ivm.var("bore", 0.2))
"""
BROKEN = SLIDERS.replace("circle(ivm", "circel(ivm")


@dataclass(frozen=True)
class Scene:
    """A window: its file, what its link holds, and what is done in it before it is taken."""

    file: str
    link: str = ""
    size: tuple[int, int] = LARGE
    options: dict[str, Any] = field(default_factory=dict)
    act: Callable[[Window, Path], object] = lambda _shown, _file: None


def ask(shown: Window, _: Path) -> None:
    """Why the pixel on a letter's edge is as it is."""
    shown.page.keyboard.down("Alt")
    shown.page.mouse.click(540, 290)
    shown.page.keyboard.up("Alt")
    shown.page.wait_for_selector(".why dd")


def point(shown: Window, _: Path) -> None:
    """At a tile with many clauses left."""
    shown.page.mouse.move(608, 341)


def break_file(shown: Window, file: Path) -> None:
    """A typing error in the file."""
    file.write_text(BROKEN, encoding="utf-8")
    shown.page.wait_for_selector(".error")


DARK = {"color_scheme": "dark"}
NEAR = "view=0.0078,0.46,0.56"
SCENES = {
    "tiles": Scene(str(TOP / "prospero.vm"), f"{NEAR}&overlay=tiles"),
    "clauses": Scene(
        str(TOP / "prospero.vm"),
        "overlay=clauses",
        options=DARK,
        act=point,
    ),
    "why": Scene(str(TOP / "prospero.vm"), NEAR, act=ask),
    "sliders": Scene("sliders.py", "show=value&isolines=auto", (960, 640)),
    "solid": Scene(str(TOP / "prospero3d.vm"), "view=-24,18,0,0,0,0,1.06,0.25", (960, 640)),
    "phone": Scene(
        "sliders.py", "overlay=tiles", PHONE, {**DARK, "has_touch": True, "is_mobile": True}
    ),
    "error": Scene("sliders.py", act=break_file),
}


def main(names: list[str]) -> None:
    """Take the pictures of these names, or all."""
    PLACE.mkdir(exist_ok=True)
    os.environ.setdefault("PYTHONPATH", str(TOP))  # for servers in another folder
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        started() as browser,
    ):
        sliders = Path("sliders.py")
        for name in names or SCENES:
            scene = SCENES[name]
            sliders.write_text(SLIDERS, encoding="utf-8")
            with served(scene.file) as server:
                link = f"{server.link}#{scene.link}"
                with window(browser, link, scene.size, **scene.options) as shown:
                    shown.settled()
                    for key in ("ArrowLeft", "ArrowRight"):  # so that its time is not the first's
                        shown.page.keyboard.press(key)
                        shown.settled()
                    scene.act(shown, sliders)
                    take(shown, PLACE / f"{name}.png")


def take(shown: Window, path: Path) -> None:
    """The page as it is."""
    shown.page.wait_for_timeout(300)  # for colours that fade
    with Pillow.open(io.BytesIO(shown.page.screenshot())) as picture:
        picture.convert("RGB").save(path, optimize=True)


if __name__ == "__main__":
    main(sys.argv[1:])
