"""Windows without a browser: a session that keeps its answers, a server, and a page's talk."""

from __future__ import annotations

import json
import os
import queue
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from intervalvm.viewer.session import Session
from intervalvm.viewer.source import Source

WAIT_SECONDS = 60.0
"""For an answer, before a test fails."""
Answer = tuple[dict[str, Any], bytes]
PLANE = {"center": ["0", "0"], "scale": "1"}
SOLID = {
    "yaw": 30, "pitch": 20, "roll": 0, "center": [0, 0, 0], "scale": 1, "perspective": 0,
    "mode": "shaded",
}  # fmt: skip


def a_view(id: int = 1, **fields: Any) -> dict[str, Any]:
    """A request for a picture."""
    what = {} if "solid" in fields else {"plane": PLANE}
    return {"type": "view", "id": id, "size": [64, 48], **what, **fields}


class Talk:
    """A session whose answers wait to be read."""

    def __init__(self, source: Source) -> None:
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.session = Session(source, lambda *answer: self.answers.put(answer))

    def ask(self, request: dict[str, Any] | str) -> None:
        """Send a request."""
        self.session.receive(request if isinstance(request, str) else json.dumps(request))

    def next(self, kind: str) -> Answer:
        """The next answer of a kind, without those before it."""
        while True:
            header, payload = self.answers.get(timeout=WAIT_SECONDS)
            if header["type"] == kind:
                return header, payload


def bits_of(header: dict[str, Any], payload: bytes) -> NDArray[np.bool_]:
    """bool[planes, height, width] of a picture as bits."""
    width, height = header["size"]
    packed = np.frombuffer(payload[: header["picture_bytes"]], np.uint8)
    rows = packed.reshape(-1, height, -(-width // 8))
    return np.unpackbits(rows, axis=2, count=width).astype(bool)


class Served:
    """``intervalvm view FILE`` in a process of its own."""

    def __init__(self, file: str | Path, *words: str) -> None:
        command = [sys.executable, "-m", "intervalvm", "view", str(file), "--no-browser", *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
        )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        assert self.link, self.process.communicate()
        self.page, _, self.token = self.link.partition("/?token=")
        self.host = self.page.removeprefix("http://")
        self.port = int(self.host.rpartition(":")[2])

    def page_of(self, **changes: Any) -> Page:
        """A page's websocket."""
        return Page(self, **changes)

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.communicate()


class Page:
    """A page of a window."""

    def __init__(
        self, window: Served, *, token: str | None = None, origin: str | None = ""
    ) -> None:
        token = window.token if token is None else token
        own = None if origin is None else Origin(origin or window.page)
        address = f"ws://{window.host}/ws?token={token}"
        # a ping draws from `random` in a thread, which Hypothesis takes for the test that runs then
        connecting = connect(
            address,
            origin=own,
            max_size=None,
            compression=None,
            open_timeout=WAIT_SECONDS,
            ping_interval=None,
        )
        self._opened = ExitStack()
        self.socket: ClientConnection = self._opened.enter_context(connecting)

    def close(self) -> None:
        """Leave the window."""
        self._opened.close()

    def ask(self, request: dict[str, Any] | str | bytes) -> None:
        """Send a request."""
        self.socket.send(json.dumps(request) if isinstance(request, dict) else request)

    def next(self, kind: str) -> Answer:
        """The next answer of a kind, without those before it."""
        while True:
            message = self.socket.recv(timeout=WAIT_SECONDS)
            assert isinstance(message, bytes)
            (length,) = struct.unpack("<I", message[:4])
            header = json.loads(message[4 : 4 + length])
            if header["type"] == kind:
                return header, message[4 + length :]


@contextmanager
def served(file: str | Path, *words: str) -> Iterator[Served]:
    """A window for as long as a block runs."""
    window = Served(file, *words)
    try:
        yield window
    finally:
        window.stop()
