"""The server of a window, over real sockets: what it answers, and that attacks leave it alive."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from support.places import TOP
from support.windows import PLANE, WAIT_SECONDS, Page, Served, a_view, bits_of, served
from websockets.exceptions import ConnectionClosed, WebSocketException

import intervalvm as ivm
from intervalvm.errors import BackendError, OptionError, install_line
from intervalvm.shapes import circle
from intervalvm.viewer import http as http_server
from intervalvm.viewer.request import MOST_BYTES
from intervalvm.viewer.scene import Scene
from intervalvm.viewer.server import serve
from intervalvm.viewer.source import Source

MIB = 1 << 20
DISC = ivm.sqrt(ivm.axes()[0] ** 2 + ivm.axes()[1] ** 2) - 0.5


@pytest.fixture(scope="module")
def window(kernels: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One window for the attacks, which must all leave it alive."""
    path = tmp_path_factory.mktemp("window") / "disc.vm"
    ivm.save(DISC, path)
    with served(path) as found:
        yield found


@pytest.fixture(autouse=True)
def alive(window: Served) -> Iterator[None]:
    """After each test the window answers, and a page that comes is shown the disc."""
    yield
    assert window.process.poll() is None
    assert_shows(window, DISC)


def assert_shows(window: Served, shape: Any) -> None:
    page = patient(window)
    page.ask(a_view(77))
    header, payload = page.next("frame")
    expected = ivm.render(shape, size=(64, 48), grid="center").pixels == 255
    np.testing.assert_array_equal(bits_of(header, payload), [expected])
    page.close()


def patient(window: Served) -> Page:
    """A page, once the server has seen that earlier ones have gone."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            page = window.page_of()
            page.next("hello")
            return page
        except (WebSocketException, OSError):
            assert time.monotonic() < end
            time.sleep(0.05)


def asked(window: Served, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of an answer."""
    connection = http.client.HTTPConnection(window.host, timeout=WAIT_SECONDS)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    response = connection.getresponse()
    found = response.status, response.headers, response.read()
    connection.close()
    return found


def link(window: Served) -> str:
    return window.link.removeprefix(window.page)


def test_the_page_and_its_module_are_served(window: Served) -> None:
    status, headers, body = asked(window, link(window))
    assert (status, headers.get_content_type()) == (200, "text/html")
    assert b"viewer.js" in body
    status, headers, body = asked(window, "/viewer.js")
    assert (status, headers.get_content_type()) == (200, "text/javascript")
    assert len(body) > 1000


@pytest.mark.parametrize("path", ["/", "/viewer.js"])
def test_answers_are_kept_and_read_by_this_page_alone(window: Served, path: str) -> None:
    _, headers, _ = asked(window, link(window) if path == "/" else path)
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Access-Control-Allow-Origin"] is None
    if path == "/":
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert f"connect-src 'self' ws://{window.host}" in policy


@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "127.0.0.1", "127.0.0.1:1", "localhost", "LOCALHOST:{}", "127.0.0.1.:{}"),
        *("evil.example:{}", "127.0.0.1:{}.evil.example", "127.1:{}", "0.0.0.0:{}", "[::]:{}", ""),
        *("user@127.0.0.1:{}", "127.0.0.1:{},evil.example", "2130706433:{}"),
    ],
)
def test_another_host_name_is_refused(window: Served, host: str) -> None:
    """As of a site whose name was made to lead to this machine."""
    host = host.format(window.port)
    for path in (link(window), "/viewer.js", "/nothing"):
        status, _, body = asked(window, path, Host=host)
        assert status in (400, 421)
        assert b"viewer" not in body
    assert refused(window, upgrade(window, Host=host)) in (400, 403, 421)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_names_of_this_machine_are_its_own(window: Served, name: str) -> None:
    host = f"{name}:{window.port}"
    assert asked(window, link(window), Host=host)[0] == 200
    assert refused(window, upgrade(window, Host=host, Origin=f"http://{host}")) == 101


@pytest.mark.parametrize(
    "origin",
    [
        *("http://evil.example", "null", "", "https://127.0.0.1:{}", "http://127.0.0.1"),
        *("http://127.0.0.1:1", "http://localhost:{}", "http://127.0.0.1:{}/", "file://"),
        *("http://127.0.0.1:{}.evil.example", "HTTP://127.0.0.1:{}", None),
    ],
)
def test_another_origin_is_refused(window: Served, origin: str | None) -> None:
    given = None if origin is None else origin.format(window.port)
    assert refused(window, upgrade(window, Origin=given)) == 403


