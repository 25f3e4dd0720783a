"""Heights and normals in view space, smoothed; dark lines where the surface steps or bends.

A normal is a covector of the map from view space to model space: it is multiplied by the transpose
of the map's Jacobian. Of m = (A q + b) / (c q + d) that is (A - m c) / (c q + d), so that the
normal n becomes A^T n - c (m n), of any length.
"""

from __future__ import annotations

from typing import Any

from intervalvm.jit.shading.floats import HALF, ONE, ZERO, Float, at_most_one, positive, root
from intervalvm.jit.shading.layout import (
    EDGE,
    FIRST,
    HAS_EDGES,
    HAS_PERSPECTIVE,
    HEIGHT,
    LAST,
    LEFT,
    LOW,
    MARGIN,
    MIDDLE,
    PAD,
    REACH,
    RIGHT,
    SMOOTH,
    STRIDE,
    VOLUME,
    WIDE_LEFT,
    WIDE_RIGHT,
    WIDTH,
)

LEAST_COSINE, COSINES = Float(0.5), Float(2.0)
"""Normals further apart are of two faces; 1 / (1 - the former)."""
NEAR_PLANE = Float(1.5)
"""Voxels from the plane of a pixel up to which another is on the same face."""
NEAR_HEIGHT, SELDOM = Float(4.0), Float(0.0009765625)
"""Voxels of depth up to which neighbours touch; the weight of others' normals where one is missing,
which counts if none touches."""
STEP, STEPS = Float(2.5), Float(0.25)
"""Voxels behind the plane of a pixel where a line begins; 1 / those until it is full."""
BEND, BENDS = Float(0.75), Float(1.5)
"""The cosine between neighbours where a line begins; a factor on what is beyond."""


def load_heights(w: Any) -> None:
    """The heights of a band and what is in reach, ``LOW`` where nothing is hit or no picture is."""
    width, first, last = w.sizes[WIDTH], w.sizes[FIRST], w.sizes[LAST]
    left, right, wide_left, wide_right = width, 0, width, 0
    for y in range(first - w.sizes[REACH], last + w.sizes[REACH]):
        begin, end = 0, width if 0 <= y < w.sizes[HEIGHT] else 0
        while begin < end and w.depth[y * width + begin] <= 0:
            begin += 1
        while begin < end and w.depth[y * width + end - 1] <= 0:
            end -= 1
        load_row(w, y, begin, end)
        if begin < end:
            wide_left, wide_right = min(wide_left, begin), max(wide_right, end)
            if first - w.sizes[MARGIN] <= y < last + w.sizes[MARGIN]:
                left, right = min(left, begin), max(right, end)
    w.sizes[LEFT], w.sizes[RIGHT] = left, max(left, right)
    w.sizes[WIDE_LEFT], w.sizes[WIDE_RIGHT] = wide_left, max(wide_left, wide_right)


def load_row(w: Any, y: int, begin: int, end: int) -> None:
    """Heights and their squares of a row of the picture, with hits from ``begin`` to ``end``."""
    low, middle, start = w.numbers[LOW], w.numbers[MIDDLE], y * w.sizes[WIDTH]
    at = (y - w.sizes[FIRST] + w.sizes[REACH]) * w.sizes[STRIDE]
    own, after = at + w.sizes[PAD], at + w.sizes[STRIDE]
    fill(w, at, own + begin, low)
    for x in range(begin, end):
        depth = w.depth[start + x]
        height = Float(depth) - middle if depth > 0 else low
        w.heights[own + x] = height
        w.squares[own + x] = height * height
    fill(w, own + end, after, low)


def fill(w: Any, first: int, last: int, low: Float) -> None:
    """Make heights low."""
    square = low * low
    for at in range(first, last):
        w.heights[at] = low
        w.squares[at] = square


def turn_normals(w: Any) -> None:
    """Unit normals in view space of a band and its margin; 0 where they do not face the viewer."""
    stride, margin = w.sizes[STRIDE], w.sizes[MARGIN]
    for y in range(w.sizes[FIRST] - margin, w.sizes[LAST] + margin):
        at = (y - w.sizes[FIRST] + margin) * stride
        for x in range(stride):
            w.raw_x[at + x] = ZERO
            w.raw_y[at + x] = ZERO
            w.raw_z[at + x] = ZERO
        if 0 <= y < w.sizes[HEIGHT]:
            turn_row(w, y, at + w.sizes[PAD])
            if w.sizes[HAS_PERSPECTIVE]:
                bend_row(w, y, at + w.sizes[PAD])
            face_row(w, at + w.sizes[PAD])


