"""The window while its file changes, has an error, and while the server is away."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.testing import assert_array_equal
from support.browser import LIGHT, coloured, drawn, window
from support.windows import served

import intervalvm as ivm
from intervalvm.shapes import circle, rectangle, sphere

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_a_changed_file_is_shown(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    ivm.save(circle(0.5), path)
    with served(path) as server, window(browser, server.link, (300, 240)) as shown:
        shown.settled()
        shown.page.keyboard.press("+")
        shown.settled()
        view = shown.request()["plane"]
        ivm.save(rectangle(0.5, 0.25), path)
        shown.until("intervalvm.hello.revision > 0 && intervalvm.hello.clauses !== 6")
        told, request = shown.settled(), shown.request()
        assert request["plane"] == view, "seen from where it was"
        inside = drawn(rectangle(0.5, 0.25), request, dtype=told["dtype"])
        assert_array_equal(shown.canvas(), coloured(inside, LIGHT))
        ivm.save(sphere(0.5), path)
        shown.until("intervalvm.hello.kind === 'solid'")
        assert shown.settled()["format"] == "png"
        assert shown.page.is_visible("text=Perspective")
        assert not shown.page.is_visible("text=Overlay")


def test_an_error_is_told_at_its_line_and_the_picture_stays(
    browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "shape.vm"
    ivm.save(circle(0.5), path)
    good = path.read_text(encoding="utf-8")
    with served(path) as server, window(browser, server.link, (500, 400)) as shown:
        shown.settled()
        before, page = shown.canvas(), shown.page
        lines = good.splitlines()
        path.write_text("\n".join([*lines[:2], "_bad nosuch _0", *lines[2:]]), encoding="utf-8")
        page.wait_for_selector(".error")
        text = page.inner_text(".error")
        assert "Line 3" in text
        assert "nosuch" in text
        assert "last version without an error" in text
        page.keyboard.press("ArrowLeft")
        shown.settled()
        assert (shown.canvas() != before).any(), "the last good shape can still be moved"
        page.keyboard.press("ArrowRight")
        shown.settled()
        assert_array_equal(shown.canvas(), before)
        path.write_text(good + "\n", encoding="utf-8")
        page.wait_for_selector(".error", state="hidden")


def test_values_that_were_set_outlive_a_change(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    cut = circle(ivm.var("r", 0.5)) - circle(ivm.var("q", 0.1))
    ivm.save(circle(ivm.var("r", 0.5)), path)
    with (
        served(path, "--set", "r=0.5") as server,
        window(browser, server.link, (800, 500)) as shown,
    ):
        shown.settled()
        shown.page.fill("[aria-label='r, exactly']", "0.75")
        shown.page.keyboard.press("Tab")
        shown.settled()
        ivm.save(cut, path)
        shown.until("intervalvm.hello.variables.length === 2")
        told, request = shown.settled(), shown.request()
        assert request["variables"]["r"] == 0.75
        inside = drawn(cut, request, dtype=told["dtype"])
        assert_array_equal(shown.canvas(), coloured(inside, LIGHT))


def test_python_file_is_shown(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "shape.py"
    path.write_text(
        "import intervalvm as ivm\nfrom intervalvm.shapes import circle\n"
        "shape = circle(ivm.var('r', 0.5))\n",
        encoding="utf-8",
    )
    with served(path) as server, window(browser, server.link) as shown:
        shown.settled()
        assert shown.request()["variables"] == {"r": 0.5}
        path.write_text("1 / 0\n", encoding="utf-8")
        shown.page.wait_for_selector(".error")
        assert "Line 1" in shown.page.inner_text(".error")


@contextmanager
def _again(path: Path, port: int, token: str) -> Iterator[int]:
    """A server with a given token, as if the old one had come back; its port."""
    from intervalvm.viewer.app import application
    from intervalvm.viewer.http import make_server
    from intervalvm.viewer.source import FileSource

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    port = listening.getsockname()[1]
    source = FileSource(str(path), {})
    source.start()
    server = make_server(application(source, f"127.0.0.1:{port}", token))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
        source.stop()
        listening.close()


def test_page_finds_a_server_that_comes_back(browser: Browser, tmp_path: Path) -> None:
    path, token = tmp_path / "shape.vm", "a-token"
    ivm.save(circle(0.5), path)
    with _again(path, 0, token) as port:
        context = browser.new_context(viewport={"width": 300, "height": 240})
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port}/?token={token}")
        page.evaluate("() => intervalvm.settled()")
    page.wait_for_selector("text=The server does not answer")
    page.keyboard.press("ArrowLeft")  # asked for as soon as there is somebody to ask
    ivm.save(circle(0.25), path)
    with _again(path, port, token):
        page.wait_for_selector("text=The server does not answer", state="hidden")
        page.evaluate("() => intervalvm.settled()")
        request = page.evaluate("() => intervalvm.request")
        assert np.count_nonzero(drawn(circle(0.25), request))
        context.close()
