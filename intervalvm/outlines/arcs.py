"""``fit``: few lines and arcs along outlines of many points, proven by bounds of the field.

1. A closed curve whose points are on a circle becomes two half circles.
2. Else, from corner to corner, each piece in turn gets as many points as fit (``spans``).
3. Ends of straight sides are moved to where they are (``joints``).
4. Pieces that bounds of the field do not prove (``proofs``) are halved, down to lines between
   neighbours in the outline, unless slopes are much too wide. What is still not proven is counted,
   and put together again.
5. Pieces that may touch others (``touching``) give way to the outline's own lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from intervalvm.outlines.field import Field
from intervalvm.outlines.joints import chains, moved
from intervalvm.outlines.proofs import Mask, prove
from intervalvm.outlines.segments import Floats, Indices, Segments
from intervalvm.outlines.spans import Polylines, Spans, circles, fitting, joined, longest
from intervalvm.outlines.touching import touching

FIT = 0.5
"""How far points may be from a piece, in tolerances: the rest is for the edge between them."""


def plain(outline: Polylines, spans: Spans) -> Segments:
    """Pieces between points of the outline; those of circles are halves of these."""
    start = outline.at(spans.curve, spans.first)
    stop = outline.at(spans.curve, spans.first + spans.size)
    if spans.round.any():
        which = spans.curve[spans.round]
        centre, radius = outline.circle
        beside = np.stack([np.abs(radius[which]), np.zeros(len(which))], axis=1)
        beside *= np.where(spans.first[spans.round] == 0, 1, -1)[:, None]
        start[spans.round], stop[spans.round] = centre[which] + beside, centre[which] - beside
    return Segments(start, stop, spans.bulge)


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
        Vertices are points of the curves, but for those of circles and for ends of straight sides,
        see ``joints``. No two pieces have a point in common but for shared ends, nor do they where
        given lines were kept, if the given lines do not. At joints that are no corners directions
        may differ, unless a straight side ends there in an arc.
    report : FitReport
    """
    outline = Polylines.of(curves, FIT * tolerance)
    draft = Draft.of(outline, field)
    parts = draft.settle(field, tolerance)
    draft.join()
    kept = 0
    while given_up := draft.give_way(tolerance):
        kept += given_up
        parts += draft.settle(field, tolerance)
    return draft.fitted(), draft.report(kept, parts)


@dataclass(eq=False)
class Draft:
    """The pieces of all curves, in order, while they are settled.

    ``start``, ``stop`` and ``spans.bulge`` are of each piece; ``is_moved`` tells whether it starts
    where ``joints`` has moved its start to, and not at a point of the outline.
    """

    outline: Polylines
    spans: Spans
    start: Floats
    stop: Floats
    is_moved: Mask
    proven: Mask
    open: Mask
    """Those that no proof was tried for."""

    @classmethod
    def of(cls, outline: Polylines, field: Field) -> Draft:
        whole = circles(outline)
        others = np.setdiff1d(np.arange(len(outline.size)), whole.curve)
        spans = whole.and_others(longest(outline, others))
        pieces, n = plain(outline, spans), len(spans.curve)
        start, stop, bulge, is_moved = moved(outline, spans, pieces, field)
        spans = spans._replace(bulge=bulge)
        return cls(outline, spans, start, stop, is_moved, np.zeros(n, bool), np.ones(n, bool))

    @property
    def after(self) -> Indices:
        return self.spans.after(self.outline.closed)

    @property
    def pieces(self) -> Segments:
        return Segments(self.start, self.stop, self.spans.bulge)

    def settle(self, field: Field, tolerance: float) -> int:
        """Prove open pieces, halving those that are not proven. Returns the parts asked about."""
        parts = 0
        while self.open.any():
            proof = prove(self.pieces, self.after, self.open, field, tolerance)
            self.proven |= proof.proven
            parts += proof.parts
            fails, self.open[:] = self.open & ~self.proven, False
            undone = self._undo(fails & ~proof.hopeless)
            self._split(fails & ~undone & ~proof.hopeless)
        return parts

    def join(self) -> None:
        """Put pieces in the place of more that are not proven."""
        stays = self.proven | self.spans.round | self.is_moved
        stays |= self.is_moved[self.after] & (self.after >= 0)
        loose = self.spans.only(~stays)
        self._replace(~stays, joined(self.outline, loose), is_open=False)

    def _undo(self, fails: Mask) -> Mask:
        """Make chains of moved joints that have a piece that fails as they were; returns which
        pieces are in any: they are open again."""
        beside = self.is_moved | self.is_moved[self.after] & (self.after >= 0)
        some = chains(self.is_moved, self.after, fails & beside) & beside
        if some.any():
            old = self.spans.only(some)
            _, bulge = fitting(self.outline, old)
            pieces = plain(self.outline, old._replace(bulge=bulge))
            self.start[some], self.stop[some] = pieces.start, pieces.stop
            self.spans.bulge[some] = bulge
            self.proven[some], self.open[some], self.is_moved[some] = False, True, False
        return some

    def give_way(self, tolerance: float) -> int:
        """Replace pieces that may touch others by lines of the outline; returns how many."""
        pairs = np.concatenate(touching(self.pieces, self.after, tolerance))
        near = np.zeros(len(self.spans.curve), bool)
        near[pairs] = True
        undone = self._undo(near)
        near &= (self.spans.size > 1) & ~undone
        near |= self._circles(near)
        self._replace(near, self.spans.only(near).segments())
        return int(near.sum() + undone.sum())

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

    def _replace(self, old: Mask, new: Spans, *, is_open: bool = True) -> None:
        """Replace pieces by others, which are not proven."""
        kept, n = self.spans.only(~old), len(new.curve)
        order = np.lexsort((np.append(kept.first, new.first), np.append(kept.curve, new.curve)))
        fresh = plain(self.outline, new)
        self.start = np.append(self.start[~old], fresh.start, axis=0)[order]
        self.stop = np.append(self.stop[~old], fresh.stop, axis=0)[order]
        self.is_moved = np.append(self.is_moved[~old], np.zeros(n, bool))[order]
        self.proven = np.append(self.proven[~old], np.zeros(n, bool))[order]
        self.open = np.append(self.open[~old], np.full(n, is_open))[order]
        self.spans = kept.and_others(new)

    def fitted(self) -> Fitted:
        """What ``fit`` returns, of each curve of the outline."""
        pieces = self.pieces
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
