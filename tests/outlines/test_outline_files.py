"""Files of outlines, read back by others: svgpathtools, ezdxf, shapely, and the bare tags."""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ezdxf
import numpy as np
import pytest
import shapely
import shapely.geometry
import svgpathtools
from ezdxf.document import Drawing
from hypothesis import given, settings
from hypothesis import strategies as st
from support.outlines import (
    Curve,
    Tree,
    fine,
    outline_of,
    parents_of,
    polygon,
    shoelace,
    stats,
    trees,
)

import intervalvm as ivm
from intervalvm import ArgumentTypeError, OptionError, Outline
from intervalvm.outlines import saving

SQUARE = np.array([[0, 0], [2, 0], [2, 1], [0, 1], [0, 0]], np.float64)
HOLE = SQUARE[::-1] * 0.5 + 0.25
CIRCLE = np.array([[-1, 0], [1, 0], [-1, 0]], np.float64)
HALVES = np.array([1.0, 1.0])
FOUR = np.full(4, math.tan(math.pi / 8))
SVG = "{http://www.w3.org/2000/svg}"
SUFFIXES = ["svg", "dxf", "geojson"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(outline: Outline, suffix: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    outline.save(stream, suffix, **options)
    return stream.getvalue()


# --- SVG: by svgpathtools -------------------------------------------------------------------------


def svg_curves(text: str) -> list[Curve]:
    """The curves of a picture, y upwards, arcs as 400 lines; each is closed."""
    found = []
    for path in ET.fromstring(text).iter(f"{SVG}path"):
        for part in svgpathtools.parse_path(path.get("d")).continuous_subpaths():
            assert part.isclosed()
            points = [part[0].start]
            for segment in part:
                many = 400 if isinstance(segment, svgpathtools.Arc) else 1
                points += [segment.point(k / many) for k in range(1, many + 1)]
            found.append(np.array([[p.real, -p.imag] for p in points]))
    return found


@given(trees(), st.sampled_from([1e-3, 1e-6, 0.0]))
@settings(max_examples=40, deadline=None)
def test_svg_has_the_curves(tree: Tree, tolerance: float) -> None:
    outline = outline_of(tree, stats=stats(tolerance))
    found = svg_curves(outline.svg())
    assert len(found) == len(tree)
    for curve, (points, bulges, _) in zip(found, tree, strict=True):
        lines = fine(points, bulges)
        assert shoelace(curve) == pytest.approx(shoelace(lines), abs=4e-5 + tolerance * 1e-2)
        assert np.abs(curve.min(0) - lines.min(0)).max() < 2e-5 + tolerance * 1e-2
        assert np.abs(curve.max(0) - lines.max(0)).max() < 2e-5 + tolerance * 1e-2


def test_svg_of_lines_has_exact_numbers_and_no_point_twice() -> None:
    outline = Outline((SQUARE / 3, HOLE / 3))
    numbers = re.findall(r"[-\d.e]+", outline.svg().partition(' d="')[2].partition('"')[0])
    points = np.array(numbers, np.float64).reshape(-1, 2) * (1, -1)
    assert (points == np.concatenate([outline[0][:-1], outline[1][:-1]])).all()
    assert outline.svg().count("Z") == 2


def test_svg_has_the_digits_that_the_tolerance_needs() -> None:
    text = Outline((SQUARE / 3,), stats=stats(0.01)).svg()
    assert 'd="M0 0 0.66667 0 0.66667 -0.33333 0 -0.33333Z"' in text
    # what rounding makes the same point is one, and a curve of one point is none
    dust = polygon(1 + 1j, 1e-9, 3)
    assert Outline((SQUARE, dust), stats=stats(0.01)).svg().count("M") == 1


@pytest.mark.parametrize(
    ("unit", "width", "height"),
    [("mm", "2mm", "1mm"), ("cm", "2cm", "1cm"), ("m", "200cm", "100cm"),
     ("um", "0.002mm", "0.001mm"), ("in", "2in", "1in"),
     ("ft", "24in", "12in"),
     ("pt", "2pt", "1pt"), ("px", "2px", "1px")],
)  # fmt: skip
def test_svg_has_its_size_in_real_units(unit: Any, width: str, height: str) -> None:
    root = ET.fromstring(Outline((SQUARE + np.array([5, 7]),)).svg(unit=unit))
    assert (root.get("width"), root.get("height")) == (width, height)
    assert root.get("viewBox") == "5 -8 2 1"


def test_svg_has_a_circle_as_two_exact_arcs() -> None:
    outline = Outline((CIRCLE * 2.5,), (HALVES,), stats=stats())
    assert 'd="M-2.5 0A2.5 2.5 0 0 0 2.5 0A2.5 2.5 0 0 0 -2.5 0Z"' in outline.svg()
    turned = CIRCLE @ np.array([[0.6, 0.8], [-0.8, 0.6]]) / 3
    (curve,) = svg_curves(Outline((turned,), (HALVES,), stats=stats()).svg())
    assert np.hypot(*curve.T) == pytest.approx(1 / 3, abs=1e-8)


@given(st.floats(0.5, 40), st.floats(0, 7))
@settings(max_examples=60, deadline=None)
def test_svg_keeps_the_height_of_wide_arcs(bulge: float, turn: float) -> None:
    """A radius of nearly half the chord says little of it."""
    end = np.array([math.cos(turn), math.sin(turn)])
    curve, bulges = np.array([[0, 0], end, [0, 0]]), np.array([bulge, 0])
    (found,) = svg_curves(Outline((curve,), (bulges,), stats=stats(1e-9)).svg())
    left = np.array([-end[1], end[0]])
    assert (found @ left).min() == pytest.approx(-bulge / 2, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"fill": "#cc8844", "fill-rule": "evenodd"}),
        ({"fill": "teal"}, {"fill": "#008080", "fill-rule": "evenodd"}),
        ({"stroke": "red"}, {"fill": "none", "stroke": "#ff0000", "stroke-width": "0.001"}),
        ({"stroke_width": 2}, {"fill": "none", "stroke": "#cc8844", "stroke-width": "2"}),
        (
            {"fill": "#fff", "stroke": "red", "stroke_width": 0.5},
            {"fill": "#ffffff", "fill-rule": "evenodd", "stroke": "#ff0000", "stroke-width": "0.5"},
        ),
    ],
)
def test_svg_is_filled_or_lines(options: dict[str, Any], wanted: dict[str, str]) -> None:
    root = ET.fromstring(Outline((SQUARE,), colours=("#c84",)).svg(unit="cm", **options))
    (path,) = root.iter(f"{SVG}path")
    assert {key: value for key, value in path.attrib.items() if key != "d"} == wanted


