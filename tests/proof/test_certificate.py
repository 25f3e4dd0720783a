"""Certificates: the checker confirms ours, refuses others, and is right about every operation."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath.libmp import from_float, to_rational
from support import reals
from support.certificates import LINE, SCRIPT, assert_refused, checker, lines_of, run, shape, write
from support.operations import OPERATIONS, tape_of
from support.real_points import PLACES, pairs, point_in, real_sides
from support.strategies import shapes, tapes

import intervalvm as ivm
from fuzz.cases import draw
from fuzz.source import Dice
from intervalvm import OptionError, Region, Tape
from intervalvm.ops import OPS
from intervalvm.proof import certificate as module
from intervalvm.proof.certificate import Subject, write_certificate

X, Y, Z = ivm.axes()
FEW = settings(max_examples=settings().max_examples // 4)


def check(folder: Path, sample: int | None = None) -> str:
    return str(checker.check(folder / "proof.jsonl", folder / "shape.vm", sample, 0))


# what is written


def test_lines_say_what_is_claimed(saved: Path) -> None:
    first, *boxes, last = lines_of(saved)
    found = ivm.prove(shape(), resolution=16, engine="dense")
    assert first["format"] == "intervalvm certificate"
    assert first["region"] == {"x": [-1, 1], "y": [-1, 1]}
    assert first["area"] == list(found.area)
    assert found.bounds is not None
    assert first["bounds"] == [list(side) for side in found.bounds]
    assert set(first) == set(checker.FIRST), "nothing that is not checked"
    assert [(box["verdict"], *box["x"], *box["y"]) for box in boxes] == [
        (verdict, *x, *y) for verdict, x, y, _ in found.boxes
    ]
    assert sum(last["boxes"].values()) == len(boxes)
    assert set(last["boxes"]) == {"inside", "outside", "unproven"}


@FEW
@given(
    x=st.floats(-1e30, 1e30), y=st.floats(-1, 1), width=st.floats(1e-300, 1e30),
    dtype=st.sampled_from(["float32", "float64"]), grid=st.sampled_from(["linspace", "fidget"]),
)  # fmt: skip
def test_every_region_is_covered(
    x: float, y: float, width: float, dtype: str, grid: str, tmp_path_factory: Any
) -> None:
    """Exactly, in any grid: also where the dtype cannot tell the cells' edges apart."""
    right = max(x + width, float(np.nextafter(x, np.inf)))
    region = Region((x, right), (y, y + 1))
    image = ivm.render(
        X - y, size=(7, 5), region=region, grid=grid, dtype=dtype, engine="dense",
        prove="area",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("cover")
    ivm.save(X - y, folder / "shape.vm")
    subject = Subject.of_file(str(folder / "shape.vm"), 0.0, {})
    write_certificate(folder / "proof.jsonl", image, subject)
    assert check(folder).startswith("verified: ")


def test_a_certificate_wants_areas_and_finite_numbers(tmp_path: Path) -> None:
    image = ivm.render(X, size=4, engine="dense", prove="point")
    with pytest.raises(OptionError, match="prove='area'"):
        write_certificate(tmp_path / "c", image, Subject("", 0.0, {}))
    with pytest.raises(OptionError, match="a certificate cannot say r=nan"):
        Subject("", 0.0, {"r": float("nan")})
    huge = ivm.prove(X, region=Region((0, 1e300), (0, 1e300)), resolution=2, engine="dense")
    with pytest.raises(OptionError, match="beyond float64"):
        ivm.prove(X - 1e300, region=huge.region, resolution=2, engine="dense").save(tmp_path / "c")
    assert not any(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (saved / "proof.jsonl").read_bytes()
    honest, written = module._line, []

    def fail(**entries: object) -> str:
        written.append(entries)
        if len(written) == 9:
            raise KeyboardInterrupt
        return honest(**entries)

    monkeypatch.setattr(module, "_line", fail)
    with pytest.raises(KeyboardInterrupt):
        ivm.prove(shape(), resolution=16, engine="dense").save(saved / "proof.jsonl")
    assert (saved / "proof.jsonl").read_bytes() == before
    assert sorted(path.name for path in saved.iterdir()) == ["proof.jsonl", "shape.vm"]


# what is confirmed


def test_the_checker_imports_nothing_of_ours() -> None:
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} - sys.stdlib_module_names == {"mpmath"}


def test_our_own_is_verified(saved: Path) -> None:
    counts = lines_of(saved)[-1]["boxes"]
    proven = counts["inside"] + counts["outside"]
    done = run(saved)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"verified: {proven} of {proven} proven boxes confirmed\n")
    assert run(saved, "--sample", "5").stdout.startswith(f"verified: 5 of {proven} proven")
    assert check(saved, 10**6).startswith(f"verified: {proven} of")


