"""For those who know another library: our side runs, and is the shape that theirs means."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copy
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.places import TOP

import intervalvm as ivm
from intervalvm.shapes import Shape

PAGE = (TOP / "docs" / "coming-from.md").read_text(encoding="utf-8")
TABLE = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| (.+?) \| (`.+`) \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
ROWS = [
    (library, theirs.replace("\\|", "|"), ours.replace("\\|", "|"))
    for library, text in TABLE.findall(PAGE)
    for theirs, ours in ROW.findall(text)
]
Field = NDArray[np.float64]
Formula = Callable[[Field, Field, Field], Any]


def ball(radius: float) -> Formula:
    return lambda x, y, z: x**2 + y**2 + z**2 < radius**2


def block(low: tuple[float, ...], high: tuple[float, ...]) -> Formula:
    return lambda *p: np.all(
        [(c > l_) & (c < h) for c, l_, h in zip(p, low, high, strict=False)], axis=0
    )


def plate(x: Field, y: Field, z: Field) -> Any:
    """``a`` of the page."""
    return (abs(x) < 1.5) & (abs(y) < 1.5) & (abs(z) < 0.25)


def flat(x: Field, y: Field, z: Field) -> Any:
    """``flat`` of the page."""
    return (x > 0.5) & (x < 1.5) & (y > 0) & (y < 0.5)


def moved(formula: Formula, dx: float, dy: float, dz: float) -> Formula:
    return lambda x, y, z: formula(x - dx, y - dy, z - dz)


def turned(formula: Formula, degrees: float) -> Formula:
    """About z, counter-clockwise."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return lambda x, y, z: formula(c * x + s * y, c * y - s * x, z)


def around(formula: Formula, count: int) -> Formula:
    parts = [turned(formula, 360 * i / count) for i in range(count)]
    return lambda x, y, z: np.any([part(x, y, z) for part in parts], axis=0)


def twisted(formula: Formula, degrees: float) -> Formula:
    """By so many degrees a unit of z, counter-clockwise seen from above."""

    def inside(x: Field, y: Field, z: Field) -> Any:
        c, s = np.cos(np.radians(degrees * z)), np.sin(np.radians(degrees * z))
        return formula(c * x + s * y, c * y - s * x, z)

    return inside


def half_between(x: Field, y: Field, z: Field) -> Any:
    """The mean of the distances to a and to b is negative."""
    q = np.stack([abs(x) - 1.5, abs(y) - 1.5, abs(z) - 0.25])
    to_plate = np.sqrt((np.maximum(q, 0) ** 2).sum(axis=0)) + np.minimum(q.max(axis=0), 0)
    return to_plate + np.sqrt(x**2 + y**2 + z**2) - 1 < 0


def blended(x: Field, y: Field, z: Field, k: float, cut: bool) -> Any:
    """sdf's smooth union of a and b, or smooth difference."""
    q = np.stack([abs(x) - 1.5, abs(y) - 1.5, abs(z) - 0.25])
    first = np.sqrt((np.maximum(q, 0) ** 2).sum(axis=0)) + np.minimum(q.max(axis=0), 0)
    second = np.sqrt(x**2 + y**2 + z**2) - 1
    if cut:
        h = np.clip(0.5 - 0.5 * (second + first) / k, 0, 1)
        return first + (-second - first) * h + k * h * (1 - h) < 0
    h = np.clip(0.5 + 0.5 * (second - first) / k, 0, 1)
    return second + (first - second) * h - k * h * (1 - h) < 0


def upright(radius: Callable[[Field], Any], low: float, high: float) -> Formula:
    """Round about z, of a radius that depends on z."""
    return lambda x, y, z: (x**2 + y**2 < radius(z) ** 2) & (z > low) & (z < high)


def tube(x: Field, y: Field, z: Field) -> Any:
    """The torus of radii 1 and 0.25 about z."""
    return (np.sqrt(x**2 + y**2) - 1) ** 2 + z**2 < 0.0625


def near_plate(distance: float) -> Formula:
    def inside(x: Field, y: Field, z: Field) -> Any:
        q = np.stack([abs(x) - 1.5, abs(y) - 1.5, abs(z) - 0.25])
        apart = np.sqrt((np.maximum(q, 0) ** 2).sum(axis=0)) + np.minimum(q.max(axis=0), 0)
        return apart < distance

    return inside


def stadium(x: Field, y: Field, z: Field) -> Any:
    """The rectangle of 2 by 1, half a unit wider."""
    return np.maximum(abs(x) - 1, 0) ** 2 + np.maximum(abs(y) - 0.5, 0) ** 2 < 0.25


