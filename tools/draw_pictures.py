"""The pictures of docs/pictures.md: ``python tools/draw_pictures.py`` runs the page to draw them.

They are as the page's code writes them, but in 256 colours.
"""

from __future__ import annotations

import doctest
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image as Pillow

TOP = Path(__file__).resolve().parents[1]
PAGE = TOP / "docs" / "pictures.md"
PLACE = TOP / "docs" / "pictures"
COLORS = 256


def main() -> None:
    """Draw all of them."""
    before = os.getcwd()
    PLACE.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            failed, _ = doctest.testfile(str(PAGE), module_relative=False)
        finally:
            os.chdir(before)
        if failed:
            raise SystemExit(f"{PAGE.name} does not run as it says")
        for path in Path(folder).glob("*.png"):
            with Pillow.open(path) as picture:
                few = picture.convert("RGB").quantize(COLORS, dither=Pillow.Dither.FLOYDSTEINBERG)
                few.save(PLACE / path.name, optimize=True)


if __name__ == "__main__":
    main()
