"""The picture of docs/text.md: ``python tools/draw_text.py`` draws it anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from font_source_serif_pro import font_files_ttf
from PIL import Image as Pillow

import intervalvm as ivm
from intervalvm import shapes

PLACE = Path(__file__).resolve().parents[1] / "docs"
WIDTH, HEIGHT, SAMPLES, COLORS = 960, 540, 4, 16
PAPER, INK = np.array((247, 244, 236)), np.array((38, 52, 92))
GLYPHS = """\
ABCDEFGHIJKLMNOPQRSTUVWXYZ
abcdefghijklmnopqrstuvwxyz
0123456789 !?.,:;…‘’“”„«»–—-
()[]{}<>+−=±×÷*/\\|#$%&@^_~`"'°•"""
LINE = "“Où est l’île?” – Ça, señor Åse!"


def specimen() -> shapes.Shape:
    """The package's own font, and a line in it and in another."""
    glyphs = shapes.text(GLYPHS, size=0.15, leading=1.35, tracking=0.12, valign="top")
    own = shapes.text(LINE, size=0.19)
    other = shapes.text(LINE, size=0.19, font=font_files_ttf["SourceSerifPro"])
    return glyphs.move(y=0.93) | own.move(y=-0.2) | other.move(y=-0.62)


def main() -> None:
    """Draw it, each pixel the mean of some samples."""
    size = WIDTH * SAMPLES, HEIGHT * SAMPLES
    inside = ivm.render(specimen(), size=size).pixels > 0
    share = inside.reshape(HEIGHT, SAMPLES, WIDTH, SAMPLES).mean(axis=(1, 3))[..., None]
    picture = Pillow.fromarray((PAPER + (INK - PAPER) * share).astype(np.uint8))
    picture.quantize(COLORS, dither=Pillow.Dither.NONE).save(PLACE / "text.png", optimize=True)


if __name__ == "__main__":
    main()