def rounded(x: Field, y: Field, z: Field) -> Any:
    q = np.stack([abs(x) - 0.25, abs(y) - 0.75, abs(z) - 1.25])
    return (np.maximum(q, 0) ** 2).sum(axis=0) < 0.0625


def pill(x: Field, y: Field, z: Field) -> Any:
    return x**2 + y**2 + np.maximum(abs(z) - 1, 0) ** 2 < 0.25


def about(formula: Formula, up: int) -> Formula:
    """What the plane's x and y make, revolved about y (1) or z (2)."""

    def inside(x: Field, y: Field, z: Field) -> Any:
        other = z if up == 1 else y
        return formula(np.sqrt(x**2 + other**2), y if up == 1 else z, 0 * x)

    return inside


def stretched(x: Field, y: Field, z: Field) -> Any:
    return x**2 + (y / 2) ** 2 + (z / 3) ** 2 < 1


def tipped(x: Field, y: Field, z: Field) -> Any:
    return plate(x, (y + z) / np.sqrt(2), (z - y) / np.sqrt(2))


def rising(x: Field, y: Field, z: Field) -> Any:
    return flat(x, y, z) & (z > 0) & (z < 3)


def triangle(x: Field, y: Field, z: Field) -> Any:
    return (x > 0) & (y > 0) & (x + 2 * y < 2)


def skin(x: Field, y: Field, z: Field) -> Any:
    return abs(np.sqrt(x**2 + y**2 + z**2) - 1) < 0.025


def nine_balls(x: Field, y: Field, z: Field) -> Any:
    steps = (-3, 0, 3)
    return np.any([ball(1)(x - i, y - j, z) for i in steps for j in steps], axis=0)


def three_balls(x: Field, y: Field, z: Field) -> Any:
    return np.any([ball(1)(x - i, y, z) for i in (0, 2.5, 5)], axis=0)


def either(x: Field, y: Field, z: Field) -> Any:
    return plate(x, y, z) | ball(1)(x, y, z)


def both(x: Field, y: Field, z: Field) -> Any:
    return plate(x, y, z) & ball(1)(x, y, z)


def cut_out(x: Field, y: Field, z: Field) -> Any:
    return plate(x, y, z) & ~ball(1)(x, y, z)


