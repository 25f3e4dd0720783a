"""What begins a window may come in any order: its size, the connection, and facts of the shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.browser import opened
from support.windows import served

import intervalvm as ivm
from intervalvm.shapes import circle

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

VIEWER = """() => import("/viewer.js").then(({ Viewer }) => {
    // of a page of its own: where nothing is drawn, a size is told by this alone
    window.begun = (kind) => {
        const frame = document.createElement("div");
        frame.style = "display: none; width: 320px; height: 200px";
        document.body.append(frame);
        const transport = { sent: [], start(on) { this.on = on; }, stop() {} };
        transport.send = (message) => transport.sent.push(message);
        const viewer = new Viewer(frame, transport, { isPage: false, start: () => "", kept() {} });
        const sides = kind === "solid" ? 3 : 2;
        const hello = {
            type: "hello", kind, name: "it", clauses: 3, variables: [], painted: false, revision: 0,
        };
        const bounds = [[-1, 2], [0, 1], [0, 3]].slice(0, sides);
        const show = () => { frame.style.display = "block"; };
        const hide = () => { frame.style.display = "none"; };
        const laidOut = () => new Promise((done) => {
            const observer = new ResizeObserver(() => { observer.disconnect(); done(); });
            observer.observe(frame);
        });
        const steps = {
            showing: show,
            shown: () => { show(); return laidOut(); },
            hiding: hide,
            hidden: () => { hide(); return laidOut(); },
            connected: () => {
                transport.sent = [];
                transport.on.open();
            },
            lost: () => transport.on.closed(1),
            greeted: () => transport.on.message({ ...hello, bounds: null }, new Uint8Array()),
            bounded: () => transport.on.message({ ...hello, bounds }, new Uint8Array()),
            broken: () => transport.on.message(
                { type: "broken", message: "no", line: 1, revision: 0 }, new Uint8Array()),
            keys: () => frame.firstChild.dispatchEvent(
                new KeyboardEvent("keydown", { key: "?", bubbles: true })),
        };
        const end = () => {
            const found = {
                asked: viewer.hook.request,
                isSent: transport.sent.length > 0,
                isBroken: !viewer.error.hidden,
            };
            viewer.destroy();
            frame.remove();
            return found;
        };
        return { steps, end };
    };
    window.asked = async (kind, names) => {
        const { steps, end } = begun(kind);
        for (const name of names) await steps[name]();
        return end();
    };
})"""
NAMES = [
    *("showing", "shown", "hiding", "hidden"),
    *("connected", "lost", "greeted", "bounded", "broken", "keys"),
]


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page that begins windows without a server: ``asked(kind, names of steps)``."""
    path: Path = tmp_path_factory.mktemp("plane") / "circle.vm"
    ivm.save(circle(0.5), path)
    with served(path) as server, opened(browser, server.link) as found:
        found.page.evaluate(VIEWER)
        yield found.page


def asked(page: Page, kind: str, *steps: str) -> Any:
    """What a window asks for after these steps."""
    found = page.evaluate("([kind, names]) => asked(kind, names)", [kind, steps])
    assert found["isSent"]
    assert found["isBroken"] == ("broken" in steps[-2:])
    return found["asked"]


@given(kind=st.sampled_from(["plane", "solid"]), steps=st.lists(st.sampled_from(NAMES), max_size=8))
@example(kind="plane", steps=[])
@example(kind="plane", steps=["shown", "hiding"])
@settings(max_examples=60)
def test_whole_shape_is_asked_for_in_the_end(page: Page, kind: str, steps: list[str]) -> None:
    expected = asked(page, kind, "shown", "connected", "greeted", "bounded")
    assert expected["size"] == [318, 198], "less its border"
    assert asked(page, kind, *steps, "connected", "bounded", "shown") == expected
    assert asked(page, kind, *steps, "shown", "connected", "bounded") == expected
    assert asked(page, kind, *steps, "connected", "bounded", "broken", "shown") == expected