def turn_row(w: Any, y: int, at: int) -> None:
    """Multiply the normals of a row by the transpose of the linear part of the map."""
    m0, m1, m2 = w.matrix[0], w.matrix[1], w.matrix[2]
    m4, m5, m6 = w.matrix[4], w.matrix[5], w.matrix[6]
    m8, m9, m10 = w.matrix[8], w.matrix[9], w.matrix[10]
    start = 3 * y * w.sizes[WIDTH]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        a, b, c = (
            w.normals[start + 3 * x],
            w.normals[start + 3 * x + 1],
            w.normals[start + 3 * x + 2],
        )
        w.raw_x[at + x] = (m0 * a + m4 * b) + m8 * c
        w.raw_y[at + x] = (m1 * a + m5 * b) + m9 * c
        w.raw_z[at + x] = (m2 * a + m6 * b) + m10 * c


def bend_row(w: Any, y: int, at: int) -> None:
    """Subtract c (m n) from the normals of a row, which perspective adds."""
    b0, b1, b2 = w.matrix[3], w.matrix[7], w.matrix[11]
    c0, c1, c2, d = w.matrix[12], w.matrix[13], w.matrix[14], w.matrix[15]
    up = HALF * Float(w.sizes[HEIGHT]) - (Float(y) + HALF)
    left, back = HALF * Float(w.sizes[WIDTH]) - HALF, HALF * Float(w.sizes[VOLUME]) + HALF
    start = y * w.sizes[WIDTH]
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        right, near = Float(x) - left, Float(w.depth[start + x]) - back
        n0, n1, n2 = (
            w.normals[3 * (start + x)],
            w.normals[3 * (start + x) + 1],
            w.normals[3 * (start + x) + 2],
        )
        v0, v1, v2 = w.raw_x[at + x], w.raw_y[at + x], w.raw_z[at + x]
        moved = ((v0 * right + v1 * up) + v2 * near) + ((b0 * n0 + b1 * n1) + b2 * n2)
        part = moved / (((c0 * right + c1 * up) + c2 * near) + d)
        w.raw_x[at + x] = v0 - c0 * part
        w.raw_y[at + x] = v1 - c1 * part
        w.raw_z[at + x] = v2 - c2 * part


def face_row(w: Any, at: int) -> None:
    """Normals of a row to length 1, or 0 if they do not face the viewer."""
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        a, b, c = w.raw_x[at + x], w.raw_y[at + x], w.raw_z[at + x]
        scale = ONE / root((a * a + b * b) + c * c)
        w.raw_x[at + x] = a * scale if c > ZERO else ZERO
        w.raw_y[at + x] = b * scale if c > ZERO else ZERO
        w.raw_z[at + x] = c * scale if c > ZERO else ZERO


def smooth_normals(w: Any) -> None:
    """Means of the normals of a band over a window, of one face each.

    A normal that does not face the viewer is that of the neighbours, or faces the viewer if none of
    theirs does.
    """
    left, right, window = w.sizes[LEFT], w.sizes[RIGHT], max(w.sizes[SMOOTH], 1)
    for y in range(w.sizes[LAST] - w.sizes[FIRST]):
        own = y * w.sizes[STRIDE] + w.sizes[PAD]
        raw = (y + w.sizes[MARGIN]) * w.sizes[STRIDE] + w.sizes[PAD]
        height = (y + w.sizes[REACH]) * w.sizes[STRIDE] + w.sizes[PAD]
        for x in range(left, right):
            w.x[own + x], w.y[own + x], w.z[own + x] = (
                w.raw_x[raw + x],
                w.raw_y[raw + x],
                w.raw_z[raw + x],
            )
        for dy in range(window + 1):
            for dx in range(1, window + 1):
                add_neighbours(w, own, raw, height, dx, dy)
        for x in range(left, right):
            a, b, c = w.x[own + x], w.y[own + x], w.z[own + x]
            scale = ONE / root((a * a + b * b) + c * c)
            w.x[own + x] = a * scale if c > ZERO else ZERO
            w.y[own + x] = b * scale if c > ZERO else ZERO
            w.z[own + x] = c * scale if c > ZERO else ONE