def test_the_readers_files(saved: Path) -> None:
    """Comments, a mark, line ends, free variables: bytes count for the digest alone."""
    text = "\ufeff# a disc\r\nx var-x\r\n\r\n y var-y # down\ra square x\nb square y\n"
    text += "r var-radius\nz var-z\nc add a b\nd add c z\nv sub d r\n"
    path = saved / "shape.vm"
    path.write_bytes(text.encode())
    image = ivm.render(
        ivm.load(path), size=16, engine="dense", prove="area",
        variables={"radius": 0.3}, z=0.1,
    )  # fmt: skip
    subject = Subject.of_file(str(path), 0.1, {"radius": 0.3})
    write_certificate(saved / "proof.jsonl", image, subject)
    assert "with z 0.1, radius 0.3: the area" in check(saved)
    lines = lines_of(saved)
    lines[0]["variables"] = {}
    write(saved, lines)
    with pytest.raises(checker.Refused, match="does not say what radius is"):
        check(saved)


@settings(max_examples=60)
@given(tape=tapes(max_clauses=12) | shapes())
def test_no_proof_of_a_random_tape_is_refuted(tape: Tape, tmp_path_factory: Any) -> None:
    """By arithmetic that shares nothing with ours. It may fail to confirm; that is rare."""
    folder = tmp_path_factory.mktemp("random")
    ivm.save(tape, folder / "shape.vm")
    ivm.prove(tape, resolution=4, engine="dense", dtype="float32").save(folder / "proof.jsonl")
    try:
        said = check(folder)
    except checker.Refused as refusal:
        said = str(refusal)
    assert said.startswith("verified: ") or "is not confirmed" in said


@pytest.mark.parametrize("seed", [*range(1000, 1040), 1249, 1313])
def test_true_proofs_are_confirmed(seed: int, tmp_path: Path) -> None:
    """Seven in 900 were not: bounds of what is unbounded on one side had been given up."""
    case = draw(Dice(seed))
    ivm.save(case.tape, tmp_path / "shape.vm")
    columns, rows = case.size
    ivm.prove(
        case.tape, region=case.region, resolution=(min(columns, 8), min(rows, 8)), z=case.z,
        dtype=case.dtype, engine="dense", variables=dict.fromkeys(case.tape.variables, -0.5),
    ).save(tmp_path / "proof.jsonl")  # fmt: skip
    assert check(tmp_path).startswith("verified: ")


@pytest.mark.parametrize(
    "text",
    [
        "x var-x\nc const 3e16\na div x c\nb div c a\nd div b a",
        "x var-x\ny var-y\na ln x\nb min y a\nc max a b\nd div c a",
        "y var-y\na atan y\nb square a\nc recip b\nd atan c\ne recip d\nf add e y",
        "x var-x\na ceil x\nb atan2 a x\nc add x b",
    ],
)
def test_what_is_unbounded_on_one_side_keeps_its_other_bound(text: str, tmp_path: Path) -> None:
    (tmp_path / "shape.vm").write_text(text)
    tape = ivm.parse(text)
    image = ivm.prove(tape, resolution=4, engine="dense").image
    write_certificate(
        tmp_path / "proof.jsonl", image, Subject.of_file(str(tmp_path / "shape.vm"), 0.0, {})
    )
    assert check(tmp_path).startswith("verified: ")


