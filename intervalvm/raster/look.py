"""``Look``: the colours of a picture of the plane, ink inside on paper outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.colours import Rgb, colour, is_dark, paper_colour

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Look:
    """Ink on paper. A paper of None is transparent."""

    ink: Rgb = WHITE
    paper: Rgb | None = BLACK

    @staticmethod
    def of(ink: Any, paper: Any) -> Look:
        """The look that a caller asks for: what is not given contrasts with what is.

        White on black if neither is given; black on transparent paper. Raises OptionError or
        ArgumentTypeError for what is no colour.
        """
        if paper is None:
            if ink is None:
                return PLAIN
            found = colour(ink, "ink")
            return Look(found, WHITE if is_dark(found) else BLACK)
        behind = paper_colour(paper)
        if ink is not None:
            return Look(colour(ink, "ink"), behind)
        return Look(WHITE if behind is not None and is_dark(behind) else BLACK, behind)

    def table(self) -> NDArray[np.uint8]:
        """uint8[256, 3], or [256, 4] with alpha: the colours of the coverages 0 to 255."""
        coverage = np.arange(256, dtype=np.uint8)
        return self.blended(np.broadcast_to(np.array(self.ink, np.uint8), (256, 3)), coverage)

    def blended(self, colours: NDArray[np.uint8], coverage: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Colours, uint8[..., 3], on the paper where they cover it: each the nearest byte of the
        mean by coverage. On transparent paper their alpha, a fourth channel, is the coverage."""
        if self.paper is None:
            return np.concatenate([colours, coverage[..., None]], axis=-1)
        whole = np.uint16(255)
        above = coverage[..., None].astype(np.uint16)
        mixed = above * colours
        mixed += (whole - above) * np.array(self.paper, np.uint16)
        mixed += whole // 2  # no sum lies in the middle of two bytes, since 255 is odd
        mixed //= whole
        return mixed.astype(np.uint8)


PLAIN = Look()
"""White on black, as in a bitmap."""
