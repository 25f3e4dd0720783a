"""Ambient occlusion: how much of the light from all sides is hidden by what stands around.

Around each pixel stand rings of taps, each twice as far away as the last. A tap is the height of
the surface there, filtered over what lies between it and its neighbours, so there is no noise. At
an elevation e over the plane of the pixel it hides sin(e)^2 of the cosine-weighted light of its
direction (Bavoil and Sainz, "Image-space horizon-based ambient occlusion", 2008, with the mean over
the rings instead of the horizon), less by its distance. So a plane hides nothing of itself.

The filter is the a-trous kernel (1 2 1) x (1 2 1) / 16 with steps 1, 2, 4, ...: each level is
smoother by a factor of two, and linear heights stay what they are.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.shading.floats import ZERO, Float, Floats, positive
from intervalvm.jit.shading.layout import (
    FAR_LEFT,
    FAR_RIGHT,
    FIRST,
    HEIGHT,
    LAST,
    LEFT,
    LOW,
    MIDDLE,
    NEARNESS,
    PAD,
    REACH,
    RIGHT,
    RING,
    RING_FILTERS,
    RING_HALO,
    RING_X,
    RING_Y,
    RINGS,
    SLACK,
    STRIDE,
    WIDTH,
)

SIXTEENTH, LEAST = Float(0.0625), Float(0.0009765625)


def occlude(w: Any) -> None:
    """Sum up what is hidden of each pixel of a band."""
    rows, stride = w.sizes[LAST] - w.sizes[FIRST], w.sizes[STRIDE]
    for at in range(rows * stride):
        w.hidden[at] = ZERO
    if w.sizes[RINGS]:
        clear_sides(w)
    heights, squares, other_heights, other_squares = w.heights, w.squares, w.heights_2, w.squares_2
    filters, support = 0, 0
    for ring in range(w.sizes[RINGS]):
        at = ring * RING
        while filters < w.rings[at + RING_FILTERS]:
            step = 1 << filters
            support += step
            # the filters to come before taps are made read further up and down
            halo = w.rings[at + RING_HALO] + (1 << w.rings[at + RING_FILTERS]) - 2 * step
            filter_rows(w, heights, other_heights, step, support, halo)
            filter_rows(w, squares, other_squares, step, support, halo)
            heights, other_heights = other_heights, heights
            squares, other_squares = other_squares, squares
            filters += 1
        for y in range(rows):
            add_taps(w, heights, squares, y, w.rings[at + RING_X], w.rings[at + RING_Y])


def clear_sides(w: Any) -> None:
    """Make low what the first filter does not write of the arrays that it writes to."""
    low, stride = w.numbers[LOW], w.sizes[STRIDE]
    first, last = w.sizes[FIRST] - w.sizes[REACH], w.sizes[LAST] + w.sizes[REACH]
    left = w.sizes[PAD] + max(w.sizes[FAR_LEFT] - 1, 0)
    right = w.sizes[PAD] + min(w.sizes[FAR_RIGHT] + 1, w.sizes[WIDTH])
    for y in range(first, last):
        at = (y - first) * stride
        if y < 0 or y >= w.sizes[HEIGHT]:
            clear(w, at, at + stride, low)
        else:
            clear(w, at, at + left, low)
            clear(w, at + right, at + stride, low)


def clear(w: Any, first: int, last: int, low: Float) -> None:
    """Make filtered heights low."""
    square = low * low
    for at in range(first, last):
        w.heights_2[at] = low
        w.squares_2[at] = square


def filter_rows(w: Any, source: Floats, target: Floats, step: int, support: int, halo: int) -> None:
    """Filter those rows of a band, and of ``halo`` rows around it, that may not be low.

    ``step`` is in columns and rows, and ``support`` the sum of the steps so far. What is outside of
    the picture stays low.
    """
    first, last = max(w.sizes[FIRST] - halo, 0), min(w.sizes[LAST] + halo, w.sizes[HEIGHT])
    stride = w.sizes[STRIDE]
    top = (w.sizes[REACH] - w.sizes[FIRST]) * stride + w.sizes[PAD]
    left = max(w.sizes[FAR_LEFT] - support, 0)
    right = min(w.sizes[FAR_RIGHT] + support, w.sizes[WIDTH])
    for y in range(first, last):
        at = top + y * stride
        add_rows(source, w.row, at, left - step, right + step, step * stride, w.sizes[PAD])
        add_columns(w.row, target, at, left, right, step, w.sizes[PAD])


def add_rows(
    source: Floats, row: Floats, at: int, left: int, right: int, step: int, pad: int
) -> None:
    """The filter of columns, for one row."""
    for x in range(left, right):
        here = source[at + x]
        row[pad + x] = (source[at + x - step] + source[at + x + step]) + (here + here)


def add_columns(
    row: Floats, target: Floats, at: int, left: int, right: int, step: int, pad: int
) -> None:
    """The filter of rows, for one row."""
    for x in range(left, right):
        here = row[pad + x]
        found = (row[pad + x - step] + row[pad + x + step]) + (here + here)
        target[at + x] = found * SIXTEENTH


def add_taps(w: Any, heights: Floats, squares: Floats, y: int, dx: int, dy: int) -> None:
    """Add to a row what four taps hide: those at (dx, dy), turned by quarters."""
    stride = w.sizes[STRIDE]
    own, start = y * stride + w.sizes[PAD], (y + w.sizes[FIRST]) * w.sizes[WIDTH]
    at = (y + w.sizes[REACH]) * stride + w.sizes[PAD]
    # up is to the row before
    one, two = at - dy * stride + dx, at - dx * stride - dy
    three, four = at + dy * stride - dx, at + dx * stride + dy
    right, up, square = Float(dx), Float(dy), Float(dx * dx + dy * dy)
    slack, nearness, middle = w.numbers[SLACK], w.numbers[NEARNESS], w.numbers[MIDDLE]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        a, b, c = w.x[own + x], w.y[own + x], w.z[own + x]
        height = Float(w.depth[start + x]) - middle
        base = -c * height - slack
        along, across = a * right + b * up, b * right - a * up
        q1 = hidden_by(heights[one + x], squares[one + x], base + along, c, square, nearness)
        q2 = hidden_by(heights[two + x], squares[two + x], base + across, c, square, nearness)
        q3 = hidden_by(heights[three + x], squares[three + x], base - along, c, square, nearness)
        q4 = hidden_by(heights[four + x], squares[four + x], base - across, c, square, nearness)
        w.hidden[own + x] += (q1 + q3) + (q2 + q4)


def hidden_by(
    mean: Float, mean_square: Float, base: Float, c: Float, square: Float, nearness: Float
) -> Float:
    """What a tap hides, of the mean of heights and of their squares."""
    above = base + c * mean
    near, spread = above * above, (c * c) * positive(mean_square - mean * mean)
    far = near + spread
    both = (square * near + far * far) * (near + nearness * (far * far))
    return far * (near * near) / both if above > LEAST else ZERO
