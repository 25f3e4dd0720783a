"""What begins a window may come in any order: its size, the connection, and facts of the shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.browser import Window, opened
from support.windows import served

import intervalvm as ivm
from intervalvm.shapes import circle

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ASKED = """async () => {
    const { Viewer } = await import("/viewer.js");
    window.asked = async (kind, steps) => {
        const frame = document.createElement("div");
        frame.style = "display: none; width: 320px; height: 200px";
        document.body.append(frame);

        const transport = { sent: [], start(on) { this.on = on; }, stop() {} };
        transport.send = (message) => transport.sent.push(message);
        const model = { a: 1 };
        const start = () => `set=a:${model.a}`;
        const viewer = new Viewer(frame, transport, { isPage: false, start, kept() {} });

        const show = () => { frame.style.display = "block"; };
        const hide = () => { frame.style.display = "none"; };
        // sizes are told after what waits for a frame
        const laidOut = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        const tell = (message) => transport.on.message(message, new Uint8Array());
        const greet = (kind, isBounded) => tell({
            type: "hello", kind, name: "it", clauses: 3, painted: false, revision: 0,
            variables: [{ name: "a", value: 0, low: -1, high: 1 }],
            bounds: isBounded ? [[-1, 2], [0, 1], [0, 3]].slice(0, kind === "solid" ? 3 : 2) : null,
        });
        const known = {
            showing: show,
            shown() { show(); return laidOut(); },
            hiding: hide,
            hidden() { hide(); return laidOut(); },
            connected() { transport.sent = []; transport.on.open(); },
            lost: () => transport.on.closed(1),
            plane: () => greet("plane", false),
            solid: () => greet("solid", false),
            bounded: () => greet(kind, true),
            broken: () => tell({ type: "broken", message: "no", line: 1, revision: 0 }),
            set() { model.a = 2; viewer.setVariables(model); },
        };
        for (const step of steps) await known[step]();

        const error = viewer.error.hidden ? null : viewer.error.innerText;
        viewer.destroy();
        frame.remove();
        const { type, id, moving, ...view } = transport.sent.at(-1) ?? {};
        return { view, error };
    };
}"""
STEPS = [
    *("showing", "shown", "hiding", "hidden"),
    *("connected", "lost", "plane", "solid", "bounded", "broken", "set"),
]


@pytest.fixture(scope="module")
def shown(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """A page with ``asked(kind, steps)``, whose windows talk with the test and no server."""
    path = tmp_path_factory.mktemp("plane") / "circle.vm"
    ivm.save(circle(0.5), path)
    with served(path) as server, opened(browser, server.link) as found:
        found.page.evaluate(ASKED)
        yield found


@given(kind=st.sampled_from(["plane", "solid"]), steps=st.lists(st.sampled_from(STEPS), max_size=8))
@example(kind="plane", steps=[])
@example(kind="plane", steps=["shown", "hiding"])
@settings(max_examples=60)
def test_whole_shape_is_asked_for_in_the_end(shown: Window, kind: str, steps: list[str]) -> None:
    def asked(*steps: str) -> tuple[Any, str | None]:
        found = shown.page.evaluate("([kind, steps]) => asked(kind, steps)", [kind, steps])
        assert not shown.complaints
        return found["view"], found["error"]

    expected, error = asked("shown", "connected", "bounded")
    assert expected["size"] == [318, 198], "less its border"
    assert expected["variables"] == {"a": 1}
    assert error is None
    if "set" in steps:
        expected["variables"] = {"a": 2}
    assert asked(*steps, "connected", "bounded", "shown") == (expected, None)
    assert asked(*steps, "shown", "connected", "bounded") == (expected, None)
    view, error = asked(*steps, "connected", "bounded", "broken", "shown")
    assert view == expected
    assert error
    assert "The picture is that of the last version" in error
