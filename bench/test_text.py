"""A page of text, 2,000 characters: how long its tape takes to make, and to draw.

Dense evaluation of a page would take minutes, so it is timed on a strip of ``STRIP`` rows of the
same picture, which holds as much text a row as the page does, and multiplied. That favours it: the
arrays of a strip fit a cache, those of a page do not.
"""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from font_source_serif_pro import font_files_ttf

import intervalvm as ivm
from bench.subject import Subject
from intervalvm import shapes

SONNETS = """\
Shall I compare thee to a summer's day? Thou art more lovely and more temperate: Rough winds do
shake the darling buds of May, And summer's lease hath all too short a date: Sometime too hot the
eye of heaven shines, And often is his gold complexion dimm'd; And every fair from fair sometime
declines, By chance or nature's changing course untrimm'd; But thy eternal summer shall not fade
Nor lose possession of that fair thou owest; Nor shall Death brag thou wander'st in his shade, When
in eternal lines to time thou growest: So long as men can breathe or eyes can see, So long lives
this, and this gives life to thee. When, in disgrace with fortune and men's eyes, I all alone
beweep my outcast state, And trouble deaf heaven with my bootless cries, And look upon myself and
curse my fate, Wishing me like to one more rich in hope, Featured like him, like him with friends
possess'd, Desiring this man's art and that man's scope, With what I most enjoy contented least;
Yet in these thoughts myself almost despising, Haply I think on thee, and then my state, Like to
the lark at break of day arising From sullen earth, sings hymns at heaven's gate; For thy sweet
love remember'd such wealth brings That then I scorn to change my state with kings. Let me not to
the marriage of true minds Admit impediments. Love is not love Which alters when it alteration
finds, Or bends with the remover to remove: O no! it is an ever-fixed mark That looks on tempests
and is never shaken; It is the star to every wandering bark, Whose worth's unknown, although his
height be taken. Love's not Time's fool, though rosy lips and cheeks Within his bending sickle's
compass come: Love alters not with his brief hours and weeks, But bears it out even to the edge of
doom. If this be error and upon me proved, I never writ, nor no man ever loved. Farewell! thou art
too dear for my possessing, And like enough thou know'st thy estimate: The charter of thy worth
gives thee releasing; My bonds in thee are all determinate."""
CHARACTERS = 2000
PAGE = "\n".join(textwrap.wrap(" ".join(SONNETS.split())[:CHARACTERS], 58))
FONTS = {"stroke": None, "outline": font_files_ttf["SourceSerifPro"]}
CHINESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
SIZE, STRIP = 2048, 16
CHALLENGE_EM = 71 / 512
"""The em of the challenge's text at 1024 pixels, in units of the picture, near enough."""


def page(name: str, size: float | None = None) -> shapes.Shape:
    """The page, which fills the square, or has glyphs of the given size."""
    lines = PAGE.count("\n") + 1
    em = 1.9 / (1.2 * lines) if size is None else size
    return shapes.text(PAGE, size=em, leading=1.2, font=FONTS[name])


def build(name: str) -> ivm.Tape:
    return page(name).tape()


@pytest.mark.parametrize("name", FONTS)
def test_build_the_tape_of_a_page(benchmark: Any, name: str) -> None:
    """With the font read anew. To reach: 2 seconds."""
    tape = build(name)
    benchmark.extra_info["clauses"] = len(tape)
    benchmark.pedantic(build, (name,), rounds=5)


@pytest.mark.parametrize("name", FONTS)
def test_draw_a_page(benchmark: Any, name: str) -> None:
    """On one thread, warm, and how many times faster than dense float32. To reach: 1,500 times."""
    tape = build(name)
    strip: dict[str, Any] = {
        "size": (SIZE, STRIP),
        "region": ivm.Region(x=(-1, 1), y=(0, STRIP * 2 / SIZE)),
    }
    start = time.perf_counter()
    dense = ivm.render(tape, engine="dense", **strip)
    seconds = (time.perf_counter() - start) * SIZE / STRIP
    np.testing.assert_array_equal(ivm.render(tape, **strip).pixels, dense.pixels)
    assert dense.pixels.any()

    def draw() -> ivm.Image:
        return ivm.render(tape, size=SIZE, threads=1)

    image = draw()
    benchmark(draw)
    benchmark.extra_info["mean clauses at 16 px"] = image.stats.levels[-1].mean_clauses
    if benchmark.enabled:
        sooner = seconds / benchmark.stats.stats.median
        benchmark.extra_info["dense / it"] = round(sooner)
        assert sooner > 1500


@pytest.mark.parametrize("name", FONTS)
def test_prune_a_page_as_large_as_the_challenge(benchmark: Any, shape: Subject, name: str) -> None:
    """Leaves of 16 pixels on glyphs as large as those of the challenge's file at 1024 pixels."""
    tape = page(name, CHALLENGE_EM).tape()
    options: dict[str, Any] = {"size": 1024, "depth": 6, "threads": 1}
    for kind, subject in (("page", tape), ("challenge", shape.tape)):
        levels = ivm.render(subject, **options).stats.levels
        benchmark.extra_info[f"{kind}: mean clauses"] = round(levels[-1].mean_clauses, 1)
    benchmark(lambda: ivm.render(tape, **options))


@pytest.mark.parametrize("what", ["tape", "first picture"])
def test_many_glyphs_each_drawn_once(benchmark: Any, what: str) -> None:
    """400 glyphs of Chinese, of some 600 clauses each."""
    if not CHINESE.exists():
        pytest.skip(f"there is no {CHINESE}: apt install fonts-noto-cjk")
    chars = [chr(0x4E00 + i) for i in range(400)]
    lines = "\n".join("".join(chars[i : i + 20]) for i in range(0, 400, 20))

    def build() -> ivm.Tape:
        font = shapes.Font(CHINESE)
        return shapes.text(lines, size=1.9 / 20, leading=1, font=font).tape()

    def draw(tape: ivm.Tape) -> ivm.Image:
        return ivm.render(tape, size=1024, threads=1)

    benchmark.extra_info["clauses"] = len(build())
    assert draw(build()).pixels.any()
    if what == "tape":
        benchmark.pedantic(build, rounds=3)
    else:
        benchmark.pedantic(draw, setup=lambda: ((build(),), {}), rounds=3)