def test_svg_has_a_group_for_each_layer() -> None:
    outline = Outline((SQUARE, HOLE, SQUARE + 5), colours=("red", "red", None))
    root = ET.fromstring(outline.svg())
    assert [group.get("id") for group in root] == ["colour-ff0000", "outline"]
    assert [len(group) for group in root] == [1, 1]
    levels = ET.fromstring(Outline((SQUARE, HOLE), levels=[1, 0]).svg())
    assert [path.get("fill") for path in levels.iter(f"{SVG}path")] == ["none", "none"]


def test_svg_leaves_open_curves_open() -> None:
    text = Outline((SQUARE[:3],)).svg()
    assert 'd="M0 0 2 0 2 -1"' in text
    assert 'fill="none"' in text
    arcs = Outline((SQUARE[:3],), ([1, 0],)).svg()
    assert re.search(r'd="M0 0A\S+ \S+ 0 0 0 2 0L2 -1"', arcs)


# --- DXF: by ezdxf, and by its group codes --------------------------------------------------------


def tags(data: bytes) -> list[tuple[int, str]]:
    """The pairs of a file: a group code and a value, a line each."""
    lines = data.decode("ascii").split("\n")
    assert lines.pop() == ""
    return [(int(code), value) for code, value in zip(lines[::2], lines[1::2], strict=True)]


def entities(data: bytes) -> list[list[tuple[int, str]]]:
    """The tags of each entity, vertices of their own."""
    found: list[list[tuple[int, str]]] = []
    pairs = tags(data)
    for pair in pairs[pairs.index((2, "ENTITIES")) + 1 :]:
        if pair == (0, "ENDSEC"):
            return found
        if pair[0] == 0:
            found.append([])
        found[-1].append(pair)
    raise AssertionError("the section has no end")