def add_neighbours(w: Any, own: int, raw: int, height: int, dx: int, dy: int) -> None:
    """Add to a row four normals each, at (dx, dy) turned by quarters, if they are of its face."""
    stride = w.sizes[STRIDE]
    one, two = dx - dy * stride, -dy - dx * stride
    right, up, smooth = Float(dx), Float(dy), w.sizes[SMOOTH] != 0
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        a, b, c = w.raw_x[raw + x], w.raw_y[raw + x], w.raw_z[raw + x]
        middle = w.heights[height + x]
        along, across = a * right + b * up, b * right - a * up
        p1, q1, r1 = w.raw_x[raw + one + x], w.raw_y[raw + one + x], w.raw_z[raw + one + x]
        p2, q2, r2 = w.raw_x[raw + two + x], w.raw_y[raw + two + x], w.raw_z[raw + two + x]
        p3, q3, r3 = w.raw_x[raw - one + x], w.raw_y[raw - one + x], w.raw_z[raw - one + x]
        p4, q4, r4 = w.raw_x[raw - two + x], w.raw_y[raw - two + x], w.raw_z[raw - two + x]
        w1 = likeness((a * p1 + b * q1) + c * r1, w.heights[height + one + x] - middle, along, c)
        w2 = likeness((a * p2 + b * q2) + c * r2, w.heights[height + two + x] - middle, across, c)
        w3 = likeness((a * p3 + b * q3) + c * r3, w.heights[height - one + x] - middle, -along, c)
        w4 = likeness((a * p4 + b * q4) + c * r4, w.heights[height - two + x] - middle, -across, c)
        used = smooth or c == ZERO
        more_x = (w1 * p1 + w3 * p3) + (w2 * p2 + w4 * p4)
        more_y = (w1 * q1 + w3 * q3) + (w2 * q2 + w4 * q4)
        more_z = (w1 * r1 + w3 * r3) + (w2 * r2 + w4 * r4)
        w.x[own + x] += more_x if used else ZERO
        w.y[own + x] += more_y if used else ZERO
        w.z[own + x] += more_z if used else ZERO


def likeness(cosine: Float, rise: Float, along: Float, c: Float) -> Float:
    """The weight of a neighbour's normal for one with the z of ``c``, 0 if of another face."""
    like, above = (cosine - LEAST_COSINE) * COSINES, along + c * rise
    like = like if -NEAR_PLANE < above < NEAR_PLANE else ZERO
    lent = ONE if -NEAR_HEIGHT < rise < NEAR_HEIGHT else SELDOM
    return positive(like) if c > ZERO else lent


def draw_lines(w: Any) -> None:
    """How dark a line is at each pixel of a band: where a neighbour is behind, or turned away."""
    if not w.sizes[HAS_EDGES]:
        for at in range((w.sizes[LAST] - w.sizes[FIRST]) * w.sizes[STRIDE]):
            w.line[at] = ZERO
        return
    for y in range(w.sizes[LAST] - w.sizes[FIRST]):
        own = y * w.sizes[STRIDE] + w.sizes[PAD]
        raw = (y + w.sizes[MARGIN]) * w.sizes[STRIDE] + w.sizes[PAD]
        height = (y + w.sizes[REACH]) * w.sizes[STRIDE] + w.sizes[PAD]
        draw_line(w, y + w.sizes[FIRST], own, raw, height)


def draw_line(w: Any, y: int, own: int, raw: int, height: int) -> None:
    """Darken the pixels of a row by their four neighbours."""
    stride, edge = w.sizes[STRIDE], w.numbers[EDGE]
    # there is no line beside what is outside of the picture
    last, is_below, is_above = w.sizes[WIDTH] - 1, y > 0, y < w.sizes[HEIGHT] - 1
    for x in range(w.sizes[LEFT], w.sizes[RIGHT]):
        a, b, c = w.x[own + x], w.y[own + x], w.z[own + x]
        middle = w.heights[height + x]
        right = w.heights[height + 1 + x] - middle
        up = w.heights[height - stride + x] - middle
        left = w.heights[height - 1 + x] - middle
        down = w.heights[height + stride + x] - middle
        p1, q1, r1 = w.raw_x[raw + 1 + x], w.raw_y[raw + 1 + x], w.raw_z[raw + 1 + x]
        p2, q2, r2 = w.raw_x[raw - stride + x], w.raw_y[raw - stride + x], w.raw_z[raw - stride + x]
        p3, q3, r3 = w.raw_x[raw - 1 + x], w.raw_y[raw - 1 + x], w.raw_z[raw - 1 + x]
        p4, q4, r4 = w.raw_x[raw + stride + x], w.raw_y[raw + stride + x], w.raw_z[raw + stride + x]
        d1 = darkness(right, a + c * right, (a * p1 + b * q1) + c * r1)
        d2 = darkness(up, b + c * up, (a * p2 + b * q2) + c * r2)
        d3 = darkness(left, c * left - a, (a * p3 + b * q3) + c * r3)
        d4 = darkness(down, c * down - b, (a * p4 + b * q4) + c * r4)
        d1, d2 = d1 if x < last else ZERO, d2 if is_below else ZERO
        d3, d4 = d3 if x > 0 else ZERO, d4 if is_above else ZERO
        across, along = d1 if d1 > d3 else d3, d2 if d2 > d4 else d4
        w.line[own + x] = edge * (across if across > along else along)


def darkness(rise: Float, above: Float, cosine: Float) -> Float:
    """That of a line beside a neighbour ``above`` the plane, with an angle between normals."""
    fall = at_most_one(positive((-above - STEP) * STEPS))
    bend = at_most_one(positive((BEND - cosine) * BENDS))
    bend = HALF * bend if -NEAR_HEIGHT < rise < NEAR_HEIGHT else ZERO
    return fall if fall > bend else bend
