"""Fonts that are damaged, odd or made to do harm: drawn, or refused by name; and never a crash.

Bytes are changed in every table of fonts that the tests make. No time is asserted, but a glyph that
took minutes would be seen here.
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent
from hypothesis import given, settings
from hypothesis import strategies as st
from support import fonts

from intervalvm.errors import FileError, OptionError
from intervalvm.shapes import Font, text

KINDS = ("quadratic", "variable", "cubic", "kern", "serif")
STRING = {"cubic": "O O", "kern": "AVT AV", "serif": "AVTo fi"}


def sound(kind: str, folder: Path) -> bytes:
    """A font file without a fault."""
    path = folder / f"{kind}.ttf"
    if kind == "cubic":
        fonts.made_cubic(path)
    elif kind == "serif":
        from font_source_serif_pro import font_files_otf

        return Path(font_files_otf["SourceSerifPro"]).read_bytes()
    elif kind == "kern":
        kern = fonts.kern_table((1, fonts.kern_pairs((1, 2, -30))))
        fonts.boxes(path, "AVT ", edit=fonts.raw_table("kern", kern))
    else:
        fonts.made(path, variable=kind == "variable")
    return path.read_bytes()


def tables(data: bytes) -> dict[str, tuple[int, int]]:
    """Where the tables of a font file are: offset and size."""
    (count,) = struct.unpack_from(">H", data, 4)
    found = {"": (0, 12 + 16 * count)}
    for at in range(12, 12 + 16 * count, 16):
        tag, _, offset, size = struct.unpack_from(">4sIII", data, at)
        found[tag.decode()] = offset, size
    return found


def draws_or_refuses(path: Path, string: str, location: dict[str, float] | None = None) -> None:
    refusal = ""
    try:
        font = Font(path, location=location)
        tape = text(string, font=font, width=1.5).tape()
    except (FileError, OptionError) as error:
        refusal = str(error)
    if refusal:
        assert path.name in refusal
    else:
        assert not np.isnan(tape(np.linspace(-1, 1, 9), 0.01)).any()
        assert font.leading > 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, bytes]:
    return {kind: sound(kind, folder) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_changed_bytes_in_each_table(kind: str, files: dict[str, bytes], folder: Path) -> None:
    """Few bytes and many, in each table and in the list of tables."""
    rng = random.Random(kind)
    path = folder / f"damaged-{kind}.ttf"
    for offset, size in tables(files[kind]).values():
        for count in (1, 2, 8, 30) * (1 if kind == "serif" else 3):
            data = bytearray(files[kind])
            for _ in range(count):
                data[offset + rng.randrange(size)] = rng.choice([0, 1, 255, rng.randrange(256)])
            path.write_bytes(data)
            location = {"wght": 550.0} if kind == "variable" else None
            draws_or_refuses(path, STRING.get(kind, "OTXL@CSV"), location)


@settings(max_examples=60)
@given(st.data())
def test_any_bytes_changed(files: dict[str, bytes], folder: Path, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS[:-1]))
    found = bytearray(files[kind])
    tag = data.draw(st.sampled_from(sorted(tables(files[kind]))))
    offset, size = tables(files[kind])[tag]
    changes = st.dictionaries(st.integers(0, size - 1), st.integers(0, 255), min_size=1)
    for at, value in data.draw(changes).items():
        found[offset + at] = value
    path = folder / "any.ttf"
    path.write_bytes(found)
    draws_or_refuses(path, STRING.get(kind, "OTXL@CSV"))


@pytest.mark.parametrize("kind", KINDS)
def test_files_cut_short(kind: str, files: dict[str, bytes], folder: Path) -> None:
    whole = files[kind]
    path = folder / f"short-{kind}.ttf"
    for size in np.linspace(0, len(whole) - 100, 40).astype(int):
        path.write_bytes(whole[:size])
        with pytest.raises(FileError, match=path.name):
            Font(path)


# composites


def component(name: str, flags: int = 0x200, **given: Any) -> GlyphComponent:
    found = GlyphComponent()
    found.glyphName, found.flags = name, flags
    for key, value in given.items():
        setattr(found, key, value)
    return found


def composites(path: Path, glyphs: dict[str, list[GlyphComponent]]) -> Font:
    """A font of a box, "g0", and of glyphs made of components; the first is the character A."""
    made = TTFont(fonts.boxes(path, "V"))
    order = [*made.getGlyphOrder(), *glyphs]
    made.setGlyphOrder(order)
    for name, components in glyphs.items():
        glyph = Glyph()
        glyph.numberOfContours, glyph.components = -1, components
        glyph.xMin = glyph.yMin = 0
        glyph.xMax = glyph.yMax = 700
        made["glyf"].glyphs[name] = glyph
        made["hmtx"].metrics[name] = (600, 0)
    made["glyf"].glyphOrder = order
    for table in made["cmap"].tables:
        table.cmap[ord("A")] = next(iter(glyphs))
    made["maxp"].numGlyphs = len(order)
    made["maxp"].recalc = lambda font: None
    made.recalcBBoxes = False
    made.save(path)
    return Font(path)


def test_a_composite_may_hang_on_a_point_of_another(tmp_path: Path) -> None:
    """The first corner of the second box is put on the third corner of the first one."""
    parts = [component("g0", x=0, y=0), component("g0", flags=0, firstPt=2, secondPt=0)]
    font = composites(tmp_path / "anchored.ttf", {"C": parts})
    tape = text("A", font=font, size=1, align="left", valign="baseline").tape()
    width = 0.1  # from (0.05, 0) to (0.15, 0.7), and on from there
    assert tape(0.051 + width * np.array([0.5, 1.5]), np.array([0.3, 0.9])).max() < 0
    assert tape(0.051 + width * np.array([0.5, 1.5]), np.array([0.9, 0.3])).min() > 0


CYCLES = {
    "of itself": {"C": [component("C", x=10, y=0)]},
    "of itself and a box": {"C": [component("g0", x=1, y=0), component("C", x=10, y=0)]},
    "of each other": {"C": [component("D", x=10, y=0)], "D": [component("C", x=1, y=0)]},
}


@pytest.mark.parametrize("name", CYCLES)
def test_a_glyph_that_is_a_part_of_itself(name: str, tmp_path: Path) -> None:
    font = composites(tmp_path / "cycle.ttf", CYCLES[name])
    with pytest.raises(FileError, match=r"cycle.ttf is damaged, in glyph 2: it is a part of itse"):
        text("A", font=font)


@pytest.mark.parametrize(("levels", "parts"), [(29, 4), (200, 1), (12, 2)])
def test_components_of_components(levels: int, parts: int, tmp_path: Path) -> None:
    """4^29 boxes would take years."""
    glyphs = {f"C{i}": [component(f"C{i + 1}", x=i, y=0)] * parts for i in range(levels)}
    glyphs[f"C{levels - 1}"] = [component("g0", x=0, y=0)] * parts
    font = composites(tmp_path / "many.ttf", glyphs)
    with pytest.raises((FileError, OptionError), match=r"many.ttf"):
        text("A", font=font)


def test_an_outline_with_too_many_crossings(tmp_path: Path) -> None:
    def edit(font: Any) -> None:
        pen = TTGlyphPen(None)
        rng = random.Random(1)
        fonts.polygon(pen, *[(rng.randrange(1000), rng.randrange(1000)) for _ in range(2000)])
        font["glyf"]["g0"] = pen.glyph()

    font = Font(fonts.boxes(tmp_path / "scribble.ttf", "A", edit=edit))
    with pytest.raises(OptionError, match=r"glyph 1 of .*scribble.ttf: an outline has over"):
        text("A", font=font)


def test_a_font_without_heights_has_lines(tmp_path: Path) -> None:
    def edit(font: Any) -> None:
        for tag, names in {
            "hhea": ["ascent", "descent", "lineGap"],
            "OS/2": ["sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent",
                     "usWinDescent"],
        }.items():  # fmt: skip
            for name in names:
                setattr(font[tag], name, 0)

    font = Font(fonts.boxes(tmp_path / "flat.ttf", "A", edit=edit))
    assert font.leading == font.em
    tape = text("A\nA", font=font, size=1, align="left", valign="baseline").tape()
    assert (tape(0.1, np.array([0.3, -0.7])) < 0).all()


@pytest.mark.parametrize("magic", [b"wOF2", b"wOFF"])
def test_a_damaged_font_for_the_web_is_refused_with_a_way_out(magic: bytes, tmp_path: Path) -> None:
    path = tmp_path / "packed.woff2"
    path.write_bytes(magic + bytes(100))
    with pytest.raises(FileError, match=r"packed.woff2 is packed .* take the .ttf or .otf"):
        Font(path)
