"""``Renderer``: frames of one tape, which share what depends on the region."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from intervalvm.api.options import Options, takes_options
from intervalvm.api.render import Box, draw, in_colour
from intervalvm.arguments import real
from intervalvm.environment import in_default_environment
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.raster.image import Image

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan

MOST_VIEWS = 8
"""The number of cached views, each with at most as many records as the tape."""
MARGIN = 0.5
"""The margin of a view around its frame, as a part of the frame's size."""
MOST_ZOOM = 4.0
"""The largest ratio of the sizes of a view and a frame in it."""


class Renderer:
    """Renders frames of one tape: ``Renderer(tape, size=1024).render(region=...)``.

    It takes the options of ``render``, for all frames: with ``out`` they share its memory. Images
    are bit for bit those of ``render``.
    A frame of part of the shape starts from a tape shortened for a *view*, a box around it, that
    frames nearby share. Threads may share a renderer; a pickle has no views. An invalid option
    raises at once, what depends on others with a frame.
    """

    @in_default_environment
    @takes_options
    def __init__(self, tape: TapeLike, **options: Any) -> None:
        self._tape, self._shape = as_tape(tape), tape
        asked = Options(**options)
        for name, value in self._tape.known(asked.variables).items():
            real(name, value)
        self._options = {name: getattr(asked, name) for name in options}
        # replaced atomically: a process forked while a lock is held would deadlock
        self._views: tuple[_View, ...] = ()
        self._last: Plan | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Renderer, **self._options), (self._shape,)

    @in_default_environment
    @takes_options
    def render(self, **changes: Any) -> Image:
        """Draw a frame, with changes to the options. Raises as ``intervalvm.render`` does."""
        asked = Options(**self._options | changes)
        variables = settings_for(self._shape, asked.variables)
        job = asked.job(self._tape, variables)
        image = draw(job, asked.progress, self._find_plan)
        return in_colour(image, job, self._shape, asked.look)

    def _find_plan(self, whole: Plan, box: Box) -> Plan:
        from intervalvm.jit import walk

        if whole is not self._last:  # a view pays from the second frame on, if there is one
            self._last = whole
            return whole
        views = self._views
        found = next((v for v in views if v.whole is whole and v.serves(box)), None)
        if found is None:
            around = _around(box, whole)
            found = _View(whole, around, walk.narrowed(whole, around[:2], around[2:]))
        others = tuple(view for view in views if view is not found)
        self._views = (found, *others[: MOST_VIEWS - 1])
        return found.plan


@dataclass(frozen=True, eq=False)
class _View:
    whole: Plan
    box: Box
    plan: Plan

    def serves(self, box: Box) -> bool:
        """Whether a frame of ``box`` lies in the view and is not much smaller."""
        (x0, x1, y0, y1), (left, right, bottom, top) = self.box, box
        inside = x0 <= left and right <= x1 and y0 <= bottom and top <= y1
        return inside and x1 - x0 <= MOST_ZOOM * (right - left)


def _around(box: Box, plan: Plan) -> Box:
    """A box with a margin, within the domain of a plan, with ends in the plan's dtype."""
    ends: list[float] = []
    for low, high in (box[:2], box[2:]):
        margin = MARGIN * (high - low)
        below, above = max(low - margin, -plan.domain), min(high + margin, plan.domain)
        # rounding an end to the dtype must not leave the frame outside
        ends.append(min(float(plan.dtype.type(below)), low))
        ends.append(max(float(plan.dtype.type(above)), high))
    return ends[0], ends[1], ends[2], ends[3]