@pytest.mark.parametrize("change", ["", "x", "{}x", "x{}", "{}%00", "é", "A" * 5000])
def test_a_link_without_its_token_is_refused(window: Served, change: str) -> None:
    from urllib.parse import quote

    token = quote(change.format(window.token), safe="%")
    status, _, body = asked(window, f"/?token={token}")
    assert status == 403
    assert window.token.encode() not in body
    assert refused(window, upgrade(window, f"/ws?token={token}")) == 403


def test_no_token_and_two_tokens(window: Served) -> None:
    assert asked(window, "/")[0] == 403
    assert asked(window, f"/?token={window.token}&token=x")[0] == 403
    assert asked(window, f"/?Token={window.token}")[0] == 403
    assert refused(window, upgrade(window, "/ws")) == 403


@pytest.mark.parametrize(
    "path",
    [
        *("/../", "/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fdisc.vm", "//"),
        *("/static/viewer.js", "/viewer.js/", "/viewer.js/..", "/page.html", "/disc.vm", "/viewer"),
        *("/etc/passwd", "//etc/passwd", "/%00", "/viewer.js%00", "/favicon.ico", "/viewer.css"),
        *("/" + "a" * 5000, "/docs", "/openapi.json", "/.git/config", "\\..\\disc.vm", "/WS"),
    ],
)
def test_nothing_else_is_served(window: Served, path: str) -> None:
    joint = "&" if "?" in path else "?"
    status, _, body = asked(window, f"{path}{joint}token={window.token}")
    assert status in (400, 404)
    assert b"root:" not in body
    assert b"var-x" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(window: Served, method: str) -> None:
    assert asked(window, link(window), method)[0] in (400, 404, 405)
    assert asked(window, "/ws", method)[0] in (400, 403, 404, 405)


def upgrade(window: Served, path: str = "", **headers: str | None) -> bytes:
    """A request for a websocket."""
    path = path or f"/ws?token={window.token}"
    fields = {
        "Host": window.host, "Origin": window.page, "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    } | headers  # fmt: skip
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def refused(window: Served, request: bytes) -> int:
    """The status of the answer to a request as bytes; 400 if the connection is closed."""
    with socket.create_connection(("127.0.0.1", window.port), WAIT_SECONDS) as raw:
        raw.sendall(request)
        try:
            answer = raw.recv(4096)
        except ConnectionResetError:
            answer = b""
    return int(answer.split()[1]) if answer else 400


@pytest.mark.parametrize(
    "request_",
    [
        b"\0" * 100,
        b"\r\n" * 5000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # without a host
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),  # TLS
        random.Random(1).randbytes(4096) + b"\r\n\r\n",
    ],
    ids=lambda value: repr(value[:24]),
)
def test_broken_http(window: Served, request_: bytes) -> None:
    assert refused(window, request_) in (400, 421, 431)


def joined(window: Served) -> socket.socket:
    """A raw socket of an open websocket."""
    raw = socket.create_connection(("127.0.0.1", window.port), WAIT_SECONDS)
    raw.sendall(upgrade(window))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += raw.recv(1)
    assert answer.startswith(b"HTTP/1.1 101")
    return raw


def frame(
    payload: bytes, first: int = 0x81, *, masked: bool = True, said: int | None = None
) -> bytes:
    """A websocket's frame, perhaps of another length than it says."""
    length, mask = len(payload) if said is None else said, 0x80 if masked else 0
    head = bytes([first, mask | 127]) + struct.pack(">Q", length)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def is_closed(raw: socket.socket) -> bool:
    """Whether the server closes a connection, or says so by a frame after its first message."""
    found = b""
    try:
        while part := raw.recv(1 << 16):
            found += part
            if CLOSE.search(found):
                return True
    except ConnectionResetError:
        pass
    return True


CLOSE = re.compile(rb"\x88[\x02-\x7d]\x03[\xe8-\xf8]")
"""The head of a frame that closes, with its code from 1000 to 1016."""


@pytest.mark.parametrize(
    "broken",
    [
        frame(b"{}", masked=False),
        frame(b"{}", 0xF1),  # reserved bits
        frame(b"{}", 0x83),  # an unknown opcode
        frame(b"\xff\xfe\xfd"),  # no UTF-8
        frame(b"x" * 200, 0x89),  # a ping that is too long
        frame(b"a", 0x80),  # goes on with nothing
        frame(b"", said=1 << 62),
        frame(b"", said=(1 << 63) + 5),
        frame(b"x" * (MOST_BYTES + 1)),
        frame(b"x" * 10, 0x01) + frame(b"y" * 10, 0x01),  # a message in a message
        frame(b"\x00", 0x88),  # half a code
        frame(struct.pack(">H", 9999), 0x88),
        frame(b"GIF89a", 0x82),  # binary
        random.Random(2).randbytes(4096),
    ],
    ids=lambda value: repr(value[:14]),
)
def test_broken_frames_end_their_connection(window: Served, broken: bytes) -> None:
    with joined(window) as raw:
        raw.sendall(broken)
        assert is_closed(raw)


