"""Text: where lines and glyphs stand, what is refused, and that pruning changes no pixel."""

from __future__ import annotations

import contextlib
import gc
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from font_source_serif_pro import font_files_ttf
from fontTools.ttLib import TTFont
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import fonts

from intervalvm.api.bounds import interval
from intervalvm.api.render import render
from intervalvm.errors import FileError, OptionError
from intervalvm.expr import Expr, var
from intervalvm.memory import no_search_for_cycles
from intervalvm.raster.region import Region
from intervalvm.shapes import Font, Shape, text
from intervalvm.shapes.text.layout import Spacing, lay_out
from intervalvm.shapes.text.stroke_font import StrokeFont
from intervalvm.shapes.text.strokes import PEN

PARAGRAPH = """\
But, soft! what light through yonder
window breaks? It is the east — and
Juliet is the sun. “Arise, fair sun,
and kill the envious moon, who is
already sick & pale with grief…”"""
SERIF = Font(font_files_ttf["SourceSerifPro"])
EM = 136
"""Units of the stroke font."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> str:
    return fonts.made(tmp_path_factory.mktemp("fonts") / "made.ttf", kern=False)


@pytest.fixture(scope="module", params=["stroke", "outline"])
def font(request: pytest.FixtureRequest) -> str | None:
    """The stroke font, and one that is read from a file."""
    return font_files_ttf["SourceSerifPro"] if request.param == "outline" else None


@pytest.fixture(scope="module")
def paragraph(font: str | None) -> Shape:
    return text(PARAGRAPH, size=0.1, font=font)


@pytest.fixture(scope="module")
def few(font: str | None) -> Shape:
    """Three lines of a glyph or two, which fill the square."""
    return text("a&\ng\ns.", size=0.65, leading=0.9, font=font)


def extents(shape: Shape, half: float = 2.0, steps: int = 801) -> tuple[float, float, float, float]:
    """Left, right, bottom and top of the ink in a square around 0, to a step of the grid."""
    side = np.linspace(-half, half, steps)
    inside = shape.tape()(side, side[:, None]) < 0
    across, down = side[inside.any(axis=0)], side[inside.any(axis=1)]
    assert inside.any()
    assert abs(across[[0, -1]]).max() < half > abs(down[[0, -1]]).max()
    return across[0], across[-1], down[0], down[-1]


STEP = 4 / 800


def test_lines_are_aligned_by_their_ink() -> None:
    """At the left, the middle, the right; each line by itself."""
    string = "HHHH\nH\nHH"
    for align in ("left", "center", "right"):
        shape = text(string, size=0.4, align=align, valign="baseline")  # type: ignore[arg-type]
        side = np.linspace(-2, 2, 3001)
        for line in range(3):
            height = 0.1 - line * 0.4 * 155 / EM
            inside = side[shape.tape()(side, height) < 0]
            place = {"left": inside[0], "right": inside[-1], "center": inside[[0, -1]].mean()}
            assert place[align] == pytest.approx(0, abs=0.004)  # half a unit, and a step


@pytest.mark.parametrize(
    ("valign", "top"),
    [("top", 92 + PEN - 98), ("baseline", 92 + PEN), ("bottom", 92 + PEN + 155 + 38),
     ("middle", 92 + PEN + (155 - 98 + 38) / 2)],
)  # fmt: skip
def test_the_block_hangs_where_valign_says(valign: Any, top: float) -> None:
    *_, bottom, found = extents(text("H\nH", size=0.5, valign=valign))
    assert found == pytest.approx(top / EM * 0.5, abs=STEP)
    assert bottom == pytest.approx((top - 92 - 2 * PEN - 155) / EM * 0.5, abs=STEP)


def test_the_default_is_in_the_middle() -> None:
    left, right, bottom, top = extents(text("H"))
    assert left == pytest.approx(-right, abs=STEP)
    assert top - bottom == pytest.approx((92 + 2 * PEN) / EM * 0.2, abs=STEP)


def test_tracking_is_added_between_glyphs() -> None:
    def width(tracking: float) -> float:
        left, right, *_ = extents(text("HI H", size=0.3, tracking=tracking))
        return right - left

    assert width(0.5) - width(0) == pytest.approx(3 * 0.5 * 0.3, abs=2 * STEP)
    assert width(-0.1) - width(0) == pytest.approx(-3 * 0.1 * 0.3, abs=2 * STEP)


def test_leading_is_the_distance_of_base_lines() -> None:
    for font_leading, leading in ((155 / EM, None), (2.0, 2.0), (0.5, 0.5)):
        *_, bottom, top = extents(text("H\nH", size=0.4, leading=leading))
        assert top - bottom == pytest.approx(
            0.4 * (font_leading + (92 + 2 * PEN) / EM), abs=2 * STEP
        )


def test_an_empty_line_takes_its_room_and_line_ends_of_windows_are_line_ends() -> None:
    assert text("H\n\nH").tape() == text("H\r\n\r\nH").tape()
    *_, bottom, top = extents(text("H\n\nH", size=0.4, leading=1))
    assert top - bottom == pytest.approx(0.4 * (2 + (92 + 2 * PEN) / EM), abs=2 * STEP)


def test_spaces_indent_and_those_at_the_end_do_not_count() -> None:
    options: dict[str, Any] = {"size": 0.4, "valign": "baseline"}
    assert text("HI   ", **options).tape() == text("HI", **options).tape()
    left, *_ = extents(text("  H", align="left", **options))
    assert left == pytest.approx((2 * 45 + 16) / EM * 0.4, abs=STEP)


def test_lines_are_broken_at_spaces_to_fit_a_width() -> None:
    options: dict[str, Any] = {"size": 0.15, "align": "left", "valign": "top"}
    long = "the quick brown fox leaps over the lazy dog"
    for width in (0.8, 1.2, 1.7):
        shape = text(long, width=width, **options)
        left, right, *_ = extents(shape)
        assert left == pytest.approx(0, abs=STEP)
        assert right <= width + STEP
    broken = text(long, width=1.2, **options).tape()
    assert broken == text("the quick brown\nfox leaps over\nthe lazy dog", **options).tape()
    assert text("no\N{NO-BREAK SPACE}break at", width=0.3, **options).tape() == (
        text("no\N{NO-BREAK SPACE}break\nat", **options).tape()
    )
    assert text("wide", width=0.01, **options).tape() == text("wide", **options).tape()


GAPS = st.integers(1, 3).map(lambda n: " " * n)
WORDS = st.lists(
    st.tuples(st.sampled_from(["a", "it", "AV", "incomprehensible"]), GAPS), min_size=1
)


@pytest.mark.parametrize("name", ["stroke", "outline"])
@given(GAPS | st.just(""), WORDS, st.floats(0.1, 3))
@example("", [("incomprehensible", " ")], 0.5)
@example("", [("incomprehensible", "  "), ("it", " ")], 0.5)
def test_a_broken_line_has_no_empty_part_and_none_too_wide(
    name: str, indent: str, words: list[tuple[str, str]], width: float
) -> None:
    """Rows are as near as lines without gaps, so a part without ink would be seen."""
    face = StrokeFont() if name == "stroke" else SERIF
    spacing = Spacing("left", "top", 0.0, 1.0, width * face.em)
    line = indent + "".join(word + gap for word, gap in words)
    rows = lay_out(line, face, spacing)
    assert [row.baseline + face.ascent for row in rows] == [-float(i) for i in range(len(rows))]
    assert sum(len(row.words) for row in rows) == len(words)
    for row in rows:
        right = max(glyph.stop for word in row.words for glyph in word)
        assert len(row.words) == 1 or right + 2 * face.overhang <= spacing.width  # type: ignore[operator]


def test_size_is_the_em() -> None:
    for size in (1e-3, 0.25, 40):
        tape = text("H", size=size, align="left", valign="baseline").tape()
        pen, width = PEN * size / EM, (64 + 2 * PEN) * size / EM
        across = np.array([0.1 * pen, 1.9 * pen, 2.1 * pen, width - 2.1 * pen, width - 0.1 * pen])
        inside = tape(across, 0.2 * size) < 0
        np.testing.assert_array_equal(inside, [True, True, False, False, True])


def test_a_page_in_a_font_is_its_glyphs_where_their_advance_widths_put_them(made: str) -> None:
    """Nine lines, so that heights are folded; some so near that their ink overlaps."""
    lines = ["OTX", "L@C", "SVO", "", "XOL", "T_T", "CSV", "@OX", "VLT"]
    widths, em = TTFont(made)["hmtx"], fonts.EM
    for leading in (1.3, 0.6):
        size = 0.2
        parts = []
        for row, line in enumerate(lines):
            at = 0.0
            for char in line:
                glyph = fonts.filled(made, char)
                parts.append(shapely.affinity.translate(glyph, at, -row * leading * em))
                at += widths[fonts.NAMES[char]][0]
        ink = shapely.affinity.scale(shapely.union_all(parts), size / em, size / em, origin=(0, 0))
        shape = text("\n".join(lines), size=size, leading=leading, font=made,
                     align="left", valign="baseline")  # fmt: skip
        left, bottom, right, top = ink.bounds
        px, py = np.meshgrid(np.linspace(left - 0.1, right + 0.1, 151),
                             np.linspace(bottom - 0.1, top + 0.1, 301))  # fmt: skip
        wrong = (shape.tape()(px, py) < 0) != shapely.contains_xy(ink, px, py)
        off = shapely.distance(ink.boundary, shapely.points(px[wrong], py[wrong]))
        assert off.max(initial=0.0) < 1e-4 * size


def test_lines_of_a_font_are_aligned_by_advance_widths(made: str) -> None:
    """T is 20 from the left and from the right of its advance width of 600."""
    options: dict[str, Any] = {"font": made, "size": 1.0, "valign": "baseline"}
    for align, left in (("left", 0.02), ("center", -0.28), ("right", -0.58)):
        found = extents(text("T", align=align, **options))
        assert found[:2] == pytest.approx((left, left + 0.56), abs=1.01 * STEP)
    *_, top = extents(text("T", font=made, valign="top"))
    assert top == pytest.approx(-0.1 * 0.2, abs=STEP)
    assert text("T\nT", **options).tape() == text("T\nT", leading=1.1, **options).tape()


def test_a_font_is_a_path_or_an_object(made: str) -> None:
    tape = text("LOT", font=made).tape()
    assert text("LOT", font=Path(made)).tape() == tape
    assert text("LOT", font=Font(made)).tape() == tape
    assert "made.ttf" in repr(Font(made))
    with pytest.raises(TypeError, match="a path or a Font, not 'int'"):
        text("A", font=3)  # type: ignore[arg-type]


def test_text_may_be_moved_and_turned(paragraph: Shape) -> None:
    """The field is a function of the coordinates, whatever they are."""
    turn = 0.3
    c, s = math.cos(turn), math.sin(turn)

    def turned(x: Expr, y: Expr, z: Expr) -> Expr:
        return paragraph(c * x + s * y, c * y - s * x, z)

    px, py = np.random.default_rng(3).uniform(-1, 1, (2, 4000))
    plain = paragraph.tape()(px, py, dtype="float64") < 0
    tape = Shape(turned).tape()
    moved = tape(c * px - s * py, s * px + c * py, dtype="float64") < 0
    assert plain.sum() > 100
    np.testing.assert_array_equal(moved, plain)


def test_pruning_changes_no_pixel_of_a_paragraph(paragraph: Shape) -> None:
    for options in (
        {"size": (300, 200)},
        {"size": 256, "region": Region.around((-0.3, 0.1), 0.2)},
        {"size": 200, "dtype": "float64"},
    ):
        dense = render(paragraph, engine="dense", **options)
        assert 0.02 < (dense.pixels == 255).mean() < 0.5
        np.testing.assert_array_equal(render(paragraph, **options).pixels, dense.pixels)


def test_the_readable_walk_draws_the_same(paragraph: Shape) -> None:
    region = Region.around((0.1, 0.05), 0.25)
    dense = render(paragraph, engine="dense", size=64, region=region)
    found = render(paragraph, backend="numpy", size=64, region=region)
    np.testing.assert_array_equal(found.pixels, dense.pixels)


SIDE = st.tuples(st.floats(-1, 1, width=32), st.floats(0, 0.5, width=32))


@settings(max_examples=30, deadline=None)
@given(SIDE, SIDE, st.integers(0, 2**32 - 1))
def test_bounds_enclose_every_value(few: Shape, across: Any, down: Any, seed: int) -> None:
    sides = [np.float32((low, np.float32(low) + np.float32(size))) for low, size in (across, down)]
    box = interval(few, x=tuple(sides[0]), y=tuple(sides[1]))
    rng = np.random.default_rng(seed)
    px, py = (np.clip(np.float32(rng.uniform(*side, 200)), *side) for side in sides)
    values = few.tape()(px, py)
    assert box.lower <= values.min()
    assert values.max() <= box.upper
    assert not box.maybe_nan


def test_the_field_is_continuous(paragraph: Shape) -> None:
    """Along lines that cross the text: steps 1000 times shorter are about as much smaller."""
    rng = np.random.default_rng(5)
    tape = paragraph.tape()
    for (x0, y0), (x1, y1) in rng.uniform(-0.9, 0.9, (4, 2, 2)):
        t = np.linspace(0, 1, 1001)
        values = tape(x0 + t * (x1 - x0), y0 + t * (y1 - y0), dtype="float64")
        for i in np.abs(np.diff(values)).argsort()[-3:]:
            fine = np.linspace(t[i], t[i + 1], 1001)
            steps = tape(x0 + fine * (x1 - x0), y0 + fine * (y1 - y0), dtype="float64")
            assert np.abs(np.diff(steps)).max() < 2e-3


@pytest.mark.parametrize("size", [0, -1, math.inf, math.nan])
def test_sizes_that_mean_nothing(size: float) -> None:
    for name in ("size", "leading", "width"):
        with pytest.raises(OptionError, match=f"{name}=.* is not (above 0|finite)"):
            text("A", **{name: size})
    if not math.isfinite(size):
        with pytest.raises(OptionError, match=r"tracking=.* is not finite"):
            text("A", tracking=size)


def test_a_variable_is_no_size() -> None:
    with pytest.raises(TypeError, match="size is a number, not an expression"):
        text("A", size=var("size", 0.5))  # type: ignore[arg-type]


def test_strings_without_ink(made: str) -> None:
    for string in ("", " ", "\n \n", "\N{NO-BREAK SPACE}"):
        with pytest.raises(OptionError, match="the text is empty"):
            text(string)
    with pytest.raises(OptionError, match=r"the text has no ink in .*made.ttf"):
        text("_", font=made)
    with pytest.raises(TypeError, match="a text is a str, not 'bytes'"):
        text(b"A")  # type: ignore[arg-type]


def test_glyphs_that_are_missing_are_named_with_their_place(made: str) -> None:
    message = r"the stroke font has no glyph for 'λ' \(U\+03BB\), line 2, column 3 of the text"
    with pytest.raises(OptionError, match=message):
        text("abc\na λ")
    with pytest.raises(OptionError, match=r"made.ttf has no glyph for 'a' \(U\+0061\), line 1, co"):
        text("Oa", font=made)
    with pytest.raises(OptionError, match=r"'\\t' \(U\+0009\), line 1, column 2"):
        text("a\tb")


def test_choices_that_are_not_there() -> None:
    with pytest.raises(OptionError, match="no align 'middle': choose 'left', 'center' or 'right'"):
        text("A", align="middle")  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="no valign 'center': choose 'top', 'middle'"):
        text("A", valign="center")  # type: ignore[arg-type]


def test_a_missing_font_is_said_at_the_call() -> None:
    with pytest.raises(FileError, match=r"cannot read the font nowhere.ttf"):
        text("A", font="nowhere.ttf")


@pytest.mark.parametrize("was_enabled", [True, False])
def test_the_search_for_cycles_waits_and_goes_on(was_enabled: bool) -> None:
    """Also where something is raised, and where the caller had stopped it."""
    (gc.enable if was_enabled else gc.disable)()
    try:
        with contextlib.suppress(KeyError), no_search_for_cycles():
            assert not gc.isenabled()
            raise KeyError
        assert gc.isenabled() == was_enabled
    finally:
        gc.enable()


def test_an_interrupt_does_not_leave_the_collector_off(monkeypatch: pytest.MonkeyPatch) -> None:
    disable = gc.disable

    def disable_and_be_interrupted() -> None:
        disable()
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "disable", disable_and_be_interrupted)
    with pytest.raises(KeyboardInterrupt), no_search_for_cycles():
        pass
    assert gc.isenabled()
