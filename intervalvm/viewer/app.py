"""The application of a window: a page, its module, and a session for each websocket.

    /?token=...     the page
    /viewer.js      its module
    /ws?token=...   the websocket: requests as text; answers as binary messages, each the length of
                    the header in 4 bytes, little-endian, the header as JSON, then the payload

What other programs and other sites' pages could do is refused: a host name that is not this
machine's, as of a site whose name was made to lead here; an origin that is not this page's; a link
without the token, which only who started the server has; and more sessions, messages or bytes than
a page needs.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from concurrent.futures import Future
from importlib.resources import files
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from intervalvm.viewer.session import Gone, Session
from intervalvm.viewer.source import Source

MOST_SESSIONS = 8
MESSAGES_PER_SECOND = 240.0
"""That a page may send, and as many at once."""
SEND_SECONDS = 20.0
"""That a page may take to read an answer."""
UNSUPPORTED, POLICY_VIOLATION, TRY_AGAIN_LATER = 1003, 1008, 1013
"""Codes of closed websockets."""
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self' ws://{host}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def application(source: Source, host: str, token: str) -> ASGIApp:
    """The application for a host, as "127.0.0.1:8000", which answers links with the token."""
    sessions: set[Session] = set()

    async def page(request: Request) -> Response:
        if not _has(token, request):
            message = "This link lacks its token: open the one that was printed."
            return PlainTextResponse(message, 403, HEADERS)
        policy = POLICY.format(host=request.headers["host"])
        return _static("page.html", "text/html", {"Content-Security-Policy": policy})

    async def module(_: Request) -> Response:
        return _static("viewer.js", "text/javascript", {})

    async def talk(websocket: WebSocket) -> None:
        if not (_has(token, websocket) and _is_own_page(websocket)):
            await websocket.close(POLICY_VIOLATION)  # before it is accepted: status 403
            return
        await websocket.accept()
        if len(sessions) >= MOST_SESSIONS:
            await websocket.close(TRY_AGAIN_LATER, "too many windows are open")
            return
        session = Session(source, _sender(websocket))
        sessions.add(session)
        try:
            await _receive(websocket, session)
        except WebSocketDisconnect:
            pass
        finally:
            sessions.discard(session)
            session.close()

    routes = [Route("/", page), Route("/viewer.js", module), WebSocketRoute("/ws", talk)]
    return _for_hosts(Router(routes, redirect_slashes=False), _names(host))


def _static(name: str, kind: str, more: dict[str, str]) -> Response:
    content = (files("intervalvm.viewer") / "static" / name).read_bytes()
    return Response(content, headers=HEADERS | more, media_type=kind)


def _has(token: str, connection: HTTPConnection) -> bool:
    """Whether a link has the token, compared in a time that tells nothing of it."""
    given = connection.query_params.get("token", "")
    return secrets.compare_digest(given.encode(), token.encode())


def _is_own_page(connection: HTTPConnection) -> bool:
    headers = connection.headers
    return headers.getlist("origin") == [f"http://{headers['host']}"]


def _names(host: str) -> frozenset[str]:
    """The names of this machine with the port of the host."""
    port = host.rpartition(":")[2]
    return frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))


def _for_hosts(app: ASGIApp, names: frozenset[str]) -> ASGIApp:
    """The application, for requests to one of these hosts alone."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) == 1 and hosts[0] in names:
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        else:
            response = PlainTextResponse("This is another host.", 421, HEADERS)
            await response(scope, receive, send)

    return checked


async def _receive(websocket: WebSocket, session: Session) -> None:
    """Hand messages to the session, until the page goes or misbehaves."""
    allowed, last = MESSAGES_PER_SECOND, time.monotonic()
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        now = time.monotonic()
        allowed = min(allowed + MESSAGES_PER_SECOND * (now - last), MESSAGES_PER_SECOND) - 1
        last = now
        if allowed < 0:
            await websocket.close(POLICY_VIOLATION, "too many messages")
            return
        text = message.get("text")
        if text is None:
            await websocket.close(UNSUPPORTED, "requests are text")
            return
        session.receive(text)


def _sender(websocket: WebSocket) -> Any:
    """What sends an answer from another thread, and waits until the page reads."""
    loop = asyncio.get_running_loop()

    def send(header: dict[str, Any], payload: bytes) -> None:
        text = json.dumps(header, allow_nan=False).encode()
        message = b"".join([len(text).to_bytes(4, "little"), text, payload])
        sent: Future[None] = Future()

        def start() -> None:
            asyncio.ensure_future(websocket.send_bytes(message)).add_done_callback(settle)

        def settle(sending: asyncio.Future[None]) -> None:
            failed = sending.cancelled() or sending.exception()
            sent.set_exception(Gone()) if failed else sent.set_result(None)

        try:
            loop.call_soon_threadsafe(start)
            sent.result(SEND_SECONDS)
        except (RuntimeError, TimeoutError):  # the server has ended, or the page does not read
            raise Gone from None

    return send
