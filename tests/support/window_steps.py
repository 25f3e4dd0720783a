"""Random steps of a user in a window, and the server's memory meanwhile."""

from __future__ import annotations

import random

import psutil
from support.browser import Window
from support.windows import Served

from intervalvm import var
from intervalvm.shapes import Shape, box, circle, cylinder, star


def plane() -> Shape:
    """A star with a hole, both of variable sizes."""
    return star(5, outer=1, inner=0.45).offset(var("grown", 0.05)) - circle(var("hole", 0.25))


def solid() -> Shape:
    """A block with a bore of variable width."""
    return box(1.2, 0.8, 0.5) - cylinder(var("bore", 0.25), 3)


class Steps:
    """Steps by mouse, wheel, keys and sliders, of one seed."""

    def __init__(self, shown: Window, seed: int) -> None:
        self._shown, self._random = shown, random.Random(seed)
        size = shown.page.viewport_size
        assert size is not None
        self._sides = size["width"] * 0.55, size["height"] - 60.0
        """Where the picture lies bare."""

    def take(self, count: int) -> None:
        for _ in range(count):
            self._random.choice([self._drag, self._wheel, self._wheel, self._key, self._slide])()

    def _at(self) -> tuple[float, float]:
        width, height = self._sides
        return self._random.uniform(20, width), self._random.uniform(70, height)

    def _drag(self) -> None:
        mouse, button = self._shown.page.mouse, self._random.choice(["left", "right"])
        mouse.move(*self._at())
        mouse.down(button="right" if button == "right" else "left")
        mouse.move(*self._at(), steps=self._random.randint(1, 6))
        mouse.up(button="right" if button == "right" else "left")

    def _wheel(self) -> None:
        self._shown.page.mouse.move(*self._at())
        self._shown.page.mouse.wheel(0, self._random.choice([-240, -120, 120, 240]))

    def _key(self) -> None:
        keys = "+", "-", "ArrowLeft", "ArrowUp", "Shift+ArrowRight", "0", "Home"
        self._shown.page.keyboard.press(self._random.choice(keys))

    def _slide(self) -> None:
        value = self._random.uniform(0, 0.3)
        slide = """(value) => {
            const all = [...document.querySelectorAll('input[type=range]')];
            const one = all[Math.floor(value * 1e6) % all.length];
            one.value = value;
            one.dispatchEvent(new Event('input', { bubbles: true }));
        }"""
        self._shown.page.evaluate(slide, value)


def memory(server: Served) -> int:
    """Bytes that the server holds, with its helpers."""
    process = psutil.Process(server.process.pid)
    each = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in each)
