"""Messages of a page: what each field may be, and that anything else is refused by name."""

from __future__ import annotations

import json
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.windows import PLANE, SOLID, a_view

from intervalvm.errors import IntervalvmError, OptionError
from intervalvm.viewer.request import MOST_BYTES, Save, Solid, Stop, View, Why, id_of, parse
from intervalvm.voxel.view import View as Look

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts),
    max_leaves=8,
)


def test_a_view_of_a_plane() -> None:
    found = parse(
        json.dumps(
            a_view(7, moving=True, show="value", overlay="tiles", isolines=0.1, variables={"r": 2})
        )
    )
    assert isinstance(found, View)
    assert (found.id, found.size, found.moving, found.show) == (7, (64, 48), True, "value")
    assert (found.with_tiles, found.isolines, found.variables) == (True, 0.1, {"r": 2.0})
    assert not isinstance(found.what, Solid)
    assert (found.what.center, found.what.scale) == ((0, 0), 1)


def test_a_view_of_a_solid() -> None:
    found = parse(json.dumps(a_view(solid=SOLID | {"center": [1, 2, 3], "scale": 0.5})))
    assert isinstance(found, View)
    assert isinstance(found.what, Solid)
    assert found.what.look == Look.turntable(30, 20, center=(1, 2, 3), scale=0.5)
    assert found.what.around.center == (Fraction(7, 2), 0)


def test_what_may_be_left_out() -> None:
    found = parse(json.dumps(a_view()))
    assert isinstance(found, View)
    assert (found.moving, found.show, found.with_tiles) == (False, "bitmap", False)
    assert (found.isolines, found.variables) == (None, {})


def test_questions_files_and_the_end_of_one() -> None:
    why = parse(json.dumps({"type": "why", "id": 3, "view": a_view(), "at": [63, 47]}))
    assert isinstance(why, Why)
    assert (why.id, why.at) == (3, (63, 47))
    save = parse(json.dumps({"type": "save", "id": 4, "view": a_view(), "format": "svg"}))
    assert isinstance(save, Save)
    assert save.format == "svg"
    assert parse('{"type": "stop"}') == Stop()


WRONG: list[tuple[str, dict[str, Any]]] = [
    *(("id", {"id": id}) for id in (-1, 1.0, "1", None, True, 2**60)),
    *(("size", {"size": size}) for size in (5, [5], [0, 5], [5, 4097], [1.5, 2], [True, 1], "55")),
    *(("moving", {"moving": moving}) for moving in (1, "yes", None)),
    *(("show", {"show": show}) for show in ("all", 1, None, [])),
    *(("overlay", {"overlay": overlay}) for overlay in ("all", True, {})),
    *(("isolines", {"isolines": isolines}) for isolines in (-1, "1", True, [1])),
    *(("variables", {"variables": v}) for v in ([], 1, {str(i): 0 for i in range(257)})),
    *(("r", {"variables": {"r": value}}) for value in ("1", None, True, 1e301, -1e301)),
    *(("plane", {"plane": plane}) for plane in (None, [], "0,0,1")),
    *(("center", {"plane": PLANE | {"center": c}}) for c in ([0, 0], ["0"], "0", ["0", "x"])),
    *(("scale", {"plane": PLANE | {"scale": s}}) for s in ("0", "-1", 1, "nan", "")),
    ("solid", {"solid": None}),
    *(("paper", {"paper": paper}) for paper in ("#12", "blau", 5, None, [1, 2, 300])),
    *(("yaw", {"solid": SOLID | {"yaw": yaw}}) for yaw in (None, "1", 1e301)),
    *(("center", {"solid": SOLID | {"center": c}}) for c in ([0, 0], [0, 0, None], 0)),
    *(("scale", {"solid": SOLID | {"scale": s}}) for s in (0, -1, None)),
    *(("perspective", {"solid": SOLID | {"perspective": p}}) for p in (1, -0.1, 1e9)),
    ("mode", {"solid": SOLID | {"mode": "wire"}}),
]


@pytest.mark.parametrize(("name", "fields"), WRONG, ids=lambda value: str(value)[:40])
def test_a_wrong_field_is_named(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(IntervalvmError, match=name):
        parse(json.dumps(a_view() | fields))


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "[]", "1", "null", "{}", '{"type": "view"', '{"type": "load"}', '{"type": []}'),
        *('{"type": "view", "id": NaN}', "[" * 9000, '{"a":' * 3000, "1" * 9000, "\ud800"),
        *('{"type": "why", "id": 1}', '{"type": "save", "id": 1, "view": 5}'),
        json.dumps(a_view(variables={"r": float("nan")})),
        json.dumps(a_view(solid=SOLID | {"yaw": float("inf")})),
        json.dumps({"type": "why", "id": 1, "view": a_view(), "at": [64, 0]}),
        json.dumps({"type": "save", "id": 1, "view": a_view(), "format": "exe"}),
        json.dumps(a_view(comment="x" * MOST_BYTES)),
        json.dumps(a_view(comment="é" * (MOST_BYTES // 2)), ensure_ascii=False),
    ],
    ids=lambda text: text[:40],
)
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(OptionError):
        parse(text)


@given(st.sampled_from(sorted(a_view() | {"solid": 0, "show": 0, "overlay": 0})), JSON)
def test_any_value_of_a_field_is_taken_or_refused(name: str, value: Any) -> None:
    with suppress(IntervalvmError):
        parse(json.dumps(a_view() | {name: value}))


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    with pytest.raises(OptionError):
        parse(text)


def test_the_id_of_what_is_refused() -> None:
    assert id_of(json.dumps(a_view(9, size=0))) == 9
    for text in ("", "[1]", '{"id": -1}', '{"id": "9"}', "[" * 9000):
        assert id_of(text) is None
