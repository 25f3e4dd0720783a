"""The widget without a browser: its messages over a comm, its traits, and where ``view`` opens."""

from __future__ import annotations

import json
import queue
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from support.windows import WAIT_SECONDS, a_view, bits_of

import intervalvm as ivm
from intervalvm import notebooks, shapes
from intervalvm.viewer import opening

pytest.importorskip("anywidget")
pytestmark = pytest.mark.usefixtures("kernels")
PART = shapes.circle(ivm.var("r", 0.5))


class Comm:
    """A comm that keeps what the kernel sends, and calls back as a page does."""

    comm_id = "a-comm"
    kernel = "a kernel"

    def __init__(self, **opened: Any) -> None:
        self.opened = opened
        self.sent: queue.Queue[tuple[dict[str, Any], list[bytes]]] = queue.Queue()

    def on_msg(self, hear: Any) -> None:
        self._hear = hear

    def on_close(self, _: Any) -> None:
        pass

    def close(self, *_: Any, **__: Any) -> None:
        pass

    def send(self, data: Any = None, metadata: Any = None, buffers: Any = None) -> None:
        del metadata
        self.sent.put((data, buffers or []))

    def page_says(self, content: Any) -> None:
        """A custom message of a page, as a kernel gets it."""
        self._hear({"content": {"data": {"method": "custom", "content": content}}, "buffers": []})

    def page_sets(self, **state: Any) -> None:
        data = {"method": "update", "state": state, "buffer_paths": []}
        self._hear({"content": {"data": data}, "buffers": []})

    def next(self, method: str, **fields: Any) -> tuple[Any, list[bytes]]:
        """What was sent next by this method with these fields in its content."""
        while True:
            data, buffers = self.sent.get(timeout=WAIT_SECONDS)
            content = data.get("content", data.get("state"))
            if data["method"] == method and fields.items() <= content.items():
                return content, buffers


@pytest.fixture
def comm(monkeypatch: pytest.MonkeyPatch) -> Comm:
    """The comm of the next widget."""
    import ipywidgets

    made: list[Comm] = [Comm()]
    monkeypatch.setattr(ipywidgets.widgets.widget.comm, "create_comm", lambda **_: made[0])
    monkeypatch.setattr(notebooks, "jupyter", lambda: True)
    return made[0]


@pytest.fixture
def window(comm: Comm) -> Iterator[Any]:
    found = ivm.view(PART, height=300, region=(-1, 1, -1, 1), overlay="tiles")
    yield found
    found.close()


def test_a_view_is_greeted_and_gets_its_pictures(comm: Comm, window: Any) -> None:
    comm.page_says({"type": "hello", "from": "one"})
    hello, _ = comm.next("custom", type="hello", to="one")
    assert hello["kind"] == "plane"
    assert hello["variables"] == [{"name": "r", "value": 0.5, "low": 0.0, "high": 1.0}]
    comm.page_says({**a_view(7, variables={"r": 0.25}), "from": "one"})
    frame, (payload,) = comm.next("custom", type="frame", to="one")
    assert (frame["id"], frame["final"]) == (7, True)
    drawn = ivm.render(PART, size=(64, 48), grid="center", variables={"r": 0.25})
    np.testing.assert_array_equal(bits_of(frame, payload)[0], drawn.pixels == 255)


def test_two_views_of_a_widget_have_their_own_pictures(comm: Comm, window: Any) -> None:
    for view, radius in [("one", 0.25), ("two", 0.75)]:
        comm.page_says({"type": "hello", "from": view})
        comm.page_says({**a_view(1, variables={"r": radius}), "from": view})
        frame, _ = comm.next("custom", type="frame", to=view)
        drawn = ivm.render(PART, size=(64, 48), grid="center", variables={"r": radius})
        assert frame["inside"] == np.count_nonzero(drawn.pixels)


def test_a_view_that_goes_ends_its_session(comm: Comm, window: Any) -> None:
    comm.page_says({"type": "hello", "from": "one"})
    comm.next("custom", type="hello", to="one")
    comm.page_says({"type": "bye", "from": "one"})
    comm.page_says({"type": "bye", "from": "nobody"})
    assert not window._sessions


