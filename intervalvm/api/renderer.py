"""Many frames of one tape: what depends on the region is kept while a caller pans or zooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

from intervalvm.api.options import check, check_alone
from intervalvm.api.render import Box, draw, render
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError
from intervalvm.expr import TapeLike, as_tape, settings_for
from intervalvm.hints import unknown
from intervalvm.raster.image import Image

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan

MOST_VIEWS = 8
"""Views kept; each holds at most as many records as the whole tape."""
MARGIN = 0.5
"""A view reaches beyond its frame by this part of the frame's size on each side."""
MOST_ZOOM = 4.0
"""A view serves frames down to its own size divided by this."""


class Renderer:
    """Renders frames of one tape: ``Renderer(tape, size=1024).render(region=...)``.

    Options are those of ``render``, given here for all frames or to ``Renderer.render`` for one.
    The images are the same as ``render``'s, bit for bit. A frame of part of the shape starts from a
    tape that was shortened for a *view*, a box around it; frames near it share the view. Safe to
    share between threads; a pickle leaves the views behind. Raises what ``render`` does, and
    TypeError for an unknown option: at once for what means nothing whatever the others are, the
    rest with a frame.
    """

    @in_default_environment
    def __init__(self, tape: TapeLike, **options: Any) -> None:
        self._tape, self._shape = as_tape(tape), tape
        self._options = _DEFAULTS | _known(options)
        check_alone(self._tape, self._options)
        # replaced as a whole: a lock would hang a process that was forked while it was held
        self._views: tuple[_View, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._shape, self._options)

    @in_default_environment
    def render(self, **changes: Any) -> Image:
        """One frame, with ``changes`` to the options."""
        options = self._options | _known(changes)
        progress = options.pop("progress")
        variables: Mapping[str, Any] | None = options.pop("variables")
        options["variables"] = settings_for(self._shape, variables)
        return draw(check(self._tape, **options), progress, self._find_plan)

    def _find_plan(self, whole: Plan, box: Box) -> Plan:
        from intervalvm.jit import walk

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
        inside = all(
            self.box[low] <= box[low] and box[low + 1] <= self.box[low + 1] for low in (0, 2)
        )
        return inside and self.box[1] - self.box[0] <= MOST_ZOOM * (box[1] - box[0])


def _around(box: Box, plan: Plan) -> Box:
    """A box with a margin, within the domain of a plan, its ends floats of the plan's dtype."""
    ends: list[float] = []
    for low, high in (box[:2], box[2:]):
        margin = MARGIN * (high - low)
        below, above = max(low - margin, -plan.domain), min(high + margin, plan.domain)
        # rounding an end to the dtype must not leave the frame outside
        ends.append(min(float(plan.dtype.type(below)), low))
        ends.append(max(float(plan.dtype.type(above)), high))
    return ends[0], ends[1], ends[2], ends[3]


_DEFAULTS: dict[str, Any] = {
    name: option.default
    for name, option in signature(render).parameters.items()
    if option.kind is option.KEYWORD_ONLY
}


def _restored(tape: TapeLike, options: dict[str, Any]) -> Renderer:
    return Renderer(tape, **options)


def _known(options: dict[str, Any]) -> dict[str, Any]:
    for name in options:
        if name not in _DEFAULTS:
            raise ArgumentTypeError(unknown("Renderer", name, list(_DEFAULTS)))
    return options