# what is refused


def flip(verdict: str, into: str) -> Callable[[list[LINE]], None]:
    """The first box of a verdict gets another, and all counts are made to fit."""

    def change(lines: list[LINE]) -> None:
        box = next(line for line in lines if line.get("verdict") == verdict)
        box["verdict"] = into
        lines[-1]["boxes"][verdict] -= 1
        lines[-1]["boxes"][into] += 1
        lines[0]["area"] = [0, 4]
        lines[0]["bounds"] = [[-1, 1], [-1, 1]]

    return change


def put(line: int, *path: Any, to: Any) -> Callable[[list[LINE]], None]:
    def change(lines: list[LINE]) -> None:
        place: Any = lines[line]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to(place[path[-1]]) if callable(to) else to

    return change


def area_of(box: LINE) -> float:
    (x0, x1), (y0, y1) = box["x"], box["y"]
    return float((x1 - x0) * (y1 - y0))


def shift(lines: list[LINE]) -> None:
    """A box takes the place of another of its size: one is covered twice, one not at all."""
    size = area_of(lines[1])
    other = next(line for line in lines[2:-1] if area_of(line) == size)
    other["x"], other["y"] = lines[1]["x"], lines[1]["y"]


EMPTY = {"verdict": "inside", "x": [0, 0], "y": [-1, 1]}
CHANGES: dict[str, tuple[Callable[[list[LINE]], Any], str]] = {
    "outside said to be inside": (flip("outside", "inside"), "is wrong at"),
    "inside said to be outside": (flip("inside", "outside"), "is wrong at"),
    "unproven said to be inside": (flip("unproven", "inside"), "is wrong at|not confirmed"),
    "unproven said to be outside": (flip("unproven", "outside"), "is wrong at|not confirmed"),
    "a verdict that is none": (put(1, "verdict", to="maybe"), "form of a box"),
    "more area than proven": (put(0, "area", 0, to=lambda a: a * (1 + 1e-15)), "not enclose"),
    "less area than possible": (put(0, "area", 1, to=lambda a: a * (1 - 1e-15)), "not enclose"),
    "a smaller place": (put(0, "bounds", 0, 1, to=lambda a: a - 1 / 16), "not within the bounds"),
    "no place": (put(0, "bounds", to=None), "not within the bounds"),
    "no box": (lambda lines: lines.pop(1), "area of the region"),
    "no last box": (lambda lines: lines.pop(-2), "area of the region"),
    "no last line": (lambda lines: lines.pop(), "is cut off"),
    "no line but the first": (lambda lines: lines.__delitem__(slice(1, None)), "is cut off"),
    "a box twice": (lambda lines: lines.insert(1, lines[1]), "area of the region"),
    "a box in the place of another": (shift, "overlap"),
    "a box beyond the region": (put(1, "x", 0, to=-1.5), "not within the region"),
    "a larger region": (put(0, "region", "x", 1, to=1.5), "area of the region"),
    "more boxes than there are": (put(-1, "boxes", "inside", to=lambda n: n + 1), "last line"),
    "another tape": (put(0, "tape", "sha256", to="0" * 64), "is not the tape"),
    "a digest that is no text": (put(0, "tape", "sha256", to=None), "form of version 2"),
    "a z that is a word": (put(0, "z", to="high"), "form of version 2"),
    "a z that is a number in words": (put(0, "z", to="0.0"), "form of version 2"),
    "a z that is a truth": (put(0, "z", to=False), "form of version 2"),
    "a z that is none": (put(0, "z", to=float("nan")), "finite number"),
    "a z beyond all": (put(0, "z", to=10**400), "finite number"),
    "a z among the variables": (put(0, "variables", "z", to=0.3), "sets 'z', which"),
    "an x among the variables": (put(0, "variables", "x", to=0.3), "sets 'x', which"),
    "a variable that is not read": (put(0, "variables", "r", to=0.3), "sets 'r', which"),
    "a variable that is no number": (put(0, "variables", "r", to=None), "is no number"),
    "another format": (put(0, "version", to=1), "form of version 2"),
    "a version that is a truth": (put(0, "format", to=True), "form of version 2"),
    "no number": (put(1, "x", 0, to=float("nan")), "finite number"),
    "a truth for a number": (put(1, "x", 0, to=True), "form of a box"),
    "a number in words": (put(1, "x", 0, to="-1"), "form of a box"),
    "a number beyond all": (put(0, "area", 1, to=float("inf")), "finite number"),
    "an area the wrong way round": (put(0, "area", to=[4, 0]), "upper end first"),
    "a place that is no pair": (put(0, "bounds", to=[[-1, 1]]), "form of version 2"),
    "a place of three ends": (put(0, "bounds", 0, to=[-1, 0, 1]), "form of version 2"),
    "a region of no area": (put(0, "region", "x", 1, to=-1), "not within the region"),
    "a box of no area": (lambda lines: lines.insert(1, EMPTY), "has no area"),
    "a claim that is not checked": (put(0, "dtype", to="float16"), "form of version 2"),
    "a claim about a box that is not": (put(1, "cells", to=[9, 9]), "form of a box"),
    "a count of something else": (put(-1, "boxes", "grey", to=0), "form of a box"),
    "two first lines": (lambda lines: lines.insert(1, lines[0]), "form of a box"),
    "two last lines": (lambda lines: lines.append(lines[-1]), "behind the last one"),
    "a line behind the last": (lambda lines: lines.append({}), "behind the last one"),
    "a list for a line": (lambda lines: lines.insert(1, []), "form of a box"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_tampered_with_is_refused(name: str, saved: Path) -> None:
    change, message = CHANGES[name]
    lines = lines_of(saved)
    change(lines)
    write(saved, lines)
    with pytest.raises((checker.Refused, checker.Unreadable, ValueError), match=message):
        check(saved)


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (lambda text: text.replace("0.5", "0.6"), 1, "is not the tape"),
        (lambda text: text + "\n", 1, "is not the tape"),
    ],
)
def test_another_tape_is_refused(
    change: Callable[[str], str], status: int, message: str, saved: Path
) -> None:
    path = saved / "shape.vm"
    path.write_text(change(path.read_text()))
    done = run(saved)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr


