"""Lines of text in a font: which glyphs, in which order, how near; against bidi's order."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from bidi import get_display
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import fonts

from intervalvm.errors import OptionError
from intervalvm.shapes import Font, text
from intervalvm.shapes.text.layout import Spacing, lay_out

HEBREW, ARABIC, DEVANAGARI = "אבגדה", "بتثسم", "कखगि"
SIGNS = " 0123456789.,:+-%$()!/٠١٢"
MARKS = "\N{COMBINING ACUTE ACCENT}\N{HEBREW POINT QAMATS}"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Font:
    """A font of several scripts, without any features."""
    chars = "AVée" + HEBREW + ARABIC + DEVANAGARI + SIGNS + MARKS
    return Font(fonts.boxes(tmp_path_factory.mktemp("fonts") / "wide.ttf", chars))


def order(font: Font, line: str) -> list[int | str]:
    return [glyph.key for glyph in font.set(line, 0.0).glyphs]


def keys(font: Font, chars: str) -> list[int | None]:
    return [font.glyph(char) for char in chars]


# kerning


def test_kerning_is_that_of_the_letters_script(tmp_path: Path) -> None:
    features = """
    languagesystem DFLT dflt; languagesystem latn dflt; languagesystem cyrl dflt;
    feature kern { pos g0 g1 -10; script cyrl; pos g2 g3 -70; } kern;
    """
    font = Font(fonts.boxes(tmp_path / "scripts.ttf", "AVАУ", features))
    assert font.kerning("A", "V") == -10
    assert font.kerning("А", "У") == -70
    assert font.kerning("A", "У") == 0


def test_kerning_is_that_of_the_location(tmp_path: Path) -> None:
    features = "feature kern { pos g0 g1 (wght=400:-10 wght=900:-110); } kern;"
    path = fonts.boxes(tmp_path / "variable.ttf", "AV", features, axis=True)
    for weight, kerning in ((400, -10), (650, -60), (900, -110)):
        font = Font(path, location={"wght": weight})
        assert font.kerning("A", "V") == kerning
        assert font.kerning("V", "A") == 0


def test_metrics_are_those_of_the_location(tmp_path: Path) -> None:
    """Of the font in MVAR, and of a glyph in gvar where there is no HVAR."""

    def edit(font: Any) -> None:
        from fontTools.ttLib import newTable
        from fontTools.ttLib.tables import otTables
        from fontTools.ttLib.tables.TupleVariation import TupleVariation
        from fontTools.varLib.builder import (
            buildVarData,
            buildVarRegionList,
            buildVarStore,
        )

        regions = buildVarRegionList([{"wght": (0, 1, 1)}], ["wght"])
        store = buildVarStore(regions, [buildVarData([0], [[100], [-50], [30]], optimize=False)])
        record = []
        for i, tag in enumerate(("hasc", "hdsc", "hlgp")):
            value = otTables.MetricsValueRecord()
            value.ValueTag, value.VarIdx = tag, i
            record.append(value)
        table = otTables.MVAR()
        table.Version, table.Reserved, table.ValueRecordSize = 0x00010000, 0, 8
        table.ValueRecordCount, table.VarStore, table.ValueRecord = 3, store, record
        font["MVAR"] = newTable("MVAR")
        font["MVAR"].table = table
        moves = [(0, 0)] * 4 + [(0, 0), (80, 0), (0, 0), (0, 0)]  # the right end of the advance
        font["gvar"].variations["g0"] = [TupleVariation({"wght": (0, 1, 1)}, moves)]

    path = fonts.boxes(tmp_path / "mvar.ttf", "A", axis=True, edit=edit)
    light, heavy = Font(path), Font(path, location={"wght": 900})
    assert (light.ascent, light.descent, light.leading) == (800, -200, 1100)
    assert (heavy.ascent, heavy.descent, heavy.leading) == (900, -250, 1280)
    widths = [font.metrics("A").width for font in (light, heavy)]  # type: ignore[union-attr]
    assert widths == [500, 580]


PAIR, OTHER = (1, 2, -30), (1, 3, -7)
TABLES = {
    "pairs": (fonts.kern_table((0x0001, fonts.kern_pairs(PAIR, OTHER))), -30),
    "two add": (fonts.kern_table((1, fonts.kern_pairs(PAIR)), (1, fonts.kern_pairs(PAIR))), -60),
    "vertical": (fonts.kern_table((0, fonts.kern_pairs(PAIR)), (1, fonts.kern_pairs(OTHER))), 0),
    "classes": (fonts.kern_table((0x0201, fonts.kern_classes(1, 2, -40, 6))), -40),
    "Apple's pairs": (fonts.apple_kern_table((0x0000, fonts.kern_pairs(PAIR))), -30),
    "Apple's classes": (fonts.apple_kern_table((0x0002, fonts.kern_classes(1, 2, -40, 8))), -40),
    "Apple's vertical": (fonts.apple_kern_table((0x8000, fonts.kern_pairs(PAIR))), 0),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_kern_table_counts_as_its_format_says(name: str, tmp_path: Path) -> None:
    data, kerning = TABLES[name]
    path = fonts.boxes(tmp_path / "kern.ttf", "AVT", edit=fonts.raw_table("kern", data))
    font = Font(path)
    assert font.kerning("A", "V") == kerning
    assert font.kerning("V", "A") == 0


# order


def test_a_script_that_runs_to_the_left_does(wide: Font) -> None:
    line = HEBREW[:3]
    assert order(wide, line) == keys(wide, line[::-1])
    placed = wide.set(line, 20.0)
    assert [glyph.x for glyph in placed.glyphs] == [0, 520, 1040]
    assert placed.ends() == (0, 1540)
    # each line by itself: the second runs to the right
    assert text(f"{line}\nAV", font=wide).tape() != text(f"{line[::-1]}\nAV", font=wide).tape()


def test_an_indent_is_where_the_line_begins(wide: Font) -> None:
    options: dict[str, Any] = {"font": wide, "size": 1.0, "valign": "baseline"}
    right = text("  א", align="right", **options).tape()
    assert (right(-1.4, 0.3) < 0) & (right(-0.4, 0.3) > 0)
    assert (
        text("א  ", align="right", **options).tape() == text("א", align="right", **options).tape()
    )
    left = text("א  ", align="left", **options)
    assert left.tape() == text("א", align="left", **options).tape()


def test_letters_that_join_take_their_forms(tmp_path: Path) -> None:
    """Three letters of Arabic: the first, the middle and the last form, from the right."""
    features = """
    languagesystem DFLT dflt; languagesystem arab dflt;
    feature init { sub g0 by g1; } init;
    feature medi { sub g0 by g2; } medi;
    feature fina { sub g0 by g3; } fina;
    """
    path = fonts.boxes(tmp_path / "arabic.ttf", "ب", features, spare=3)
    assert order(Font(path), "ببب") == [4, 3, 2]
    assert order(Font(path), "ب") == [1]


def test_vowels_of_devanagari_go_before_their_consonant(wide: Font) -> None:
    assert order(wide, "कि") == keys(wide, "िक")


def test_ligatures_are_for_scripts_that_need_them(tmp_path: Path) -> None:
    """Not for Latin, where a line in another script beside it has them."""
    features = """
    languagesystem DFLT dflt; languagesystem latn dflt; languagesystem arab dflt;
    feature liga { sub g0 g1 by g4; sub g2 g3 by g5; } liga;
    """
    font = Font(fonts.boxes(tmp_path / "ligatures.ttf", "fiلا", features, spare=2))
    assert order(font, "fi") == [1, 2]
    assert order(font, "لا") == [6]


def test_brackets_are_mirrored(wide: Font) -> None:
    assert order(wide, "א(ב)") == keys(wide, "(ב)א")


def test_both_directions_in_one_line_are_refused(wide: Font) -> None:
    for line in ("A א", "א A", "ب A", "\N{RIGHT-TO-LEFT OVERRIDE}A"):
        with pytest.raises(OptionError, match="runs both to the right and to the left"):
            text(f"V\n{line}", font=wide)


def test_the_first_of_the_characters_that_are_missing_is_named(wide: Font) -> None:
    assert wide.missing("אחבז") == (1, "ח")
    assert wide.missing("AxBy") == (1, "x")


@pytest.mark.parametrize("letter", ["א", "ب"])
def test_numbers_that_are_broken_off_go_on_in_the_direction_of_the_line(
    letter: str, wide: Font
) -> None:
    """Their order is the one that the whole line has."""
    spacing = Spacing("left", "top", 0.0, 1000.0, 3000.0)
    first, second = lay_out(f"{letter * 6} 12 34", wide, spacing)
    assert [[glyph.key for glyph in word] for word in first.words] == [keys(wide, letter * 6)]
    assert [[glyph.key for glyph in word] for word in second.words] == [
        keys(wide, "34"),
        keys(wide, "12"),
    ]
    ends = [second.words[0][0].start, second.words[-1][-1].stop]
    assert ends == [0, 2500]


def test_the_package_font_refuses_other_scripts() -> None:
    with pytest.raises(OptionError, match=r"the stroke font has no glyph for 'א'.*another font"):
        text("א")


LINES = st.text(alphabet=SIGNS, max_size=8)


@settings(max_examples=300)
@given(st.sampled_from(HEBREW + ARABIC), LINES, st.sampled_from(["", "א", "ب"]), LINES)
@example("א", "12", "", "")
@example("ب", "1+2", "", "")
@example("א", "-5%,", "ب", "5%")
@example("א", "", "", "0٠")
def test_a_line_to_the_left_is_in_bidis_order(
    wide: Font, first: str, signs: str, letter: str, others: str
) -> None:
    line = first + signs + letter + others + first
    mirrored = get_display(line, base_dir="R").translate({ord("("): ")", ord(")"): "("})
    assert order(wide, line) == keys(wide, mirrored)


# characters


def test_composed_and_decomposed_text_is_the_same(wide: Font) -> None:
    for string in ("éA", "café ÀÇñ ï"):
        options: dict[str, Any] = {"font": wide if "A" in string[1:2] else None}
        composed, decomposed = (unicodedata.normalize(f, string) for f in ("NFC", "NFD"))
        assert composed != decomposed
        assert text(composed, **options).tape() == text(decomposed, **options).tape()


def test_a_mark_that_is_missing_is_named() -> None:
    with pytest.raises(OptionError, match=r"\(U\+0065, U\+20DD\), line 1, column 2"):
        text("ae\N{COMBINING ENCLOSING CIRCLE}")


def test_a_mark_that_a_font_lacks_is_named(wide: Font) -> None:
    with pytest.raises(OptionError, match=r"\(U\+0316\), line 1, column 3"):
        text("Ae\N{COMBINING GRAVE ACCENT BELOW}", font=wide)


@pytest.mark.parametrize("char", "\t\r\x0b\x0c\x85\x00\u2028\u2029\ud800")
def test_a_character_that_is_no_glyph_is_refused_in_every_font(char: str, wide: Font) -> None:
    for font in (None, wide):
        with pytest.raises(OptionError, match=rf"U\+{ord(char):04X}.*line 1, column 2"):
            text(f"A{char}A", font=font)


def test_spaces_with_ink_are_drawn(tmp_path: Path) -> None:
    path = fonts.boxes(tmp_path / "ogham.ttf", "\N{OGHAM SPACE MARK}")
    assert text("\N{OGHAM SPACE MARK}", font=path, align="left").tape()(0.02, 0) < 0


@pytest.mark.parametrize(("platform", "encoding", "first"), [(3, 0, 0xF000), (1, 0, 0)])
def test_old_tables_of_characters_are_read(
    platform: int, encoding: int, first: int, tmp_path: Path
) -> None:
    """Of fonts of symbols, and of old ones of the Macintosh."""

    def edit(font: Any) -> None:
        from fontTools.ttLib.tables._c_m_a_p import CmapSubtable

        table = CmapSubtable.newSubtable(4 if first else 0)
        table.platformID, table.platEncID, table.language = platform, encoding, 0
        table.cmap = {first + ord("A"): "g0", first + ord("V"): "g1"}
        font["cmap"].tables = [table]

    font = Font(fonts.boxes(tmp_path / "old.ttf", "AV", edit=edit))
    assert order(font, "VA") == [2, 1]
    assert font.missing("AB") == (1, "B")
    if first:
        assert order(font, "\uf041") == [1]
