"""Numbers that options take, their checks and limits: threads, samples of a pixel, depths."""

from __future__ import annotations

import os
from typing import Any

from intervalvm.arguments import brief, integer
from intervalvm.errors import OptionError
from intervalvm.jit.layout import BLOCK

LEAF_PX = BLOCK
"""The largest leaves, in pixels a side, of a depth chosen by ``check_depth``."""
MOST_SAMPLES = BLOCK
"""Of a pixel each way: it has a block of its own."""
MOST_THREADS = 64
"""There are at most 64 tasks to share."""


def check_threads(threads: int | None) -> int | None:
    """A number of threads, at most ``MOST_THREADS``. Raises OptionError."""
    if threads is None:
        return None
    if (number := count(threads)) < 1:
        raise OptionError(f"threads={brief(threads)}: give a number from 1")
    return min(number, MOST_THREADS)


def check_antialias(samples: Any) -> int:
    """The samples of a pixel each way, 1 to ``MOST_SAMPLES``. Raises OptionError."""
    if not 1 <= (number := count(samples)) <= MOST_SAMPLES:
        raise OptionError(
            f"antialias={brief(samples)}: give the samples of a pixel each way, "
            f"an integer from 1 to {MOST_SAMPLES}"
        )
    return number


def check_depth(depth: int | None, width: int, height: int, samples: int = 1) -> int:
    """The levels of the quadtree; None gives leaves of at most ``LEAF_PX`` samples a side, of which
    a pixel has ``samples`` each way.

    Raises OptionError for a negative depth, and for leaves smaller than a pixel.
    """
    longer = max(width, height)
    if depth is None:
        return (-(-longer // (LEAF_PX // samples)) - 1).bit_length()
    deepest = longer.bit_length() - 1
    levels = count(depth)
    if not 0 <= levels <= deepest:
        raise OptionError(
            f"the depth is {brief(depth)}: an image of {width}x{height} pixels takes 0 to "
            f"{deepest}; without a depth it is chosen from the size"
        )
    return levels


def count(value: Any) -> int:
    """A number from 0, or -1 for anything else."""
    try:
        return max(-1, integer(value))
    except TypeError:
        return -1


def usable_cpus() -> int:
    """The processors that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1
