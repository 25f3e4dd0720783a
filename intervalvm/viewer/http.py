"""The HTTP server of a window: uvicorn with limits on connections and their time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from intervalvm.viewer.request import MOST_BYTES

MOST_CONNECTIONS = 32
REQUEST_SECONDS = 5.0
"""That a connection may take to send its first request."""
PAGE_SECONDS = 20.0
"""That a connection lasts which is no websocket: one that does not read its answers, too."""


class Server(uvicorn.Server):
    """A server that leaves signals alone: an interrupt cancels its task."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Protocol(H11Protocol):
    """A connection, closed at once if there are too many, and later if it asks for nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(REQUEST_SECONDS, self._close_if_idle)
            self.loop.call_later(PAGE_SECONDS, self._close_if_plain)

    def _close_if_idle(self) -> None:
        if self.cycle is None:
            self._close_if_plain()

    def _close_if_plain(self) -> None:
        if self.transport.get_protocol() is self:
            self.transport.abort()


def make_server(app: ASGIApp) -> Server:
    """The server of an application."""
    options: dict[str, Any] = {
        "http": Protocol,
        "ws_max_size": MOST_BYTES,
        "ws_max_queue": 8,
        "ws_per_message_deflate": False,  # a picture is compressed already, or small
        "lifespan": "off",
        "log_config": None,
        "log_level": "critical",
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": 5,
    }
    return Server(uvicorn.Config(app, **options))
