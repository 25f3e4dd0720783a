"""Fonts: outlines against shapely's, seams, kerning, fonts that cannot be used."""

from __future__ import annotations

import multiprocessing
import pickle
import string
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import shapely
from font_source_serif_pro import font_files_otf, font_files_ttf
from fontTools.ttLib import TTFont
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import fonts

from intervalvm.api.bounds import interval
from intervalvm.errors import ArgumentTypeError, BackendError, FileError, OptionError
from intervalvm.expr import axes
from intervalvm.shapes import Font, text
from intervalvm.shapes.text.font import folded
from intervalvm.shapes.text.harfbuzz import CUBIC_TOLERANCE
from intervalvm.shapes.text.outline import Chain, outline, pieces
from intervalvm.shapes.text.outline_field import chain_curve, glyph_pen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from intervalvm.tape import Tape

SERIF = {"ttf": font_files_ttf["SourceSerifPro"], "otf": font_files_otf["SourceSerifPro"]}
INK = string.ascii_letters + string.digits + string.punctuation + "“”‘’—–…«»•°éçñåßœ§½®"
x, y, _ = axes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fonts.made(tmp_path_factory.mktemp("fonts") / "made.ttf")


@pytest.fixture(scope="module")
def serif() -> dict[str, Font]:
    return {kind: Font(path) for kind, path in SERIF.items()}


def glyph(font: Font, char: str) -> Tape:
    """The tape of a glyph in ems, its origin at 0."""
    return glyph_pen(font.outline(font.glyph(char)), x, y, font.em, 1 / font.em)(0.0).tape()


def agree(font: Font, char: str, inside: Any, tolerance: float, dtype: str = "float32") -> None:
    """Assert that a glyph is ``inside`` (in font units), but ``tolerance`` ems about its edge."""
    left, bottom, right, top = inside.bounds
    across = np.linspace(left - 0.1 * font.em, right + 0.1 * font.em, 67)
    down = np.linspace(bottom - 0.1 * font.em, top + 0.1 * font.em, 71)
    px, py = (side.ravel() for side in np.meshgrid(across, down))
    found = glyph(font, char)(px / font.em, py / font.em, dtype=dtype) < 0
    wrong = found != shapely.contains_xy(inside, px, py)
    off = shapely.distance(inside.boundary, shapely.points(px[wrong], py[wrong])) / font.em
    assert off.max(initial=0.0) <= tolerance, char
    assert found.any()


@pytest.mark.parametrize("char", "OTXL@CSV")
def test_a_made_glyph_is_what_its_contours_enclose(made: str, char: str) -> None:
    agree(Font(made), char, fonts.filled(made, char), 1e-4)
    agree(Font(made), char, fonts.filled(made, char), 1e-4, "float64")


@pytest.mark.parametrize("kind", SERIF)
def test_every_glyph_of_a_text_font_is_what_its_contours_enclose(
    serif: dict[str, Font], kind: str
) -> None:
    tolerance = 1e-4 if kind == "ttf" else CUBIC_TOLERANCE + 1e-4
    for char in INK:
        agree(serif[kind], char, fonts.filled(SERIF[kind], char), tolerance)


def test_the_winding_rule_keeps_what_overlaps(made: str) -> None:
    """Where two bars of T, or of X, lie on each other, the even-odd rule would leave a hole."""
    font = Font(made)
    for char, at in (("T", (0.3, 0.65)), ("X", (0.32, 0.35)), ("@", (0.45, 0.3))):
        assert glyph(font, char)(*at) < 0
    assert glyph(font, "O")(0.35, 0.35) > 0


def test_a_contour_next_to_another_leaves_no_gap() -> None:
    def box(left: float, right: float) -> list[Any]:
        corners = [(left, 0.0), (left, 1.0), (right, 1.0), (right, 0.0)]
        return list(zip(corners, [*corners[1:], corners[0]], strict=True))

    found = outline([*box(0, 1), *box(1, 2)], 1)
    assert found.spans == [[(0, 1)]]
    tape = glyph_pen(found, x, y, 1, 1)(0.0).tape()
    assert (tape(np.linspace(0.01, 1.99, 199), 0.5) < 0).all()