def test_a_long_message_in_parts_is_refused(window: Served) -> None:
    with joined(window) as raw:
        raw.sendall(frame(b"x", 0x01))
        for _ in range(1 + MOST_BYTES // 1000):
            raw.sendall(frame(b"x" * 1000, 0x00))
        assert is_closed(raw)


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "[" * 10_000, '{"a":' * 2500, '"' + "\\u0000" * 2000 + '"', "1" * 16_000),
        json.dumps(a_view(5, size=[10**9, 10**9])),
        json.dumps(a_view(5, size=[4096, 4097])),
        json.dumps(a_view(5, size=[-1, 5])),
        json.dumps(a_view(5, size=[0, 0])),
        json.dumps(a_view(5, plane=PLANE | {"scale": "-1"})),
        json.dumps(a_view(5, plane=PLANE | {"scale": "1e-99999999"})),
        json.dumps(a_view(5, plane=PLANE | {"center": ["9" * 5000, "0"]})),
        json.dumps(a_view(5, plane=PLANE | {"center": ["nan", "inf"]})),
        json.dumps(a_view(5, variables={"r": float("nan")})),
        json.dumps(a_view(5, variables={"__class__": 1e999})),
        json.dumps(a_view(5, isolines=-1)),
        json.dumps({"type": "save", "id": 5, "view": a_view(), "format": "../../x"}),
    ],
    ids=lambda text: text[:40],
)
def test_nonsense_has_an_answer_and_the_page_goes_on(window: Served, text: str) -> None:
    page = patient(window)
    page.ask(text)
    assert page.next("error")[0]["message"]
    page.ask(a_view(6))
    assert page.next("frame")[0]["id"] == 6
    page.close()


def test_the_largest_picture_is_drawn_and_a_larger_file_is_not(window: Served) -> None:
    page = patient(window)
    page.ask(a_view(1, size=[4096, 4096]))
    header, payload = page.next("frame")
    assert (header["size"], len(payload)) == ([4096, 4096], 2 * MIB)
    page.close()


def test_a_flood_of_messages_ends_its_connection(window: Served) -> None:
    with joined(window) as raw:
        message = frame(json.dumps(a_view()).encode())
        raw.sendall(message * 2000)
        assert is_closed(raw)


def test_no_more_windows_than_allowed(window: Served) -> None:
    from intervalvm.viewer.app import MOST_SESSIONS, TRY_AGAIN_LATER

    pages = [patient(window) for _ in range(MOST_SESSIONS)]
    late = window.page_of()
    with pytest.raises(ConnectionClosed) as raised:
        late.next("hello")
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == TRY_AGAIN_LATER
    pages[0].ask(a_view(4))
    assert pages[0].next("frame")[0]["id"] == 4
    for page in pages:
        page.close()


