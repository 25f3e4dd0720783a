"""A window's server: on this machine alone, until an interrupt."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Callable

from intervalvm.checks import integer_within
from intervalvm.errors import BackendError, OptionError, install_line
from intervalvm.viewer.source import Source

HOST = "127.0.0.1"
MOST_PORT = 65535


def serve(source: Source, ready: Callable[[str], object], *, port: int = 0) -> None:
    """Serve a window on a shape until an interrupt, which is raised.

    Parameters
    ----------
    source : Source
    ready : callable
        Called with the link once the server answers.
    port : int
        0 chooses a free one.

    Raises
    ------
    OptionError
        If the port is not free.
    BackendError
        If the libraries of the server are not installed.
    """
    try:
        from intervalvm.viewer.app import application
        from intervalvm.viewer.http import make_server
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        needed = f"a window needs {missing}, which is not installed"
        raise BackendError(f"{needed}: {install_line('view')}") from None
    listening = _listening(port)
    host = f"{HOST}:{listening.getsockname()[1]}"
    token = secrets.token_urlsafe(24)
    server = make_server(application(source, host, token))

    async def run() -> None:
        serving = asyncio.ensure_future(server.serve(sockets=[listening]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.001)
        ready(f"http://{host}/?token={token}")
        await serving

    try:
        source.start()
        asyncio.run(run())
    finally:
        source.stop()
        listening.close()


def _listening(port: int) -> socket.socket:
    """A socket that listens at a port of this machine. Raises OptionError."""
    port = integer_within("port", port, 0, MOST_PORT)
    # the protocol is named so that asyncio sees it, and sends small messages without a delay
    found = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(64)
    except OSError as error:
        found.close()
        reason = error.strerror or error
        raise OptionError(f"port={port}: {reason}: choose another, or 0 for a free one") from None
    return found