def neighbours(value: float) -> list[np.float32]:
    """The float32 next to a number, and some on both sides."""
    found = [np.float32(value)]
    for _ in range(3):
        found.append(np.nextafter(found[-1], np.float32(9)))
        found.insert(0, np.nextafter(found[0], np.float32(-9)))
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_seam_shows_where_slabs_or_pieces_meet(serif: dict[str, Font], dtype: str) -> None:
    """Rows of pixels on, and some roundings beside, each height at which a glyph is cut."""
    font = serif["ttf"]
    across = np.linspace(-0.1, 1.1, 201)
    for char in "aegknsB&@%":
        found, tape = font.outline(font.glyph(char)), glyph(font, char)
        joints = [h for chain in found.chains for h in chain.joints]
        rows = np.array([neighbours(h / font.em) for h in {*found.heights, *joints}])[..., None]
        at = rows[:, 3:4].astype(float)
        inside = (tape(across, at + 2e-4) < 0) & (tape(across, at - 2e-4) < 0)
        clear = inside[..., 1:-1] & inside[..., :-2] & inside[..., 2:]  # of corners of the outline
        values = tape(across[1:-1], rows, dtype=dtype)
        assert (values[np.broadcast_to(clear, values.shape)] < 0).all(), char


def chains(font: Font, chars: str) -> Iterator[Chain]:
    for char in chars:
        yield from font.outline(font.glyph(char)).chains


def test_a_chain_goes_through_its_pieces(serif: dict[str, Font]) -> None:
    font = serif["ttf"]
    for chain in chains(font, "aegsyGQRS&@238%ß§"):
        tape = chain_curve(chain, y, 1 / font.em).expr().tape()
        ends = [chain.pieces[0].y0, *chain.joints, chain.pieces[-1].y2]
        for piece, (low, high) in zip(chain.pieces, pairwise(ends), strict=True):
            heights = np.linspace(low, high, 7)
            places = [piece.x_at(height) / font.em for height in heights]
            values = tape(0.0, heights / font.em, dtype="float64")
            # the steep line at a joint cuts off what is nearly level there
            np.testing.assert_allclose(values, places, rtol=0, atol=2e-4)


def test_bounds_of_a_piece_are_exact(serif: dict[str, Font]) -> None:
    """So a rectangle is undecided only if the curve passes through it."""
    font = serif["ttf"]
    alone = [chain for chain in chains(font, INK) if len(chain.pieces) == 1]
    assert len(alone) > 100
    for chain in alone:
        piece = chain.pieces[0]
        tape = chain_curve(chain, y, 1 / font.em).expr().tape()
        low, high = np.quantile([piece.y0, piece.y2], [0.3, 0.6])
        box = interval(tape, x=0, y=(low / font.em, high / font.em), dtype="float64")
        places = sorted(piece.x_at(height) / font.em for height in (low, high))
        np.testing.assert_allclose([box.lower, box.upper], places, rtol=0, atol=2e-4)


POINT = st.tuples(st.integers(-50, 50), st.integers(-50, 50))


@given(st.tuples(POINT, POINT, POINT))
@example(((0, 0), (5, 5), (3, 6)))
@example(((0, 0), (5, 5), (3, 3)))
def test_pieces_go_one_way_and_end_where_the_next_begins(points: Any) -> None:
    found = list(pieces(points))
    rise = sum(piece.winding * (piece.y2 - piece.y0) for piece in found)
    assert rise == pytest.approx(points[2][1] - points[0][1], abs=1e-9)
    for piece in found:
        assert piece.y0 < piece.y2
        assert piece.y0 <= piece.y1 <= piece.y2
        assert min(piece.x0, piece.x2) <= piece.x1 <= max(piece.x0, piece.x2)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(POINT, POINT, POINT), min_size=1, max_size=3))