def test_a_flood_of_half_open_connections(window: Served) -> None:
    """Those that ask for nothing are closed, so that others come in again."""
    held = []
    for i in range(300):
        raw = socket.create_connection(("127.0.0.1", window.port), WAIT_SECONDS)
        raw.sendall([b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: "][i % 3])
        held.append(raw)
    assert_shows(window, DISC)
    for raw in held:
        raw.close()


def test_a_connection_that_does_not_read_its_answers_is_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So are all that are no websockets: they may not hold the places of pages for ever."""
    monkeypatch.setattr(http_server, "PAGE_SECONDS", 0.2)

    async def many(scope: Any, _: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64):  # far more than is sent ahead of who does not read
            await send({"type": "http.response.body", "body": b" " * MIB, "more_body": True})

    async def ask() -> None:
        server = http_server.make_server(many)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.ensure_future(server.serve(sockets=[listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            await reader.readexactly(16)
            async with asyncio.timeout(WAIT_SECONDS):
                while not server.server_state.connections:
                    await asyncio.sleep(0.01)
                while server.server_state.connections:
                    await asyncio.sleep(0.01)
            writer.close()
            server.should_exit = True
            await serving

    asyncio.run(ask())


def test_a_page_that_never_reads_takes_no_memory(window: Served) -> None:
    """It gets the next answer when it has read the last one, and its newest view is drawn then."""
    process = psutil.Process(window.process.pid)
    with joined(window) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        before = process.memory_info().rss
        for i in range(400):
            raw.sendall(frame(json.dumps(a_view(i, size=[4096, 4096])).encode()))
            time.sleep(0.005)
        assert process.memory_info().rss - before < 200 * MIB  # 400 pictures are 800


def test_pages_that_go_amid_their_pictures(window: Served) -> None:
    process = psutil.Process(window.process.pid)
    threads = process.num_threads()
    for i in range(40):
        page = patient(window)
        page.ask(a_view(i, size=[2048, 2048], show="value"))
        page.socket.socket.close()  # without a word
    end = time.monotonic() + WAIT_SECONDS
    while process.num_threads() > threads + 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_pages_at_once_each_get_their_own(window: Served) -> None:
    def talk(number: int, found: list[Any]) -> None:
        page = patient(window)
        for i in range(10):
            page.ask(a_view(100 * number + i, plane=PLANE | {"scale": str(1 + number / 10)}))
            header, _ = page.next("frame")
            found.append((header["id"], header["inside"]))
        page.close()

    results: list[list[Any]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=talk, args=pair) for pair in enumerate(results)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    for number, found in enumerate(results):
        region = ivm.Region.around((0, 0), 1 + number / 10)
        image = ivm.render(DISC, size=(64, 48), grid="center", region=region)
        inside = image.stats.pixels["inside"]
        assert found == [(100 * number + i, inside) for i in range(10)]


def test_another_machine_cannot_ask(window: Served) -> None:
    """It listens at the loopback's address alone."""
    listening = [
        each.laddr
        for each in psutil.Process(window.process.pid).net_connections()
        if each.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", window.port)]


def test_a_port_that_is_taken_is_told(window: Served) -> None:
    source = Source(Scene(circle(1), ""))
    with pytest.raises(OptionError, match=str(window.port)):
        serve(source, lambda _: None, port=window.port)
    for port in (-1, 65536):
        with pytest.raises(OptionError, match="port"):
            serve(source, lambda _: None, port=port)


def test_without_its_libraries_it_says_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [each for each in sys.modules if each.startswith("intervalvm.viewer.app")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette.routing", None)
    said = f"a window needs starlette, which is not installed: {install_line('view')}"
    with pytest.raises(BackendError, match=f"^{re.escape(said)}$"):
        serve(Source(Scene(circle(1), "")), lambda _: None)


MOST_SECONDS = 10.0
"""That the end of a process may take on a busy machine; the page on performance has its time."""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs signals")
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_while_a_picture_is_drawn(signal_: int) -> None:
    with served(TOP / "prospero3d.vm") as window:
        page = window.page_of()
        page.ask(a_view(1, size=[4096, 4096], solid={
            "yaw": 30, "pitch": 20, "roll": 0, "center": [0, 0, 0], "scale": 1, "perspective": 0,
        }))  # fmt: skip
        page.next("hello")
        window.process.send_signal(signal_)
        status = window.process.wait(MOST_SECONDS)
        assert status == (0 if signal_ == signal.SIGINT else 143)
        _, said = window.process.communicate()
        assert "Traceback" not in said


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs signals")
@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGKILL])
def test_its_end_is_that_of_a_script_that_runs(tmp_path: Path, signal_: int) -> None:
    """At first, before there is a window; and by force."""
    path, pid = tmp_path / "shape.py", tmp_path / "pid"
    path.write_text(
        f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(1000)\n"
    )
    command = [sys.executable, "-m", "intervalvm", "view", str(path), "--no-browser"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + WAIT_SECONDS
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(signal_)
    process.communicate(timeout=MOST_SECONDS)
    assert process.returncode == (130 if signal_ == signal.SIGINT else -signal.SIGKILL)
    while psutil.pid_exists(int(pid.read_text())):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_file_that_changes_is_shown_anew(tmp_path: Path) -> None:
    path = tmp_path / "shape.py"
    path.write_text("from intervalvm.shapes import *\nshape = circle(0.5)\n")
    with served(path) as window:
        page = window.page_of()
        assert page.next("hello")[0]["revision"] == 0
        path.write_text("from intervalvm.shapes import *\nprint('hello')\nshape = crcle(0.5)\n")
        broken, _ = page.next("broken")
        assert broken["line"] == 3
        path.write_text("from intervalvm.shapes import *\nshape = rectangle(0.5, 1)\n")
        while (hello := page.next("hello")[0])["revision"] != 2:
            pass
        assert hello["clauses"] == len(ivm.shapes.rectangle(0.5, 1).tape())
