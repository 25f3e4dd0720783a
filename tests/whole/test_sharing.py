"""What the docs call safe to share by threads gives each of them what it gives one alone."""

from __future__ import annotations

import functools
import pickle
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import fonts

import intervalvm as ivm
from intervalvm import shapes

THREADS, ROUNDS = 8, 3
CHARS = "".join(map(chr, range(0x4E00, 0x4E00 + 96)))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A font of many glyphs, which are read one by one when they are asked for."""
    return fonts.boxes(tmp_path_factory.mktemp("fonts") / "many.ttf", CHARS)


def each_alone_and_shared(make: Callable[[], Any], use: Callable[[Any, int], Any]) -> None:
    """``use`` of a fresh object for each i, against one object in the hands of all threads."""
    alone = [use(make(), i) for i in range(THREADS)]
    for _ in range(ROUNDS):
        shared, ready = make(), threading.Barrier(THREADS)

        def work(i: int, shared: Any = shared, ready: threading.Barrier = ready) -> Any:
            ready.wait()
            return use(shared, i)

        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(work, range(THREADS)))
        assert found == alone
        assert [use(shared, i) for i in range(THREADS)] == alone  # nothing wrong was kept


def frame(subject: Any, i: int) -> bytes:
    return ivm.render(subject, size=40 + i % 2, threads=1).pixels.tobytes()


def expression() -> ivm.Expr:
    x, y, _ = ivm.axes()
    parts = [(x - k / 9) ** 2 + (y * k) ** 2 - 0.02 for k in range(-9, 10)]
    return functools.reduce(ivm.minimum, parts)


def test_a_font(path: str) -> None:
    """All begin with another glyph of the same ones, so they meet."""

    def use(font: shapes.Font, i: int) -> Any:
        chars = CHARS[i:] + CHARS[:i]
        tapes = [shapes.text(char, font=font).tape() for char in chars]
        return tapes, font.kerning(chars[0], chars[1]), font.metrics(chars[2])

    each_alone_and_shared(lambda: shapes.Font(path), use)


def test_a_shape() -> None:
    def make() -> shapes.Shape:
        return shapes.text("Ag", size=1) | shapes.circle(0.2).move(0.1, 0.3)

    def use(shape: shapes.Shape, i: int) -> Any:
        return shape.tape(), repr(shape), frame(shape, i), shape.defaults

    each_alone_and_shared(make, use)


def test_an_expression() -> None:
    def use(expr: ivm.Expr, i: int) -> Any:
        return expr.tape(), str(expr), expr.defaults, frame(expr, i)

    each_alone_and_shared(expression, use)


def test_a_tape() -> None:
    across = np.linspace(-1, 1, 50)

    def use(tape: ivm.Tape, i: int) -> Any:
        values = tape(across, across[:, None]).tobytes()
        return values, hash(tape), str(tape), pickle.dumps(tape), frame(tape, i)

    each_alone_and_shared(lambda: expression().tape(), use)


def test_a_renderer() -> None:
    def use(renderer: ivm.Renderer, i: int) -> Any:
        places = [ivm.Region.around((0.1 * ((i + k) % 4), 0.0), 0.5**k) for k in range(6)]
        return [renderer.render(region=place).pixels.tobytes() for place in places]

    each_alone_and_shared(lambda: ivm.Renderer(expression().tape(), size=48, threads=1), use)


def test_an_image(tmp_path: Path) -> None:
    image = ivm.render(expression(), size=64)

    def use(shared: ivm.Image, i: int) -> Any:
        name = tmp_path / f"{threading.get_ident()}-{i}.png"
        shared.save(name)
        return name.read_bytes(), shared._repr_png_(), shared.pixels.tobytes()

    each_alone_and_shared(lambda: image, use)
