"""Pictures whose saving is interrupted: the library that compresses them is not waited for."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

import intervalvm as ivm
from intervalvm import shapes
from intervalvm.raster import formats

pytestmark = pytest.mark.skipif(
    os.name != "posix" or threading.current_thread() is not threading.main_thread(),
    reason="signals of POSIX, which the main thread gets",
)


@pytest.mark.parametrize("format", ["png", "webp", "tif", "jpg"])
def test_an_interrupt_does_not_wait_for_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: str
) -> None:
    """It works in here until the interrupt is over, as if in one long call."""
    path, over, ended = tmp_path / f"a.{format}", threading.Event(), threading.Event()
    path.write_bytes(b"old")

    def endless(picture: Any, stream: Any) -> None:
        stream.write(b"half")
        os.kill(os.getpid(), signal.SIGINT)
        over.wait(timeout=60)
        ended.set()

    for writers in (formats.FORMATS, formats.COLOURS):
        monkeypatch.setitem(writers, format, endless)
    image = ivm.render(shapes.circle(0.5), size=9, engine="dense")
    with pytest.raises(KeyboardInterrupt):
        image.save(path)
    assert not ended.is_set()
    over.set()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == [path.name]
    assert ended.wait(timeout=60)


def test_an_error_of_the_library_is_raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(picture: Any, stream: Any) -> None:
        raise ZeroDivisionError

    for writers in (formats.FORMATS, formats.COLOURS):
        monkeypatch.setitem(writers, "png", fail)
    with pytest.raises(ZeroDivisionError):
        ivm.render(shapes.circle(0.5), size=9, engine="dense").save(tmp_path / "a.png")
    assert os.listdir(tmp_path) == []