def raw_curves(data: bytes) -> Iterator[tuple[Curve, Curve]]:
    """The closed polylines and circles, as points, the first one last too, and bulges."""
    whole: list[list[tuple[int, str]]] = []
    for entity in entities(data):
        kind = entity[0][1]
        if kind == "VERTEX":
            whole[-1] += [pair for pair in entity if pair[0] in (10, 20, 42)]
        elif kind != "SEQEND":
            old = kind == "POLYLINE"
            whole.append([pair for pair in entity if not (old and pair[0] in (10, 20, 30))])
    for entity in whole:
        x, y, b = ([float(v) for code, v in entity if code == c] for c in (10, 20, 42))
        if entity[0][1] == "CIRCLE":
            (radius,) = (float(v) for code, v in entity if code == 40)
            yield CIRCLE * radius + [x[0], y[0]], HALVES
            continue
        assert (70, "1") in entity, "it is not closed"
        points = np.array([x, y]).T
        yield np.append(points, points[:1], axis=0), np.array(b) if b else np.zeros(len(x))


def dxf_curves(drawing: Drawing) -> Iterator[tuple[Curve, Curve]]:
    """The same, by ezdxf."""
    for entity in drawing.modelspace():
        if entity.dxftype() == "CIRCLE":
            centre, radius = entity.dxf.center, entity.dxf.radius
            yield CIRCLE * radius + np.array([centre.x, centre.y]), HALVES
            continue
        assert entity.is_closed
        if entity.dxftype() == "LWPOLYLINE":
            rows = np.array(entity.get_points("xyb"))
        else:
            at = [(v.dxf.location.x, v.dxf.location.y, v.dxf.bulge) for v in entity.vertices]
            rows = np.array(at)
        yield np.append(rows[:, :2], rows[:1, :2], axis=0), rows[:, 2]


@given(trees(), st.sampled_from(["R12", "R2000", "R2010", "R2018"]), st.booleans())
@settings(max_examples=25, deadline=None)
def test_dxf_has_the_curves_to_the_last_bit(tree: Tree, version: Any, coloured: bool) -> None:
    colours = ("teal",) * len(tree) if coloured else None
    data = written(outline_of(tree, colours=colours), "dxf", version=version)
    drawing = ezdxf.read(io.StringIO(data.decode("ascii")))
    audit = drawing.audit()
    assert not audit.errors
    assert not audit.fixes
    for found in ([*dxf_curves(drawing)], [*raw_curves(data)]):
        assert len(found) == len(tree)
        for (curve, bulges), (points, wanted, _) in zip(found, tree, strict=True):
            if (len(curve) == 3 and len(points) > 3) or len(points) == 3:  # a full circle
                size = abs(shoelace(fine(points, wanted)))
                assert abs(shoelace(fine(curve, bulges))) == pytest.approx(size, rel=1e-3)
            else:
                assert (curve == points).all()
                assert (bulges == wanted).all()
    for entity in drawing.modelspace():
        assert entity.dxf.layer == ("colour-008080" if coloured else "outline")


@pytest.mark.parametrize("version", ["R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018"])
@pytest.mark.parametrize(
    ("unit", "number"), [("mm", 4), ("cm", 5), ("m", 6), ("in", 1), ("um", 13)]
)
def test_dxf_has_units(version: Any, unit: Any, number: int) -> None:
    outline = Outline((SQUARE, CIRCLE), (np.zeros(4), HALVES), colours=("#c84", "black"))
    outline.save("out.dxf", unit=unit, version=version)
    drawing = ezdxf.readfile("out.dxf")
    assert drawing.acad_release == version
    assert drawing.header["$EXTMIN"][:2] == (-1, -1)
    assert drawing.header["$EXTMAX"][:2] == (2, 1)
    if version == "R12":
        assert not {"$INSUNITS", "$MEASUREMENT"} & {
            value for _, value in tags(Path("out.dxf").read_bytes())
        }
        return
    assert drawing.units == number
    assert drawing.header["$MEASUREMENT"] == int(unit != "in")
    layer, black = drawing.layers.get("colour-cc8844"), drawing.layers.get("colour-000000")
    assert black.color == 7
    assert layer.rgb == ((204, 136, 68) if version != "R2000" else None)
    wanted = np.abs(np.array(ezdxf.colors.aci2rgb(layer.color)) - (204, 136, 68)).max()
    assert wanted < 40


def test_dxf_handles_are_unique_and_below_the_next_one() -> None:
    data = written(Outline((SQUARE, HOLE)), "dxf")
    handles = [value for code, value in tags(data) if code == 5]
    pairs = tags(data)
    seed = pairs[pairs.index((9, "$HANDSEED")) + 1][1]
    assert len(set(handles)) == len(handles)
    assert max(int(handle, 16) for handle in handles[1:]) < int(seed, 16)