def test_views_are_bounded_and_the_silent_one_goes(comm: Comm, window: Any) -> None:
    for k in range(12):
        comm.page_says({"type": "hello", "from": f"view {k}"})
        comm.page_says({"type": "stop", "from": "view 0"})
    assert len(window._sessions) == 8
    assert "view 0" in window._sessions
    assert "view 1" not in window._sessions


@pytest.mark.parametrize(
    "content", [None, [], "text", {}, {"from": 1}, {"from": "x" * 65}, {"type": "hello"}]
)
def test_what_is_no_message_is_left_alone(comm: Comm, window: Any, content: Any) -> None:
    comm.page_says(content)
    assert not window._sessions


def test_a_wrong_message_is_answered(comm: Comm, window: Any) -> None:
    comm.page_says({"type": "view", "id": 3, "size": [0, 0], "from": "one"})
    error, _ = comm.next("custom", type="error", to="one")
    assert error["id"] == 3
    assert "size" in error["message"]


def test_variables_go_both_ways(comm: Comm, window: Any) -> None:
    assert window.variables == {"r": 0.5}
    seen: list[Any] = []
    window.observe(lambda change: seen.append(change["new"]), "variables")
    comm.page_sets(variables={"r": 0.7})
    assert window.variables == {"r": 0.7}
    window.variables = {"r": 1}
    assert comm.next("update", variables={"r": 1.0})
    assert seen == [{"r": 0.7}, {"r": 1.0}]
    with pytest.raises(ivm.VariableError, match="'nobody'"):
        window.variables = {"nobody": 1}
    with pytest.raises(ivm.ArgumentTypeError, match="r="):
        window.variables = {"r": "wide"}
    assert window.variables == {"r": 1.0}


def test_how_it_begins(window: Any) -> None:
    assert window.height == 300
    assert window.start == "show=bitmap&overlay=tiles&view=0.0%2C0.0%2C1.0"
    assert "export default { render }" in window._esm


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"show": "pixels"}, "'pixels'"),
        ({"overlay": "hats"}, "'hats'"),
        ({"height": 10}, "from 120 to 4096"),
        ({"height": None}, "from 120"),
        ({"port": 1 << 20}, "to 65535"),
        ({"region": (1, 0, 0, 1)}, "lower end first"),
        ({"variables": {"s": 1}}, "'s'"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ivm.IntervalvmError, match=said):
        ivm.view(PART, **options)


def test_without_anywidget_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(notebooks, "jupyter", lambda: True)
    monkeypatch.delitem(sys.modules, "intervalvm.viewer.widget", raising=False)
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ivm.BackendError, match=r"needs anywidget, .*: pip install"):
        ivm.view(PART)


def test_elsewhere_the_page_is_served_until_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def interrupt(link: str) -> bool:
        opened.append(link)
        raise KeyboardInterrupt

    monkeypatch.setattr(opening.webbrowser, "open", interrupt)
    assert ivm.view(PART, region=ivm.Region.around((0.25, -0.5), 0.125), show="value") is None
    (link,) = opened
    page, _, start = link.partition("#")
    assert page.startswith("http://127.0.0.1:")
    assert start == "show=value&overlay=none&view=0.25%2C-0.5%2C0.125"


@pytest.mark.parametrize(
    ("modules", "found"),
    [
        ({"IPython": None, "marimo": None}, False),
        ({"IPython": SimpleNamespace(get_ipython=lambda: None), "marimo": None}, False),
        ({"IPython": SimpleNamespace(get_ipython=lambda: SimpleNamespace(kernel=1))}, True),
        ({"IPython": None, "marimo": SimpleNamespace(running_in_notebook=lambda: True)}, True),
        ({"IPython": None, "marimo": SimpleNamespace(running_in_notebook=lambda: False)}, False),
    ],
)
def test_notebooks_are_told_from_other_programs(
    modules: dict[str, Any], found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    assert bool(notebooks.jupyter() or notebooks.marimo()) is found


def test_messages_are_json(comm: Comm, window: Any) -> None:
    comm.page_says({"type": "hello", "from": "one"})
    hello, _ = comm.next("custom", type="hello")
    json.dumps(hello, allow_nan=False)
