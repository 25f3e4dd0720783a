"""The window in a notebook: an anywidget, whose views each have a session.

A view's messages are those of ``session``, with the view's name beside: ``from`` in requests and
``to`` in answers, whose payload is the one buffer. ``hello`` begins a view, and ``bye`` ends it.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from intervalvm.arguments import real
from intervalvm.errors import VariableError
from intervalvm.viewer.session import Session
from intervalvm.viewer.source import Source

MOST_VIEWS = 8
"""Of one widget; the one that was silent for longest gives way to another."""
MOST_LETTERS = 64
"""Of the name of a view."""
MODULE = (files("intervalvm.viewer") / "static" / "viewer.js").read_text(encoding="utf-8")


class Window(anywidget.AnyWidget):
    """The window on a shape in a notebook: ``intervalvm.view`` makes it.

    Attributes
    ----------
    variables : dict of str to float
        The values of the shape's free variables. They follow the sliders, and the sliders follow
        them: ``observe`` tells of changes.
    height : int
        In pixels of a page, of views that are shown from now on.
    """

    _esm = MODULE
    height = traitlets.Int(480, min=120, max=4096).tag(sync=True)
    start = traitlets.Unicode("").tag(sync=True)
    variables = traitlets.Dict().tag(sync=True)

    def __init__(self, source: Source, *, height: int, start: str) -> None:
        self._source = source
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        super().__init__(height=height, start=start, variables=dict(source.scene.variables))
        self.on_msg(self._hear)
        source.start()

    def close(self) -> None:
        """End the widget and its views."""
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()
        self._source.stop()
        super().close()

    @traitlets.validate("variables")
    def _checked(self, proposal: dict[str, Any]) -> dict[str, float]:
        """Those that there are; others keep their values."""
        known = self._source.scene.variables
        given = proposal["value"]
        for name in given:
            if name not in known:
                listed = ", ".join(map(repr, known)) or "none"
                raise VariableError(f"there is no free variable {name!r}; there is {listed}")
        return {**known, **self.variables, **{name: real(name, v) for name, v in given.items()}}

    def _hear(self, _: Any, content: Any, __: Any) -> None:
        """Hand a message to the session of the view from which it comes."""
        if not isinstance(content, Mapping):
            return
        view = content.get("from")
        if not isinstance(view, str) or len(view) > MOST_LETTERS:
            return
        if content.get("type") == "bye":
            if gone := self._sessions.pop(view, None):
                gone.close()
            return
        session = self._session(view)
        if content.get("type") != "hello":
            session.receive(json.dumps({k: v for k, v in content.items() if k != "from"}))

    def _session(self, view: str) -> Session:
        if view not in self._sessions:
            self._sessions[view] = Session(self._source, partial(self._answer, view))
            if len(self._sessions) > MOST_VIEWS:
                self._sessions.popitem(last=False)[1].close()
        self._sessions.move_to_end(view)
        return self._sessions[view]

    def _answer(self, view: str, header: dict[str, Any], payload: bytes) -> None:
        self.send({**header, "to": view}, [payload])