def test_dxf_knows_full_circles() -> None:
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [1, 0]], np.float64)
    uneven = np.array([math.tan(math.pi / 8), math.tan(3 * math.pi / 8)])
    quarter = np.array([[1, 0], [0, 1], [1, 0]], np.float64)
    lens = np.array([0.5, 0.5])
    curves = (CIRCLE, corners, quarter + 9, corners[::-1] + 5, quarter + 20, corners - 9)
    bulges = (HALVES, FOUR, uneven, -FOUR, lens, FOUR * np.array([1, 1, 1, 0.5]))
    data = written(Outline(curves, bulges), "dxf")
    kinds = [entity[0][1] for entity in entities(data)]
    assert kinds == ["CIRCLE"] * 4 + ["LWPOLYLINE"] * 2
    centres = [[float(v) for code, v in e if code in (10, 20, 40)] for e in entities(data)[:4]]
    assert np.array(centres) == pytest.approx(
        np.array([[0, 0, 1], [0, 0, 1], [9, 9, 1], [5, 5, 1]])
    )


@pytest.mark.parametrize("version", ["R12", "R2010"])
def test_dxf_leaves_open_curves_open(version: Any) -> None:
    curves = (SQUARE[:2], [[1, 0], [0, 1]], [[0, 1], [1, 0]], SQUARE[:3])
    quarter = math.tan(math.pi / 8)
    outline = Outline(curves, ([0], [quarter], [-quarter], [0, 1]))
    drawing = ezdxf.read(io.StringIO(written(outline, "dxf", version=version).decode()))
    line, arc, back, chain = drawing.modelspace()
    assert line.dxftype() == "LINE"
    assert [*line.dxf.start, *line.dxf.end] == [0, 0, 0, 2, 0, 0]
    for each in (arc, back):
        assert each.dxftype() == "ARC"
        assert each.dxf.radius == pytest.approx(1)
        assert (each.dxf.start_angle % 360, each.dxf.end_angle) == pytest.approx((0, 90))
    assert not chain.is_closed
    assert len([*chain.vertices()] if version == "R2010" else chain.vertices) == 3


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_outline_makes_the_same_file(suffix: str) -> None:
    outline = Outline((SQUARE, HOLE, CIRCLE + 9), (np.zeros(4), np.zeros(4), HALVES))
    assert written(outline, suffix) == written(outline, suffix)


# --- GeoJSON: by shapely --------------------------------------------------------------------------


@given(trees())
@settings(max_examples=40, deadline=None)
def test_geojson_has_polygons_with_their_holes(tree: Tree) -> None:
    outline = outline_of(tree, stats=stats(1e-4))
    read = json.loads(written(outline, "geojson"))
    assert read == json.loads(json.dumps(outline.__geo_interface__))
    assert read["type"] == "FeatureCollection"
    polygons = [shapely.geometry.shape(each["geometry"]) for each in read["features"]]
    assert sum(each.area for each in polygons) == pytest.approx(outline.area, rel=1e-3)
    parents = parents_of(tree)
    assert len(polygons) == parents.count(-1)
    assert sum(len(each.interiors) for each in polygons) == len(tree) - parents.count(-1)
    for each in polygons:
        assert each.is_valid
        assert each.exterior.is_ccw
        assert not any(ring.is_ccw for ring in each.interiors)
    for feature in read["features"]:
        for ring in feature["geometry"]["coordinates"]:
            assert ring[0] == ring[-1]
            assert len(ring) >= 4


def test_geojson_has_colours_levels_and_open_curves() -> None:
    curves = (SQUARE, HOLE, SQUARE[:3] + 5)
    outline = Outline(curves, levels=[0.5, 0.5, 1], colours=("#c84", "#c84", None))
    polygon_, line = json.loads(written(outline, "geojson"))["features"]
    assert polygon_["properties"] == {"fill": "#cc8844", "level": 0.5}
    assert len(polygon_["geometry"]["coordinates"]) == 2
    assert line["properties"] == {"level": 1}
    assert shapely.geometry.shape(line["geometry"]).length == 3
    with pytest.raises(ivm.OptionError, match="curve 0 is a hole in no curve"):
        outline[1:].save("out.geojson")
    assert json.loads(written(Outline(()), "geojson"))["features"] == []