@example([((0, 0), (1, 0), (1, 2)), ((0, 0), (2, 1), (0, -1))])
@example([((0, 0), (5, 0), (5, 1)), ((0, 0), (0, 0), (10, 1))])
def test_any_contours_are_filled_by_winding(triangles: Any) -> None:
    """Triangles with one bent side, however they cross."""
    segments: list[Any] = []
    for a, b, c in triangles:
        middle = (a[0] + b[1]) / 2, (a[1] - c[0]) / 2
        segments += [(a, middle, b), (b, c), (c, a)]
    check_filling(segments)


@pytest.mark.parametrize("upside", [1, -1])
def test_three_parts_may_meet_in_a_point(upside: int) -> None:
    corners = [[(-20, -20), (20, -20), (0, 0)], [(0, 0), (-30, 30), (-10, 30)],
               [(0, 0), (10, 30), (30, 30)]]  # fmt: skip
    triangles = [[(px, upside * py) for px, py in triangle] for triangle in corners]
    check_filling([(a, b) for t in triangles for a, b in pairwise([*t, t[0]])])


def check_filling(segments: Any) -> None:
    found = outline(segments, 100)
    px, py = (side.ravel() + 0.123 for side in np.meshgrid(*[np.linspace(-60, 60, 31)] * 2))
    inside, distance = winding(segments, px, py)
    if not found.chains:
        assert not (inside & (distance > 0.05)).any()
        return
    values = glyph_pen(found, x, y, 100, 1)(0.0).tape()(px, py, dtype="float64")
    wrong = (values < 0) != inside
    assert distance[wrong].max(initial=0.0) < 0.05


def winding(segments: Any, px: Any, py: Any) -> tuple[Any, Any]:
    """Whether contours wind around points, and how far off their nearest point is."""
    t = np.linspace(0, 1, 65)[:, None]
    total, distance = np.zeros(px.shape, int), np.full(px.shape, np.inf)
    for segment in segments:
        start, stop = np.array(segment[0], float), np.array(segment[-1], float)
        control = np.array(segment[1], float) if len(segment) == 3 else (start + stop) / 2
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * stop
        line = shapely.LineString(curve)
        distance = np.minimum(distance, shapely.distance(line, shapely.points(px, py)))
        for (x0, y0), (x1, y1) in pairwise(curve):
            side = (x1 - x0) * (py - y0) - (y1 - y0) * (px - x0)
            total += ((y0 <= py) & (py < y1) & (side > 0)).astype(int)
            total -= (y1 <= py) & (py < y0) & (side < 0)
    return total != 0, distance


def test_a_fold_is_the_height_over_the_nearest_line() -> None:
    lines, middle = [-3.0, 0.0, 2.0, 7.0], 0.4
    tape = folded(y, lines, middle).tape()
    heights = np.linspace(-4, 9, 500)
    places = np.array(lines) + middle
    nearest = np.abs(heights[:, None] - places).argmin(axis=1)
    expected = heights - np.array(lines)[nearest]
    bounds = (places[1:] + places[:-1]) / 2
    clear = np.abs(heights[:, None] - bounds).min(axis=1) > 0.1
    values = tape(0.0, heights, dtype="float64")
    np.testing.assert_allclose(values[clear], expected[clear], rtol=0, atol=1e-12)
    assert np.abs(np.diff(values)).max() < 65 * 13 / 499 * 1.01  # it is continuous


def test_kerning_comes_from_gpos(made: str, serif: dict[str, Font]) -> None:
    font = Font(made)
    assert font.kerning("T", "O") == -80
    assert font.kerning("O", "T") == font.kerning("S", "V") == -40
    assert font.kerning("L", "L") == font.kerning("O", "O") == font.kerning("O", "?") == 0
    assert serif["ttf"].kerning("A", "V") < -50 < serif["ttf"].kerning("n", "n")


