"""A page of text in a TrueType font: Shakespeare's Sonnet 18.

    python examples/page.py [FONT.ttf]

The font is the one that the command line names, else Source Serif if it is installed:
pip install '.[fonts]' font-source-serif-pro, in the folder of the sources
"""

import sys

import intervalvm as ivm
from intervalvm.shapes import Font, Shape, rectangle, text

TITLE = "Sonnet 18"
SONNET = """\
Shall I compare thee to a summer’s day?
Thou art more lovely and more temperate:
Rough winds do shake the darling buds of May,
And summer’s lease hath all too short a date:
Sometime too hot the eye of heaven shines,
And often is his gold complexion dimm’d;
And every fair from fair sometime declines,
By chance or nature’s changing course untrimm’d;
But thy eternal summer shall not fade
Nor lose possession of that fair thou owest;
Nor shall Death brag thou wander’st in his shade,
When in eternal lines to time thou growest:
   So long as men can breathe or eyes can see,
   So long lives this, and this gives life to thee."""


LOOK = {"ink": "#2b2622", "paper": "#f8f3e6"}


def installed() -> str:
    try:
        from font_source_serif_pro import font_files_ttf
    except ModuleNotFoundError:
        raise SystemExit(f"no font to set it in: say which, or install one\n{__doc__}") from None
    return font_files_ttf["SourceSerifPro"]


def build(path: str | None = None) -> Shape:
    font = Font(path or installed())
    title = text(TITLE, size=0.12, tracking=0.08, font=font).move(0, 0.74)
    lines = text(SONNET, size=0.074, align="left", leading=1.35, font=font).move(-0.82, -0.14)
    return title | rectangle(0.3, 0.006).move(0, 0.63) | lines


if __name__ == "__main__":
    shape = build(*sys.argv[1:2])
    ivm.render(shape, size=1536, antialias=4, **LOOK).save("page.png")
    print("page.png")