AT_45 = turned(plate, 45)
CORNER, CYLINDER = block((0, 0, 0), (1, 2, 3)), upright(lambda z: 1, 0, 2)
MEANT: dict[str, Formula] = {
    "sphere(1)": ball(1),
    "box((1, 2, 3))": block((-0.5, -1, -1.5), (0.5, 1, 1.5)),
    "rounded_box((1, 2, 3), 0.25)": rounded,
    "torus(1, 0.25)": tube,
    "capsule(-Z, Z, 0.5)": pill,
    "capped_cylinder(-Z, Z, 0.5)": upright(lambda z: 0.5, -1, 1),
    "capped_cone(-Z, Z, 1, 0.5)": upright(lambda z: 0.75 - z / 4, -1, 1),
    "ellipsoid((1, 2, 3))": stretched,
    "plane()": lambda x, y, z: z > 0,
    "slab(z0=-0.5, z1=0.5)": lambda x, y, z: abs(z) < 0.5,
    "a | b": either,
    "a & b": both,
    "a - b": cut_out,
    "union(a, b, k=0.25)": lambda x, y, z: blended(x, y, z, 0.25, cut=False),
    "a - b.k(0.25)": lambda x, y, z: blended(x, y, z, 0.25, cut=True),
    "sphere(1).translate((1, 2, 3))": moved(ball(1), 1, 2, 3),
    "a.rotate(pi / 4)": AT_45,
    "a.rotate(pi / 4, X)": tipped,
    "sphere(1).scale((1, 2, 3))": stretched,
    "sphere(1).repeat(3, (1, 1, 0))": nine_balls,
    "sphere(1).circular_array(8, 4)": around(moved(ball(1), 4, 0, 0), 8),
    "sphere(1).shell(0.05)": skin,
    "a.dilate(0.1)": near_plate(0.1),
    "a.erode(0.1)": near_plate(-0.1),
    "box(1).twist(pi / 2)": twisted(block((-0.5,) * 3, (0.5,) * 3), -90),
    "a.blend(b, k=0.5)": half_between,
    "rectangle((2, 1)).extrude(3)": block((-1, -0.5, -1.5), (1, 0.5, 1.5)),
    "circle(1).revolve(2)": about(lambda x, y, z: (x - 2) ** 2 + y**2 < 1, 2),
    "@sdf3": ball(1),
    "sphere(d = 2);": ball(1),
    "cube([1, 2, 3], center = true);": block((-0.5, -1, -1.5), (0.5, 1, 1.5)),
    "cube([1, 2, 3]);": CORNER,
    "cylinder(h = 2, r = 1);": CYLINDER,
    "cylinder(h = 2, r1 = 1, r2 = 0.5);": upright(lambda z: 1 - z / 4, 0, 2),
    "square([2, 1]);": block((0, 0), (2, 1)),
    "polygon([[0, 0], [2, 0], [0, 1]]);": triangle,
    "union() { a(); b(); }": either,
    "intersection() { a(); b(); }": both,
    "difference() { a(); b(); }": cut_out,
    "translate([1, 2, 3]) a();": moved(plate, 1, 2, 3),
    "rotate([90, 0, 0]) a();": lambda x, y, z: plate(x, z, -y),
    "rotate(45) a();": AT_45,
    "mirror([1, 0, 0]) a();": plate,
    "scale([1, 2, 3]) sphere(1);": stretched,
    "offset(r = 0.5) square([2, 1], center = true);": stadium,
    "linear_extrude(height = 3) flat();": rising,
    "linear_extrude(height = 3, twist = 90) flat();": twisted(rising, -30),
    "rotate_extrude() flat();": about(flat, 2),
    "for (i = [0 : 5]) rotate(60 * i) flat();": around(flat, 6),
    'color("red") a();': plate,
    "r = 0.5; // [0.1 : 0.9]": lambda x, y, z: x**2 + y**2 < 0.25,
    "sphere(1, (1, 2, 3))": moved(ball(1), 1, 2, 3),
    "box_exact((0, 0, 0), (1, 2, 3))": CORNER,
    "cylinder_z(1, 2)": CYLINDER,
    "cone_z(1, 2)": upright(lambda z: 1 - z / 2, 0, 2),
    "torus_z(1, 0.25)": tube,
    "rectangle((0, 0), (2, 1))": block((0, 0), (2, 1)),
    "ring(1, 0.5)": lambda x, y, z: (x**2 + y**2 < 1) & (x**2 + y**2 > 0.25),
    "union(a, b)": either,
    "difference(a, b)": cut_out,
    "offset(a, 0.1)": near_plate(0.1),
    "move(a, (1, 2, 3))": moved(plate, 1, 2, 3),
    "reflect_x(a)": plate,
    "symmetric_x(a)": plate,
    "scale_xyz(b, (1, 2, 3))": stretched,
    "extrude_z(flat, 0, 3)": rising,
    "revolve_y(flat)": about(flat, 1),
    "array_x(b, 3, 2.5)": three_balls,
    "array_polar_z(flat, 6)": around(flat, 6),
}
"""Where each of their shapes is, by its text: written from what their manuals say."""


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    block = re.search(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert block
    found: dict[str, Any] = {}
    exec(block[1], found)
    return found


@pytest.mark.parametrize(("library", "theirs", "ours"), ROWS, ids=lambda text: text)
def test_our_side_runs_and_is_their_shape(
    library: str,
    theirs: str,
    ours: str,
    names: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy(TOP / "prospero.vm", tmp_path)
    monkeypatch.chdir(tmp_path)
    their_codes, our_codes = CODE.findall(theirs), CODE.findall(ours)
    values = [eval(code, names) for code in our_codes]
    shapes = [value for value in values if isinstance(value, Shape)]
    if not shapes or "text" in ours:
        assert all(value is not None or ".save(" in ours for value in values)
        return
    points = np.random.default_rng(8).uniform(-6, 6, (3, 40_000)).round(3)
    points[:, 20_000:] /= 3
    x, y, z = points + 0.0003  # which no face has
    for code, shape in zip(their_codes, shapes, strict=False):
        meant = np.broadcast_to(np.asarray(MEANT[code](x, y, z)), x.shape)
        assert 0.0005 < meant.mean() < 0.9
        found = ivm.evaluate(shape, x, y, z, dtype="float64") < 0
        np.testing.assert_array_equal(found, meant, err_msg=code)


def test_no_meaning_is_written_in_vain() -> None:
    listed = {code for _, theirs, _ in ROWS for code in CODE.findall(theirs)}
    assert set(MEANT) <= listed
