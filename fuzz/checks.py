"""What must hold of every case, exactly. ``check`` says what does not, and counts what it tried."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import intervalvm as ivm
from fuzz.source import Dice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fuzz.cases import Case
    from intervalvm import Tape

MOST_WALKED_PX = 40 * 40
"""The walk with NumPy takes a hundred times as long: larger pictures are left to the other."""
BOXES, POINTS = 3, 64


@dataclass
class Tried:
    """How much was compared. ``boxes``: tiles that the walk looked at, boxes that were bounded."""

    tapes: int = 0
    boxes: int = 0
    points: int = 0

    def __str__(self) -> str:
        return f"{self.tapes} tapes, {self.boxes} boxes, {self.points} points"


class Wrong(Exception):
    """Something that must hold does not: ``what`` names it, the same for the same fault."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(f"{what}: {detail}")
        self.what = what


def check(case: Case, tried: Tried) -> None:
    """Raises Wrong, or whatever the package raises where it must not raise at all."""
    try:
        case.samples()
    except ivm.OptionError:
        return  # the region goes beyond the dtype, and that is said
    with np.errstate(all="raise", under="ignore"):  # nothing of ours may depend on a caller's state
        dense = ivm.evaluate(
            case.tape,
            case.samples()[0],
            case.samples()[1][:, None],
            case.z,
            variables=case.variables,
            dtype=case.dtype,
        )
        dense = np.broadcast_to(dense, case.size[::-1])
        _check_text(case.tape)
        _check_fold(case, dense)
        _check_pictures(case, dense, tried)
        _check_boxes(case, tried)
        _check_proofs(case, tried)
    tried.tapes += 1


def bits(values: Any) -> NDArray[Any]:
    """The bits of floats, all NaN the same."""
    array = np.array(values)
    array[np.isnan(array)] = np.nan
    return array.view(f"u{array.itemsize}")


def _check_text(tape: Tape) -> None:
    if ivm.parse(str(tape)) != tape:
        raise Wrong("text", "it reads back as another tape")


def _check_fold(case: Case, dense: NDArray[Any]) -> None:
    x, y = case.samples()
    folded = ivm.fold(case.tape, dtype=case.dtype)
    options: dict[str, Any] = {"variables": case.variables, "dtype": case.dtype}
    found = ivm.evaluate(folded, x, y[:, None], case.z, **options)
    _equal("fold", np.broadcast_to(found, dense.shape), dense)


def _check_pictures(case: Case, dense: NDArray[Any], tried: Tried) -> None:
    with np.errstate(invalid="ignore"):
        inside = dense < 0
    for name, image in _pictures(case):
        if case.mode == "bitmap":
            found = image.pixels
            if not np.isin(found, (0, 255)).all():
                raise Wrong(name, "a pixel is neither 0 nor 255")
            _equal(name, found == 255, inside)
        else:
            _equal(name, image.pixels, dense)
        tried.points += found.size if case.mode == "bitmap" else dense.size
        tried.boxes += sum(level.regions for level in image.stats.levels)


def _pictures(case: Case) -> Iterator[tuple[str, ivm.Image]]:
    options = _options(case)
    yield "dense", ivm.render(case.tape, engine="dense", **options)
    yield "pruned numba", ivm.render(case.tape, threads=case.threads, **options)
    if math.prod(case.size) <= MOST_WALKED_PX:
        yield "pruned numpy", ivm.render(case.tape, backend="numpy", **options)
    yield "renderer", ivm.Renderer(case.tape, threads=case.threads, **options).render()


def _options(case: Case) -> dict[str, Any]:
    return {
        "region": case.region,
        "size": case.size,
        "depth": case.depth,
        "grid": case.grid,
        "dtype": case.dtype,
        "mode": case.mode,
        "z": case.z,
        "variables": case.variables,
    }