def test_kerning_moves_the_next_glyph(made: str, tmp_path: Path) -> None:
    """The left side of the second stem, in a font with kerning and in the same without."""

    def left(path: str) -> float:
        across = np.linspace(0.6, 1.6, 4001)
        shape = text("TV", font=path, size=1, align="left", valign="baseline")
        inside = shape.tape()(across, 0.699) < 0
        return float(across[inside & (across > 0.62)].min())

    plain = left(fonts.made(tmp_path / "plain.ttf", kern=False))
    assert plain == pytest.approx(0.6, abs=0.021)
    shape = text("OV", font=made, size=1, align="left", valign="baseline").tape()
    assert shape(0.67, 0.699) < 0 <= shape(0.655, 0.699)


def test_the_older_table_of_pairs_counts_where_there_is_no_gpos(tmp_path: Path) -> None:
    from fontTools.ttLib import TTFont, newTable
    from fontTools.ttLib.tables._k_e_r_n import KernTable_format_0

    path = fonts.made(tmp_path / "old.ttf", kern=False)
    font = TTFont(path)
    pairs = KernTable_format_0()
    pairs.coverage, pairs.version, pairs.kernTable = 1, 0, {("T", "O"): -33}
    font["kern"] = newTable("kern")
    font["kern"].version, font["kern"].kernTables = 0, [pairs]
    font.save(path)
    assert Font(path).kerning("T", "O") == -33
    assert Font(path).kerning("O", "T") == 0


def test_a_variable_font_is_drawn_at_its_location(tmp_path: Path) -> None:
    path = fonts.made(tmp_path / "variable.ttf", variable=True)
    heavy = Font(path, location={"wght": 700})
    agree(heavy, "L", fonts.filled(path, "L", {"wght": 700}), 1e-4)
    assert glyph(heavy, "L")(0.24, 0.5) < 0 < glyph(Font(path), "L")(0.24, 0.5)
    with pytest.raises(OptionError, match=r"no axis 'wdth'; its axes are wght"):
        Font(path, location={"wdth": 100})
    with pytest.raises(OptionError, match=r"wght of .* is 400 to 700, not 900"):
        Font(path, location={"wght": 900})
    with pytest.raises(ArgumentTypeError, match="wght is a number, not 'str': 'bold'"):
        Font(path, location={"wght": "bold"})  # type: ignore[dict-item]
    with pytest.raises(ArgumentTypeError, match=r"location=700: give a dict, as in {'wght': 700}"):
        Font(path, location=700)  # type: ignore[arg-type]
    assert repr(heavy) == f"Font({str(path)!r}, location={{'wght': 700.0}})"
    assert repr(Font(path)) == f"Font({str(path)!r})"


def test_cubic_curves_are_within_the_tolerance(tmp_path: Path) -> None:
    path = fonts.made_cubic(tmp_path / "rings.otf")
    agree(Font(path), "O", fonts.filled(path, "O"), CUBIC_TOLERANCE + 1e-4)


def test_a_static_font_has_no_axis(made: str) -> None:
    with pytest.raises(OptionError, match="has no axis 'wght'; it is not a variable font"):
        Font(made, location={"wght": 500})


