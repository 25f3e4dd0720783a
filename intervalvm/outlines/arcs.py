"""``fit``: few lines and arcs along outlines of many points, proven by bounds of the field.

1. A closed curve whose points are on a circle becomes two half circles.
2. Else, from corner to corner, each piece in turn gets as many points as fit (``spans``).
3. Pieces that bounds of the field do not prove (``proofs``) are halved, down to lines between
   neighbours in the outline. What is still not proven is counted.
4. Pieces that may touch others (``touching``) give way to the outline's own lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from intervalvm.outlines.field import Field
from intervalvm.outlines.proofs import Mask, prove
from intervalvm.outlines.segments import Floats, Indices, Segments
from intervalvm.outlines.spans import Polylines, Spans, circles, fitting, longest
from intervalvm.outlines.touching import touching

FIT = 0.5
"""How far points may be from a piece, in tolerances: the rest is for the edge between them."""


class Fitted(NamedTuple):
    """Of each curve the vertices float64[k, 2], and the bulges of its pieces float64[k - 1].

    A closed curve ends with its first vertex. A bulge is tan(a / 4) of the angle that an arc turns
    by, counter-clockwise positive, and 0 for a line. ``proven`` are bool[k - 1].
    """

    vertices: tuple[Floats, ...]
    bulges: tuple[Floats, ...]
    proven: tuple[Mask, ...]


@dataclass(frozen=True)
class FitReport:
    """Counts of what was fitted.

    ``lines`` and ``arcs`` are pieces; a circle is two arcs, and one of ``circles``. ``unproven``
    are those of them that are not proven. ``kept`` were pieces that came too near to others, so
    that the outline's own lines are kept instead. ``parts`` were asked about.
    """

    lines: int
    arcs: int
    circles: int
    proven: int
    unproven: int
    kept: int
    parts: int

    def counts(self) -> dict[str, int]:
        """What a user is told."""
        names = "lines", "arcs", "circles", "proven", "unproven"
        return {name: getattr(self, name) for name in names}


def fit(curves: Sequence[Floats], field: Field, tolerance: float) -> tuple[Fitted, FitReport]:
    """Lines and arcs along curves.

    Parameters
    ----------
    curves : sequence of float64[n, 2]
        Points on the edge of the shape, which is to the left, corners among them. A closed curve
        ends with its first point. The lines between points are within the tolerance of the edge,
        and points much nearer; the denser they are, the fewer are the pieces.
    field : Field
        The real field, below 0 in the shape.
    tolerance : float
        Above 0. Each point of a proven piece has a point of the edge within this distance; but for
        short parts, as at corners, the edge is a graph over the piece, see ``proofs``. Each of the
        points given is within half of it of the fitted curve.

    Returns
    -------
    fitted : Fitted
        All vertices but those of circles are points of the curves. No two pieces have a point in
        common but for shared ends, nor do they where given lines were kept, if the given lines do
        not. At joints that are no corners directions may differ.
    report : FitReport
    """
    outline = Polylines.of(curves, FIT * tolerance)
    draft = Draft.of(outline)
    parts = draft.settle(field, tolerance)
    kept = 0
    while given_up := draft.give_way(tolerance):
        kept += given_up
        parts += draft.settle(field, tolerance)
    return draft.fitted(), draft.report(kept, parts)


@dataclass(eq=False)
class Draft:
    """The pieces of all curves, in order, while they are settled."""

    outline: Polylines
    spans: Spans
    proven: Mask
    open: Mask
    """Those that no proof was tried for."""

    @classmethod
    def of(cls, outline: Polylines) -> Draft:
        whole = circles(outline)
        others = np.setdiff1d(np.arange(len(outline.size)), whole.curve)
        spans = whole.and_others(longest(outline, others))
        n = len(spans.curve)
        return cls(outline, spans, np.zeros(n, bool), np.ones(n, bool))

    @property
    def after(self) -> Indices:
        return self.spans.after(self.outline.closed)

    def pieces(self) -> Segments:
        spans, outline = self.spans, self.outline
        start = outline.at(spans.curve, spans.first)
        stop = outline.at(spans.curve, spans.first + spans.size)
        if spans.round.any():
            which = spans.curve[spans.round]
            centre, radius = outline.circle
            beside = np.stack([np.abs(radius[which]), np.zeros(len(which))], axis=1)
            beside *= np.where(spans.first[spans.round] == 0, 1, -1)[:, None]
            start[spans.round], stop[spans.round] = centre[which] + beside, centre[which] - beside
        return Segments(start, stop, spans.bulge)

    def settle(self, field: Field, tolerance: float) -> int:
        """Prove open pieces, halving those that are not proven. Returns the parts asked about."""
        parts = 0
        while self.open.any():
            proof = prove(self.pieces(), self.after, self.open, field, tolerance)
            self.proven |= proof.proven
            parts += proof.parts
            fails, self.open[:] = self.open & ~self.proven, False
            self._split(fails)
        return parts

    def give_way(self, tolerance: float) -> int:
        """Replace pieces that may touch others by lines of the outline; returns how many."""
        pairs = np.concatenate(touching(self.pieces(), self.after, tolerance))
        near = np.zeros(len(self.spans.curve), bool)
        near[pairs] = True
        near &= self.spans.size > 1
        near |= self._circles(near)
        self._replace(near, self.spans.only(near).segments())
        return int(near.sum())

    def _circles(self, some: Mask) -> Mask:
        """Both halves of circles of which some are halves."""
        return self.spans.round & np.isin(self.spans.curve, self.spans.curve[some])

    def _split(self, fails: Mask) -> None:
        """Replace pieces by others of fewer points that fit; circles by those of the curve."""
        rounds = self._circles(fails)
        halved = self.spans.only(fails & ~rounds & (self.spans.size > 1)).halves()
        fresh = longest(self.outline, np.unique(self.spans.curve[rounds]))
        while len(halved.curve):
            fits, bulge = fitting(self.outline, halved)
            halved = halved._replace(bulge=bulge)
            fresh, halved = fresh.and_others(halved.only(fits)), halved.only(~fits).halves()
        self._replace(rounds | fails & (self.spans.size > 1), fresh)

    def _replace(self, old: Mask, new: Spans) -> None:
        """Replace pieces by others, which are open."""
        kept = self.spans.only(~old)
        state = np.append(self.proven[~old], np.zeros(len(new.curve), bool))
        is_open = np.append(self.open[~old], np.ones(len(new.curve), bool))
        order = np.lexsort((np.append(kept.first, new.first), np.append(kept.curve, new.curve)))
        self.proven, self.open = state[order], is_open[order]
        self.spans = kept.and_others(new)

    def fitted(self) -> Fitted:
        """What ``fit`` returns, of each curve of the outline."""
        pieces = self.pieces()
        vertices, bulges, proven = [], [], []
        bounds = np.searchsorted(self.spans.curve, np.arange(len(self.outline.size) + 1))
        for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            vertices.append(np.concatenate([pieces.start[first:end], pieces.stop[end - 1 : end]]))
            bulges.append(pieces.bulge[first:end])
            proven.append(self.proven[first:end])
        return Fitted(tuple(vertices), tuple(bulges), tuple(proven))

    def report(self, kept: int, parts: int) -> FitReport:
        arcs, proven = int((self.spans.bulge != 0).sum()), int(self.proven.sum())
        n = len(self.proven)
        round_curves = int(self.spans.round.sum()) // 2
        return FitReport(n - arcs, arcs, round_curves, proven, n - proven, kept, parts)