def _check_proofs(case: Case, tried: Tried) -> None:
    """No engine contradicts another, and no pixel's area its sample."""
    options = _options(case) | {"mode": "bitmap"}
    of_sample = None
    for prove in ("point", "area"):
        expected = ivm.render(case.tape, engine="dense", prove=prove, **options).pixels
        engines: dict[str, dict[str, Any]] = {"numba": {"threads": case.threads}}
        if math.prod(case.size) <= MOST_WALKED_PX:
            engines["numpy"] = {"backend": "numpy"}
        for name, engine in engines.items():
            image = ivm.render(case.tape, prove=prove, **engine, **options)
            found, unproven = image.pixels, image.stats.pixels["unproven"]
            if not np.isin(found, (0, 128, 255)).all() or unproven != (found == 128).sum():
                raise Wrong(f"proof {name}", "a pixel is none of the three, or not counted")
            for other in (expected, of_sample):
                if other is not None:
                    contradicts = np.abs(found.astype(int) - other) == 255
                    _equal(f"proof {name}", contradicts, np.zeros_like(contradicts))
            tried.points += found.size
            tried.boxes += sum(level.regions for level in image.stats.levels)
        of_sample = expected


def _check_boxes(case: Case, tried: Tried) -> None:
    """Bounds hold at points of a box, and the tape that is shortened for it is the same there."""
    dice = Dice(case.seed)
    for _ in range(BOXES):
        x, y = (_part(dice, side, case.dtype) for side in (case.x, case.y))
        sides: dict[str, Any] = {"x": x, "y": y, "z": case.z, "variables": case.variables}
        if any(math.isnan(value) for value in case.variables.values()):
            return  # no side of a box is NaN
        box = ivm.interval(case.tape, **sides, dtype=case.dtype, backend="numpy")
        points = [_points(dice, side, case.dtype) for side in (x, y)]
        options: dict[str, Any] = {"variables": case.variables, "dtype": case.dtype}
        values = ivm.evaluate(case.tape, points[0], points[1], case.z, **options)
        with np.errstate(invalid="ignore"):
            held = (box.lower <= values) & (values <= box.upper) | np.isnan(values) & box.maybe_nan
        if not held.all():
            at = int(np.argmin(held))
            where = f"x={float(points[0][at])!r} y={float(points[1][at])!r}: {values[at]!r}"
            raise Wrong("interval", f"{sides} gives {box}, but {where}")
        if ivm.interval(case.tape, **sides, dtype=case.dtype) != box:
            raise Wrong("interval compiled", f"{sides} does not give {box}")
        for keep in ("value", "sign"):
            for dtype in (None, case.dtype):
                short = ivm.simplify(case.tape, **sides, keep=keep, dtype=dtype)
                found = ivm.evaluate(short, points[0], points[1], case.z, **options)
                with np.errstate(invalid="ignore"):
                    pair = (found < 0, values < 0) if keep == "sign" else (found, values)
                _equal(f"simplify {keep} {dtype and 'dtype'}", *pair)
        tried.boxes += 1
        tried.points += 5 * POINTS


def _part(dice: Dice, side: tuple[float, float], dtype: str) -> tuple[float, float]:
    """A part of a side, its ends floats of the dtype; one float at times."""
    low, high = side
    shares = sorted((dice.share(), dice.share()))
    if dice.chance(6):
        shares[1] = shares[0]
    with np.errstate(over="ignore", under="ignore"):
        ends = [float(np.array(low + (high - low) * share).astype(dtype)) for share in shares]
    return ends[0], ends[1]


def _points(dice: Dice, side: tuple[float, float], dtype: str) -> NDArray[Any]:
    """Floats within a side: the ends, their neighbours, 0, and between."""
    low, high = np.array(side, dtype)
    some = [low, high, np.nextafter(low, high), np.nextafter(high, low), low * 0, -low * 0]
    with np.errstate(under="ignore"):
        some += [
            np.array(float(low) + (float(high) - float(low)) * dice.share()).astype(dtype)
            for _ in range(POINTS - len(some))
        ]
    points = np.clip(np.array(some, dtype), low, high)
    shuffled: NDArray[Any] = points[[dice.integer(0, POINTS - 1) for _ in range(POINTS)]]
    return shuffled


def _equal(what: str, found: NDArray[Any], expected: NDArray[Any]) -> None:
    if found.dtype != bool:
        found, expected = bits(found), bits(expected)
    wrong = found != expected
    if wrong.any():
        raise Wrong(
            what, f"{np.count_nonzero(wrong)} of {wrong.size} differ, {np.argwhere(wrong)[0]}"
        )


def what_fails(case: Case) -> tuple[str, str] | None:
    """The name and the message of what is wrong with a case, or None."""
    try:
        check(case, Tried())
    except Wrong as wrong:
        return wrong.what, str(wrong)
    except Exception as error:
        return type(error).__name__, f"{type(error).__name__}: {error}"
    return None
