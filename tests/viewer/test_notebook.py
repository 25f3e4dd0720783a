"""The window in notebooks: JupyterLab and marimo, in Chromium, with servers of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WAIT_SECONDS = 60.0
"""That a test waits for anything, before it fails."""
SHOWN = """\
import intervalvm as ivm

r, hole = ivm.var("r", 0.7), ivm.var("hole", 0.3)
window = ivm.view(ivm.shapes.circle(r) - ivm.shapes.rectangle(hole, hole), overlay="tiles")
"""
WATCHED = """\
import json
import pathlib

window.observe(lambda c: pathlib.Path("seen.json").write_text(json.dumps(c["new"])), "variables")
"""
INK = """(canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4) colours.add(data.slice(i, i + 3).join());
    return colours.size;
}"""
"""The number of colours of a canvas."""


RUN_ALL = """async () => {
    const { commands, shell } = window.jupyterapp;
    await shell.currentWidget.sessionContext.ready;
    // one by one: what a cell shows while the page still asks the new kernel for old widgets may
    // lose its line to the kernel
    const cells = shell.currentWidget.content.widgets.length;
    for (let i = 0; i < cells; i += 1) await commands.execute("notebook:run-cell-and-select-next");
}"""


def needs(*modules: str) -> Any:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def server(folder: Path, port: int, *words: str) -> Iterator[None]:
    """A server of notebooks in a folder, with none of the user's settings, until it is ended."""
    names = "HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "IPYTHONDIR"
    jupyter = "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"
    own = {name: str(folder / "own" / name.lower()) for name in (*names, *jupyter)}
    for place in own.values():
        Path(place).mkdir(parents=True)
    log = folder / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], cwd=folder, env=os.environ | own,
            stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            wait_for(lambda: answers(f"http://127.0.0.1:{port}/"), lambda: log.read_text())
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
    except OSError:
        return False
    return True


def wait_for(found: Any, why: Any = str) -> Any:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if answer := found():
            return answer
        time.sleep(0.05)
    raise AssertionError(why() or "not in time")


def check_window(page: Page, folder: Path) -> None:
    """That a widget shows the shape, and that its slider sets the variable in the kernel."""
    window = page.locator(".ivm.widget").first
    canvas = window.locator("canvas.picture")
    busy = window.locator("canvas.picture[aria-busy=false]")
    busy.wait_for(timeout=1000 * WAIT_SECONDS)
    assert wait_for(lambda: canvas.evaluate(INK) >= 3), "paper, ink and tiles"
    assert window.bounding_box()["height"] == pytest.approx(480, abs=1)  # type: ignore[index]
    assert "clauses" in window.inner_text()

    slider = window.locator("input[type=range]").first
    if not slider.is_visible():  # in a narrow window they are hidden at first
        window.locator("button[aria-label^=Variables]").click()
    box = slider.bounding_box()
    assert box is not None
    slider.click(position={"x": 0.75 * box["width"], "y": box["height"] / 2})
    seen = wait_for(lambda: (folder / "seen.json").exists() and (folder / "seen.json").read_text())
    assert json.loads(seen)["r"] == pytest.approx(1.05, abs=0.07)
    busy.wait_for()


@contextmanager
def page_of(browser: Browser, name: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 820})
    page.set_default_timeout(1000 * WAIT_SECONDS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
    finally:
        if shots := os.environ.get("INTERVALVM_SHOTS"):
            page.screenshot(path=f"{shots}/{name}.png")
        page.close()
    assert not [each for each in complaints if "ivm" in each or "viewer" in each]


@needs("jupyterlab", "ipykernel", "anywidget")
def test_jupyterlab_shows_the_window(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell: dict[str, Any] = {"cell_type": "code", "metadata": {}, "outputs": []}
    sources = {"first": "2 + 2", "window": SHOWN + "window", "watched": WATCHED}
    cells = [
        {**cell, "execution_count": None, "id": name, "source": source}
        for name, source in sources.items()
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = {"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "shape.ipynb").write_text(json.dumps(notebook))
    notices = tmp_path / "own" / "settings" / "@jupyterlab" / "apputils-extension"
    notices.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (notices / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    monkeypatch.setenv("JUPYTERLAB_SETTINGS_DIR", str(tmp_path / "own" / "settings"))
    port, token = free_port(), "0123456789abcdef"
    words = [
        "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={tmp_path}", "--LabApp.expose_app_in_browser=True",
        "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    with server(tmp_path, port, *words), page_of(browser, "jupyterlab") as page:
        page.goto(f"http://127.0.0.1:{port}/lab/tree/shape.ipynb?token={token}")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        page.evaluate(RUN_ALL)
        check_window(page, tmp_path)


@needs("marimo", "anywidget")
def test_marimo_shows_the_window(browser: Browser, tmp_path: Path) -> None:
    lines = "".join(f"    {line}\n" if line else "\n" for line in (SHOWN + WATCHED).splitlines())
    (tmp_path / "shape.py").write_text(
        "import marimo\n\napp = marimo.App()\n\n\n@app.cell\ndef _():\n"
        f"{lines}    window\n    return\n\n\nif __name__ == '__main__':\n    app.run()\n"
    )
    port = free_port()
    words = ["marimo", "-q", "run", "shape.py", "--headless", "--no-token", f"--port={port}"]
    with server(tmp_path, port, *words), page_of(browser, "marimo") as page:
        page.goto(f"http://127.0.0.1:{port}/")
        check_window(page, tmp_path)
