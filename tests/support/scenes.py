"""Random scenes for Hypothesis: shapes that a person might draw, so that regions differ in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from intervalvm.tape import Tape, TapeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable


@st.composite
def blends(draw: st.DrawFn, *, inputs: int = 2, most: int = 8) -> Tape:
    """Circles or spheres blended by the logarithm of a sum of exponentials, or by a square."""
    build = TapeBuilder()
    axes = [build.clause(name) for name in ("var-x", "var-y", "var-z")[:inputs]]
    near, small = st.floats(-1.25, 1.25, width=16), st.floats(0.0625, 0.5, width=16)
    sharpness = draw(st.sampled_from([4.0, 32.0, 500.0, -32.0]))

    def joined(op: str, a: int, number: float) -> int:
        return build.clause(op, a, build.const(number))

    def ball() -> int:
        sides = [build.clause("square", joined("sub", axis, draw(near))) for axis in axes]
        total = sides[0]
        for side in sides[1:]:
            total = build.clause("add", total, side)
        return joined("sub", build.clause("sqrt", total), draw(small))

    def smooth(a: int, b: int) -> int:
        number = build.const(draw(small))
        gap = build.clause("sub", number, build.clause("abs", build.clause("sub", a, b)))
        rest = build.clause("square", joined("max", gap, 0.0))
        rest = joined(draw(st.sampled_from(["mul", "div"])), rest, draw(small))
        if draw(st.booleans()):
            return build.clause("sub", build.clause("min", a, b), rest)
        return build.clause("add", build.clause("max", a, b), rest)

    parts = [ball() for _ in range(draw(st.integers(1, most)))]
    if draw(st.booleans()):
        parts = [build.clause("exp", joined("mul", part, -sharpness)) for part in parts]
        while len(parts) > 1:
            parts.append(build.clause("add", *(parts.pop(draw(st.integers(0, len(parts) - 1)))
                                               for _ in "ab")))  # fmt: skip
        joined("div", build.clause("ln", parts[0]), -sharpness)
    else:
        while len(parts) > 1:
            parts.append(smooth(*(parts.pop(draw(st.integers(0, len(parts) - 1))) for _ in "ab")))
        joined("add", parts[0], draw(st.sampled_from([0.0, 0.125])))
    return build.build().check()


@st.composite
def scenes(draw: st.DrawFn, max_shapes: int = 12) -> Tape:
    """Circles, rectangles, half-planes, shells and waves of floor, joined by min and max."""
    build = TapeBuilder()
    x, y = build.clause("var-x"), build.clause("var-y")
    near = st.floats(-1.25, 1.25, width=16)

    def joined(op: str, a: int, number: float) -> int:
        return build.clause(op, a, build.const(number))

    def circle(x: int, y: int) -> int:
        sides = (build.clause("square", joined("sub", side, draw(near))) for side in (x, y))
        root = build.clause("sqrt", build.clause("add", *sides))
        return joined("sub", root, draw(st.floats(0, 1, width=16)))

    def rectangle(x: int, y: int) -> int:
        sides = (
            joined("sub", build.clause("abs", joined("sub", side, draw(near))), abs(draw(near)) / 2)
            for side in (x, y)
        )
        return build.clause("max", *sides)

    def half_plane(x: int, y: int) -> int:
        return build.clause("sub", joined("mul", x, draw(near)), joined("add", y, draw(near)))

    def stairs(x: int, y: int) -> int:
        step = build.clause("floor", joined("mul", x, draw(st.integers(1, 9))))
        return build.clause("sub", y, joined("div", step, draw(st.integers(-9, -1))))

    def ratio(x: int, y: int) -> int:
        return joined("sub", build.clause("div", y, joined("sub", x, draw(near))), draw(near))

    def of_x_or_y(x: int, y: int) -> int:
        return joined("sub", build.clause(draw(st.sampled_from(["min", "max"])), x, y), draw(near))

    kinds: list[Callable[[int, int], int]] = [
        *(circle, rectangle, half_plane, stairs, ratio, of_x_or_y)
    ]
    shapes = []
    for _ in range(draw(st.integers(1, max_shapes))):
        at = draw(st.sampled_from([(x, y), (y, x), (x, x)]))
        shape = draw(st.sampled_from(kinds))(*at)
        change = draw(st.sampled_from(["as it is", "as it is", "neg", "shell", "bent"]))
        if change == "neg":
            shape = build.clause("neg", shape)
        elif change == "shell":
            shape = joined("sub", build.clause("abs", shape), 0.125)
        elif change == "bent":
            # what comes after is seen through this shape: terms of x alone become terms of both
            x = build.clause("add", x, joined("mul", shape, 0.25))
        shapes.append(shape)
    joins = st.sampled_from(["min", "min", "max", "add", "sub"])
    while len(shapes) > 1:
        a = shapes.pop(draw(st.integers(0, len(shapes) - 1)))
        b = shapes.pop(draw(st.integers(0, len(shapes) - 1)))
        shapes.append(build.clause(draw(joins), a, b))
    build.clause("add", shapes[0], build.const(draw(st.sampled_from([0.0, 0.25]))))
    return build.build().check()