def test_a_false_constant_is_found_though_the_digest_is_made_to_fit(saved: Path) -> None:
    path = saved / "shape.vm"
    path.write_text(path.read_text().replace("0.5", "0.6"))
    lines = lines_of(saved)
    lines[0]["tape"]["sha256"] = Subject.of_file(str(path), 0.0, {}).sha256
    write(saved, lines)
    with pytest.raises(checker.Refused, match=r"the outside box .* is wrong at x"):
        check(saved)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x var-x\ny foo x\n", "line 2 of the tape is not understood: 'y foo x'"),
        ("x var-x\ny add x\n", "line 2"),
        ("x var-x\ny neg z\n", "line 2"),
        ("x const 1,5\n", "line 1"),
        ("x var-x\nx neg x\n", "line 2 of the tape defines x again"),
        ("# nothing\n", "no clause"),
    ],
)
def test_a_tape_that_is_none(text: str, message: str) -> None:
    with pytest.raises(checker.Unreadable, match=message):
        checker.read_tape(text)


def test_files_that_are_not_there(saved: Path) -> None:
    (saved / "shape.vm").unlink()
    done = run(saved)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_malformed_certificate_is_refused_without_a_traceback(saved: Path) -> None:
    for text in (
        "",
        "[]\n",
        "{}\n{}\n",
        '{"format": "intervalvm certificate", "version": 1}\n' * 2,
    ):
        (saved / "proof.jsonl").write_text(text)
        assert_refused(run(saved))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["a.png", "shape.vm"], 2, "a.png is not a certificate: it is not text in UTF-8"),
        (["shape.vm", "proof.jsonl"], 1, "the certificate is the first argument, the tape the"),
        (["proof.jsonl", "a.png"], 1, "a.png is not the tape"),
    ],
)
def test_files_given_for_others_are_named(
    words: list[str], status: int, message: str, saved: Path
) -> None:
    (saved / "a.png").write_bytes(b"\x89PNG\r\n")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        cwd=saved, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == status
    assert message in done.stderr
    assert_refused(done)