def test_files_that_are_no_fonts(made: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read the font .*missing.ttf: No such file"):
        Font(tmp_path / "missing.ttf")
    page = tmp_path / "page.ttf"
    page.write_text("not a font")
    with pytest.raises(FileError, match=r"page.ttf is not a font .* give a .ttf, .otf, .ttc or"):
        Font(page)
    page.write_bytes(Path(made).read_bytes()[:700])
    with pytest.raises(FileError, match=r"page.ttf is not a font that can be read"):
        Font(page)
    page.write_bytes(fonts.without(made, "glyf", "loca"))
    with pytest.raises(FileError, match="no outlines, only bitmaps"):
        Font(page)
    page.write_bytes(fonts.without(made, "cmap"))
    with pytest.raises(FileError, match="is not a font that can be read"):
        Font(page)


@pytest.mark.parametrize("library", ["uharfbuzz", "fontTools.cu2qu"])
def test_without_the_libraries_the_install_line_is_said(
    made: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(BackendError, match=r"pip install '(fonttools>=|\.\[fonts)"):
        text("O", font=made)


def test_a_collection_has_fonts_by_number(made: str, tmp_path: Path) -> None:
    from fontTools.ttLib import TTCollection, TTFont

    collection = TTCollection()
    collection.fonts = [TTFont(made), TTFont(SERIF["ttf"])]
    path = tmp_path / "both.ttc"
    collection.save(path)
    assert Font(path).em == fonts.EM
    assert Font(path, number=1).metrics("q")
    with pytest.raises(OptionError, match="no font of the number 2"):
        Font(path, number=2)


def test_a_number_is_that_of_a_font(made: str) -> None:
    for number in (-1, 0.5):
        with pytest.raises(OptionError, match=r"number=.* is not a whole number"):
            Font(made, number=number)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="no font of the number 1: it has 1"):
        Font(made, number=1)


def test_a_location_is_of_numbers(tmp_path: Path) -> None:
    path = fonts.made(tmp_path / "variable.ttf", variable=True)
    for location, kind in (({"wght": "700"}, TypeError), ([700], TypeError), (700, TypeError),
                           ({"wght": float("nan")}, OptionError)):  # fmt: skip
        with pytest.raises(kind):
            Font(path, location=location)  # type: ignore[arg-type]


def test_arguments_of_a_wrong_type_are_named(made: str) -> None:
    wrong: Any
    for wrong in (3, ["made.ttf"]):
        with pytest.raises(ArgumentTypeError, match="is no path"):
            Font(wrong)
        with pytest.raises(ArgumentTypeError, match="a font is a path or a Font"):
            text("O", font=wrong)
    with pytest.raises(FileError, match="cannot read the font"):
        Font("made\0.ttf")
    font = Font(made)
    for call in (font.metrics, font.glyph, lambda char: font.kerning("O", char)):
        with pytest.raises(ArgumentTypeError, match="a character is a str, not 'int'"):
            call(79)
        for char in ("", "OT"):
            with pytest.raises(OptionError, match="is not one character"):
                call(char)


@pytest.mark.parametrize("kind", ["quadratic", "variable", "cubic"])
def test_a_font_for_the_web_is_the_font_that_was_packed(kind: str, tmp_path: Path) -> None:
    plain, packed = str(tmp_path / "plain.ttf"), tmp_path / "packed.woff"
    if kind == "cubic":
        fonts.made_cubic(plain)
    else:
        fonts.made(plain, variable=kind == "variable")
    with TTFont(plain) as font:
        font.flavor = "woff"
        font.save(packed)
    assert packed.read_bytes()[:4] == b"wOFF"
    location = {"wght": 700} if kind == "variable" else {}
    string = "O O" if kind == "cubic" else "LOT TO C@"
    same = [text(string, font=Font(path, location=location)).tape() for path in (plain, packed)]
    assert same[0] == same[1]
    with pytest.raises(OptionError, match="has no font of the number 1"):
        Font(packed, number=1)


def drawn(font: Font) -> Tape:
    return text("LOT", font=font).tape()


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_a_font_crosses_processes(start: str, tmp_path: Path) -> None:
    font = Font(fonts.made(tmp_path / "font.ttf", variable=True), location={"wght": 600})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(start)) as pool:
        assert pool.submit(drawn, font).result(timeout=60) == drawn(font)


def test_a_font_crosses_to_another_folder_but_not_to_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fonts.made("font.ttf")
    data = pickle.dumps(Font("font.ttf"))
    monkeypatch.chdir("/")
    assert drawn(pickle.loads(data)) == drawn(Font(tmp_path / "font.ttf"))
    fonts.made(tmp_path / "font.ttf", kern=False)
    with pytest.raises(FileError, match="is not the file any more that the Font was made of"):
        pickle.loads(data)
