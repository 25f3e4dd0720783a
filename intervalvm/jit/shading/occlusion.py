"""Ambient occlusion: how much of the light from all sides is hidden by what stands around.

Around each pixel stand rings of four taps, each about twice as far away as the last, along the axes
and along the diagonals by turns. A tap is the mean of the heights there, and of their squares,
filtered over what lies between it and its neighbours, so there is no noise. From both follows how
much of the filter's window stands above the plane of the pixel, and how high (see ``hidden_by``).
At an elevation e over the plane that hides sin(e)^2 of the cosine-weighted light of its direction,
as in "Image-space horizon-based ambient occlusion" (Bavoil and Sainz, 2008), with the mean over the
rings instead of the horizon. A plane hides nothing of itself.

Near rings filter the heights of the band by the a-trous kernel (1 2 1) x (1 2 1) / 16 with steps 1,
2, 4, ...: each level is smoother by a factor of two, and linear heights stay what they are. Far
rings are looked up in the pyramid of the picture: see ``far``.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.shading.far import refine_row
from intervalvm.jit.shading.floats import SIXTEENTH, ZERO, Float, Floats, positive
from intervalvm.jit.shading.layout import (
    FAR_PAD,
    FAR_STRIDE,
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
    RING_HALO,
    RING_IS_FAR,
    RING_LEVEL,
    RING_X,
    RING_Y,
    RINGS,
    SLACK,
    STRIDE,
    WIDE_LEFT,
    WIDE_RIGHT,
    WIDTH,
)

LEAST = Float(0.0009765625)


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
        level, dx, dy = w.rings[at + RING_LEVEL], w.rings[at + RING_X], w.rings[at + RING_Y]
        if w.rings[at + RING_IS_FAR]:
            for y in range(rows):
                add_far_taps(w, level, y, dx, dy)
        else:
            while filters < level:
                step = 1 << filters
                support += step
                # the filters to come before taps are made read further up and down
                halo = w.rings[at + RING_HALO] + (1 << level) - 2 * step
                filter_rows(w, heights, other_heights, step, support, halo)
                filter_rows(w, squares, other_squares, step, support, halo)
                heights, other_heights = other_heights, heights
                squares, other_squares = other_squares, squares
                filters += 1
            for y in range(rows):
                add_near_taps(w, heights, squares, y, dx, dy)


def clear_sides(w: Any) -> None:
    """Make low what the first filter does not write of the arrays that it writes to."""
    low, stride = w.numbers[LOW], w.sizes[STRIDE]
    first, last = w.sizes[FIRST] - w.sizes[REACH], w.sizes[LAST] + w.sizes[REACH]
    left = w.sizes[PAD] + max(w.sizes[WIDE_LEFT] - 1, 0)
    right = w.sizes[PAD] + min(w.sizes[WIDE_RIGHT] + 1, w.sizes[WIDTH])
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
    left = max(w.sizes[WIDE_LEFT] - support, 0)
    right = min(w.sizes[WIDE_RIGHT] + support, w.sizes[WIDTH])
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


def add_near_taps(w: Any, heights: Floats, squares: Floats, y: int, dx: int, dy: int) -> None:
    """Add to a row what four taps of the band's heights hide."""
    stride = w.sizes[STRIDE]
    at = (y + w.sizes[REACH]) * stride + w.sizes[PAD]
    # up is to the row before
    one, two = at - dy * stride + dx, at - dx * stride - dy
    three, four = at + dy * stride - dx, at + dx * stride + dy
    add_taps(w, heights, squares, y, one, two, three, four, dx, dy)


def add_far_taps(w: Any, level: int, y: int, dx: int, dy: int) -> None:
    """Add to a row what four taps of the pyramid hide; ``dy`` is 0 or ``dx``."""
    row, length = y + w.sizes[FIRST], 4 * w.sizes[FAR_STRIDE]
    at = 4 * w.sizes[FAR_PAD] - 2
    refine_row(w, level, row - dx, 0, dx)
    refine_row(w, level, row + dx, length, dx)
    up, down, middle = at, at + length, at + 2 * length
    if dy == 0:
        refine_row(w, level, row, 2 * length, dx)
        one, two, three, four = middle + dx, up, middle - dx, down
    else:
        one, two, three, four = up + dx, up - dx, down - dx, down + dx
    add_taps(w, w.fine_heights, w.fine_squares, y, one, two, three, four, dx, dy)


def add_taps(
    w: Any, heights: Floats, squares: Floats, y: int,
    one: int, two: int, three: int, four: int, dx: int, dy: int,
) -> None:  # fmt: skip
    """Add to a row what taps at (dx, dy), turned by quarters, hide: four places in the arrays."""
    own, start = y * w.sizes[STRIDE] + w.sizes[PAD], (y + w.sizes[FIRST]) * w.sizes[WIDTH]
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
    """What a tap hides, of the mean of heights and of their squares.

    ``base`` is what makes of c times a height that above the plane of the pixel. If a part p of the
    window stands ``top`` above the plane and the rest in it, then the mean is p top, and the mean
    of squares p top^2. So p and ``top`` follow from both, and hide p sin(e)^2, with
    sin(e)^2 = top^2 / (square + top^2): at most p, however high it is. What is far before the
    surface may have nothing to do with it: it hides less, by 1 / (1 + nearness top^2).
    Written with one division, of ``mean`` = p top and ``far`` = p top^2.
    """
    above = base + c * mean
    near, spread = above * above, (c * c) * positive(mean_square - mean * mean)
    far = near + spread
    both = (square * near + far * far) * (near + nearness * (far * far))
    return far * (near * near) / both if above > LEAST else ZERO