def test_counts_are_told_in_words(saved: Path) -> None:
    lines = lines_of(saved)
    lines[-1]["boxes"] = {"inside": 1, "outside": 2, "unproven": 3}
    write(saved, lines)
    with pytest.raises(checker.Refused, match="the last line counts 1 inside, 2 outside, 3 unpr"):
        check(saved)


def test_without_mpmath_it_says_how_to_install_it(saved: Path) -> None:
    folder = saved / "without" / "mpmath"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ModuleNotFoundError('mpmath')")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "proof.jsonl", "shape.vm"],
        cwd=saved, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": str(folder.parent)},
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: mpmath is not installed")
    assert "pip install mpmath" in done.stderr


# the checker's arithmetic


@pytest.mark.parametrize("op", OPERATIONS)
@FEW
@given(data=st.data())
def test_the_checkers_bounds_enclose_every_real_value(op: str, data: st.DataObject) -> None:
    sides = [
        data.draw(real_sides("float64").filter(lambda s: np.isfinite(s).all()))
        for _ in range(OPS[op].arity)
    ]
    x, y = sides[0], sides[-1]
    inputs = {name: checker.Interval(*map(from_float, side)) for name, side in (("x", x), ("y", y))}
    tape = checker.read_tape(str(tape_of(op)))
    found = checker.evaluate(tape, inputs)
    for pair in pairs(data.draw(PLACES)):
        point = [point_in(side, where) for side, where in zip(sides, pair, strict=False)]
        value = reals.VALUE[op](*point)
        if value is None:
            assert found is None or not found.defined
        else:
            assert found is not None
            assert lies_between(found, value)


def lies_between(found: Any, value: Any) -> bool:
    if isinstance(value, Fraction):
        low, high = (
            end if end in (checker.fninf, checker.finf) else Fraction(*to_rational(end))
            for end in found[:2]
        )
        return (low == checker.fninf or low <= value) and (high == checker.finf or value <= high)
    return not (checker.less(value._mpf_, found.low) or checker.less(found.high, value._mpf_))


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("sin x", (0, 0), (0, 0)),
        ("sin x", (1, 2), (None, 1)),
        ("cos x", (-1, 1), (None, 1)),
        ("cos x", (0, 0), (1, 1)),
        ("cos x", (3, 4), (-1, None)),
        ("exp x", (0, 0), (1, 1)),
        ("ln x", (1, 1), (0, 0)),
        ("asin x", (0, 0), (0, 0)),
        ("floor x", (0.5, 1.5), (0, 1)),
        ("round x", (-0.5, 2.5), (-1, 3)),
        ("not x", (-1, 1), (0, 1)),
        ("recip x", (0, 2), (0.5, None)),
        ("recip x\nw div v v", (0, 2), (0, float("inf"))),
        ("recip x\nw mul v x", (0, 2), (0, float("inf"))),
        ("recip x\nw square v", (0, 2), (0.25, float("inf"))),
    ],
)
def test_the_checker_is_exact_where_it_can_be(
    text: str, x: tuple[float, float], expected: tuple[float | None, float | None]
) -> None:
    tape = checker.read_tape(f"x var-x\nv {text}")
    found = checker.evaluate(tape, {"x": checker.Interval(*map(from_float, map(float, x)))})
    for end, value in zip(found, expected, strict=False):
        assert value is None or end == from_float(float(value))