# --- several outlines in one file -----------------------------------------------------------------


PLATE = np.array([[0, 0], [8, 0], [8, 5], [0, 5], [0, 0]], np.float64)
MARK = np.array([[6, 1], [10, 1], [8, 3], [6, 1]], np.float64)
"""It crosses the plate."""


def overlay() -> Outline:
    drill = Outline((CIRCLE[::-1] + np.array([3, 2]),), (-HALVES,))
    return Outline.joined({"cut": Outline((PLATE,)), "ENGRAVE": Outline((MARK,)), "drill-1": drill})


def test_joined_outlines_are_layers_of_one() -> None:
    outline = overlay()
    assert list(outline.layers) == ["cut", "ENGRAVE", "drill-1"]
    assert outline.names == ("cut", "ENGRAVE", "drill-1")
    assert outline.colours == ((0, 0, 0), (255, 0, 0), (0, 0, 255))
    assert [part.area for part in outline.layers.values()] == pytest.approx([40, 4, -math.pi])
    assert outline.parents.tolist() == [-1, -1, -1]  # a hole is one of its layer
    assert pickle.loads(pickle.dumps(outline)).names == outline.names
    assert list(outline[:2].offset(0.1).layers) == ["cut", "ENGRAVE"]
    painted = Outline((PLATE, MARK), colours=("#c84", None), levels=(0, 1))
    both = Outline.joined({"a": painted, "b": Outline((PLATE,), levels=(1,))})
    assert list(both.layers) == ["a-level-1_0-colour-000000", "a-level-0_0-colour-cc8844", "b"]


def test_svg_and_dxf_have_joined_layers_in_order(here: Path) -> None:
    outline = overlay()
    groups = ET.fromstring(outline.svg(stroke_width=0.01)).findall(f"{SVG}g")
    assert [group.get("id") for group in groups] == ["cut", "ENGRAVE", "drill-1"]
    strokes = [path.get("stroke") for group in groups for path in group]
    assert strokes == ["#000000", "#ff0000", "#0000ff"]
    for version in ("R12", "R2010"):
        outline.save("out.dxf", version=version)  # type: ignore[arg-type]
        drawing = ezdxf.readfile("out.dxf")
        assert not drawing.audit().has_errors
        found = {entity.dxf.layer: entity.dxftype() for entity in drawing.modelspace()}
        polyline = "POLYLINE" if version == "R12" else "LWPOLYLINE"
        assert found == {"cut": polyline, "ENGRAVE": polyline, "drill-1": "CIRCLE"}
        assert drawing.layers.get("ENGRAVE").color == 1
    outline[:2].save("out.geojson")
    features = json.loads(Path("out.geojson").read_bytes())["features"]
    assert [feature["properties"]["layer"] for feature in features] == ["cut", "ENGRAVE"]


@pytest.mark.parametrize("name", ["", "a b", "cut.1", "x" * 32, "é"])
def test_names_that_some_dxf_cannot_have_are_refused(name: str) -> None:
    with pytest.raises(OptionError, match="give up to 31 letters, digits"):
        Outline.joined({name: Outline((PLATE,))})
    with pytest.raises(OptionError, match="give up to 31 letters, digits"):
        Outline((PLATE,), names=(name,))


@pytest.mark.parametrize("version", ["R12", "R2010"])
def test_dxf_has_joined_layers_of_names_that_all_drawings_have(here: Path, version: str) -> None:
    names = "0", "Defpoints", "view_port"
    parts = {name: Outline((PLATE,)) for name in names}
    Outline.joined(parts).save(here / "own.dxf", version=version)
    drawing = ezdxf.readfile(here / "own.dxf")
    assert [entity.dxf.layer for entity in drawing.modelspace()] == list(names)
    assert not drawing.audit().errors
    layers = [drawing.layers.get(name) for name in names]
    assert [layer.color for layer in layers[1:]] == [1, 5]
    if version != "R12":  # which has no others
        assert [layer.rgb for layer in layers] == [(0, 0, 0), (255, 0, 0), (0, 0, 255)]


def test_layers_whose_names_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(OptionError, match="whatever the case"):
        Outline.joined({"Cut": Outline((PLATE,)), "cut": Outline((MARK,))})


