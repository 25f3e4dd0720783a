"""``--plot``: plots beside a picture, whose names say what they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from intervalvm.errors import OptionError
from intervalvm.files import check_writable, write_atomically
from intervalvm.raster import plots
from intervalvm.suffixes import format_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from intervalvm.api.options import Options
    from intervalvm.raster.image import Image

DATES = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Formats, and how to leave out the time of writing, so that files are the same again."""
DPI = 150


def check_plots(paths: Sequence[str], asked: Options) -> None:
    """Raise if plots could not be written after the work, or say nothing of what they show."""
    for path in paths:
        shown = _shown(path)
        format_of(path, None, DATES)
        if shown in plots.OF_TILES and not asked.way.prunes:
            raise OptionError(
                f"--plot {path}: engine {asked.engine!r} has no tiles: leave --engine out"
            )
        check_writable(path)
    if paths:
        plots.library()


def write_plot(image: Image, path: str) -> None:
    """Write one plot, whole or not at all."""
    figure, format = plots.new_figure(image.width, image.height), format_of(path, None, DATES)
    image.plot(figure.add_subplot(), what=_shown(path))
    with plots.library().rc_context({"svg.hashsalt": "intervalvm"}):  # else there are random names
        write_atomically(
            path,
            lambda stream: figure.savefig(stream, format=format, dpi=DPI, metadata=DATES[format]),
        )


def _shown(path: str) -> str:
    """What a plot shows: the last word of the file's stem. Raises OptionError for another."""
    word = re.split(r"[^a-z]", Path(path).stem.lower())[-1]
    if word not in plots.PLOTS:
        names = ", ".join(f"{name}.png" for name in plots.PLOTS)
        raise OptionError(
            f"--plot {path}: the name says what is plotted: give one that ends in {names}"
        )
    return word