def test_what_is_not_joined_is_said() -> None:
    wrong: Any = [Outline((PLATE,))]
    with pytest.raises(ArgumentTypeError, match="give a dict of names and outlines"):
        Outline.joined(wrong)
    with pytest.raises(ArgumentTypeError, match="layer cut: 3 is no Outline"):
        Outline.joined({"cut": 3})  # type: ignore[dict-item]
    with pytest.raises(OptionError, match="1 names for 2 curves"):
        Outline((PLATE, MARK), names=("cut",))


# --- writing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [0.5, 25.0])
@pytest.mark.parametrize("suffix", ["svg", "dxf", "geojson"])
def test_a_scale_is_that_of_all_coordinates(suffix: str, scale: float, here: Path) -> None:
    """The same as of larger curves, found to a larger tolerance."""
    outline = Outline((PLATE + 1, MARK), stats=stats(0.01))
    larger = Outline(tuple(curve * scale for curve in outline), stats=stats(0.01 * scale))
    outline.save(f"a.{suffix}", scale=scale)
    larger.save(f"b.{suffix}")
    assert Path(f"a.{suffix}").read_bytes() == Path(f"b.{suffix}").read_bytes()
    with pytest.raises(OptionError, match="scale"):
        outline.save(f"a.{suffix}", scale=-1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_path_a_stream_and_a_pipe_get_the_same(suffix: str, here: Path) -> None:
    outline = Outline((SQUARE,))
    wanted = written(outline, suffix)
    outline.save(here / f"a.{suffix.upper()}")
    outline.save("b", suffix)
    with open(f"c.{suffix}", "wb") as stream:
        outline.save(stream)
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:
        outline.save(pipe, suffix)
        pipe.flush()
        assert os.read(reading, 1 << 20) == wanted
    os.close(reading)
    for name in (f"a.{suffix.upper()}", "b", f"c.{suffix}"):
        assert (here / name).read_bytes() == wanted


@pytest.mark.parametrize(
    ("path", "options", "said"),
    [
        ("a.png", {}, r"'\.png' names no format: choose \.svg \.dxf \.geojson"),
        ("a", {}, r"without a suffix names no format"),
        ("a.svg", {"format": "stl"}, "names no format"),
        ("a.svg", {"unit": "inch"}, r"no unit 'inch' \(did you mean 'in'\?\)"),
        ("a.geojson", {"unit": None}, "no unit None: choose 'um', 'mm'"),
        ("a.dxf", {"unit": "px"}, "no unit of a .dxf 'px': choose 'um'"),
        ("a.dxf", {"version": "R13"}, "no version 'R13'"),
        ("a.dxf", {"fill": "red"}, r"fill='red' is for \.svg, not \.dxf"),
        ("a.svg", {"version": "R12"}, r"version='R12' is for \.dxf, not \.svg"),
        ("a.svg", {"fill": "no such"}, "is not a colour"),
        ("a.svg", {"stroke": 3}, "is not a colour"),
        ("a.svg", {"stroke_width": 0}, "a number above 0"),
        ("a.svg", {"stroke_width": math.nan}, "a finite number"),
        ("no/such/a.svg", {}, "there is no folder"),
        ("a\0.svg", {}, "cannot be the name of a file"),
        (3.5, {}, "is no path"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is_left(
    path: Any, options: dict[str, Any], said: str, here: Path
) -> None:
    with pytest.raises(ivm.IntervalvmError, match=said):
        Outline((SQUARE,)).save(path, **options)
    assert not [*here.iterdir()]


@pytest.mark.parametrize("suffix", ["svg", "dxf"])
def test_a_file_of_nothing_is_refused(suffix: str, here: Path) -> None:
    with pytest.raises(ivm.OptionError, match="no curves"):
        Outline(()).save(f"out.{suffix}")
    assert not [*here.iterdir()]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_failed_write_leaves_the_old_file(
    suffix: str, failure: Any, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = here / f"out.{suffix}"
    out.write_bytes(b"old")

    def half(data: bytes, stream: Any) -> None:
        stream.write(data[: len(data) // 2])
        raise failure

    monkeypatch.setattr(saving, "_write", half)
    kind = ivm.FileError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(kind):
        Outline((SQUARE,)).save(out)
    assert [*here.iterdir()] == [out]
    assert out.read_bytes() == b"old"


def test_without_ezdxf_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ezdxf._options", None)
    with pytest.raises(ivm.BackendError, match="pip install"):
        Outline((SQUARE,)).save("out.dxf")
    assert not [*here.iterdir()]
