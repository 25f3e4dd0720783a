"""Certificates by somebody who wants a falsehood verified, or the checker to crash or to hang."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import LINE, SCRIPT, assert_refused, checker, lines_of, run, write
from support.operations import OPERATIONS

import intervalvm as ivm
from intervalvm.ops import OPS
from intervalvm.proof.certificate import Subject, write_certificate

Change = Callable[[Path], Any]
MOST_MEMORY = 1 << 30

# --- a crash, or no end -----------------------------------------------------------------------


def replaced(old: str, new: str) -> Change:
    def change(folder: Path) -> None:
        text = (folder / "proof.jsonl").read_text()
        assert old in text
        (folder / "proof.jsonl").write_text(text.replace(old, new, 1))

    return change


def nothing_but(data: bytes, name: str = "proof.jsonl") -> Change:
    return lambda folder: (folder / name).write_bytes(data)


def zeros(name: str) -> Change:
    """A file of a TiB, which takes no room."""

    def change(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.truncate(1 << 40)

    return change


def about(tape: str) -> Change:
    """A certificate that another tape is outside everywhere."""

    def change(folder: Path) -> None:
        (folder / "shape.vm").write_text(tape, encoding="utf-8")
        tape_line = {"sha256": Subject.of_file(str(folder / "shape.vm"), 0.0, {}).sha256}
        first = lines_of(folder)[0] | {"tape": tape_line, "area": [0, 0], "bounds": None}
        box = {"verdict": "outside", "x": [-1, 1], "y": [-1, 1]}
        write(folder, [first, box, {"boxes": {"inside": 0, "outside": 1, "unproven": 0}}])

    return change


def of_one_box(side: list[float], bounds: Any, *, boxes: bool) -> Change:
    """A certificate that x is outside, in a square, which one box covers or none."""

    def change(folder: Path) -> None:
        about("x var-x\n")(folder)
        first, box, last = lines_of(folder)
        first |= {"region": {"x": side, "y": side}, "area": [0, 1], "bounds": bounds}
        box |= {"verdict": "unproven", "x": side, "y": side}
        last["boxes"] |= {"outside": 0, "unproven": int(boxes)}
        write(folder, [first, *[box] * boxes, last])

    return change


def squared(number: float) -> str:
    """Every operation of a number whose exponent has 13 digits, and of an interval of them."""
    lines = ["x var-x", f"a0 const {number}", *(f"a{i + 1} square a{i}" for i in range(34))]
    lines.append("b mul a34 x")
    for op in OPERATIONS:
        for a in ("a34", "b"):
            lines.append(f"{op}-{a} {op} {' '.join([a] * OPS[op].arity)}")
    return "\n".join([*lines, "inside neg x"])


HOSTILE: dict[str, Change] = {
    "deep lists": replaced('"bounds": [', '"bounds": [' + "[" * 100_000),
    "deep objects": replaced('"tape": {', '"tape": {' + '"a": {' * 100_000),
    "a number of 100,000 digits": replaced('"z": 0.0', f'"z": {"7" * 100_000}'),
    "a version of 5,000 digits": replaced('"version": 2', f'"version": {"2" * 5000}'),
    "a huge exponent": replaced('"z": 0.0', '"z": 1e999999999999'),
    "a key twice": replaced('"z": 0.0', '"z": 0.3, "z": 0.0'),
    "a key of a box twice": replaced('{"verdict"', '{"verdict": "outside", "verdict"'),
    "a mark of byte order": replaced("{", "\ufeff{"),
    "half a surrogate": replaced('"variables": {', r'"variables": {"\ud800": 1'),
    "no text": nothing_but(b"\xff\xfe\n"),
    "no line": nothing_but(b"\n\n"),
    "a tape that is no text": nothing_but(b"\xff\xfe\n", "shape.vm"),
    "an endless line": zeros("proof.jsonl"),
    "an endless tape": zeros("shape.vm"),
    "a folder": lambda folder: ((folder / "shape.vm").unlink(), (folder / "shape.vm").mkdir()),
    "a long word": about("x var-x\ny foo " + "x" * 100_000),
    "digits with lines between": about("x const 1_0\n"),
    "digits of another script": about("x const \u0661\n"),
    "a variable of no name": about("x var-\n"),
    "a number whose inverse is huge": about(squared(1e-300)),
    "a huge number": about(squared(1e300)),
    "an area beyond float64": of_one_box([-1e300, 1e300], [[-1e300, 1e300]] * 2, boxes=True),
    "a region without an area": of_one_box([-1.0, -1.0], None, boxes=False),
}
"""Files that ended in a traceback, in an abort of the process, or never; and their kind."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_bounded_memory(name: str, saved: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs a limit on memory")
    HOSTILE[name](saved)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "proof.jsonl", "shape.vm"],
        cwd=saved, capture_output=True, text=True, timeout=60, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY,) * 2),
    )  # fmt: skip
    assert_refused(done)
    assert "memory" not in done.stderr, "there was enough"


@pytest.mark.skipif(os.name != "posix", reason="needs a shell that closes streams")
def test_without_standard_output_the_status_says_it(saved: Path) -> None:
    words = [sys.executable, str(SCRIPT), "proof.jsonl", "shape.vm"]
    closed = ["sh", "-c", f"{shlex.join(words)} >&-"]
    done = subprocess.run(closed, cwd=saved, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_is_not_waited_for(saved: Path) -> None:
    (saved / "shape.vm").unlink()
    os.mkfifo(saved / "shape.vm")
    assert_refused(run(saved))


def test_what_takes_too_long_is_refused(saved: Path) -> None:
    done = run(saved, "--seconds", "0")
    assert_refused(done)
    assert "refused: 0 of " in done.stderr
    assert "give it more --seconds, or --sample some" in done.stderr


def test_a_sample_cannot_be_foreseen(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a false box would stand where none is looked for."""
    drawn: list[Any] = []
    monkeypatch.setattr(checker, "confirm", lambda tape, inputs, box, until: drawn.append(box))
    monkeypatch.chdir(saved)
    monkeypatch.setattr(sys, "argv", ["", "proof.jsonl", "shape.vm", "--sample", "9"])
    assert checker.main() == 0
    assert checker.main() == 0
    assert drawn[:9] != drawn[9:]


PIECES = [b"e9", b"9" * 400, b"[" * 5000, b"null", b"\n", b"NaN", b"{}", b"1e-300", b"tan", b" a"]


@pytest.mark.parametrize("name", ["proof.jsonl", "shape.vm"])
@given(data=st.data())
def test_any_bytes_are_refused_or_verified(name: str, data: st.DataObject, disc: Path) -> None:
    """Cut, overwritten and repeated: whatever they are, what is raised is what ``main`` prints."""
    shutil.copytree(disc / "true", disc, dirs_exist_ok=True)
    old = bytearray((disc / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        first, size = data.draw(st.integers(0, len(old))), data.draw(st.integers(0, 40))
        pieces = st.sampled_from([*PIECES, bytes(old[first:][:90])])
        old[first : first + size] = data.draw(st.binary(max_size=8) | pieces)
    (disc / name).write_bytes(old)
    if name == "shape.vm":
        lines = lines_of(disc)
        lines[0]["tape"]["sha256"] = Subject.of_file(str(disc / name), 0.0, {}).sha256
        write(disc, lines)
    with contextlib.suppress(checker.Refused, checker.Unreadable, UnicodeDecodeError):
        check(disc)


# --- a falsehood ------------------------------------------------------------------------------

DISC = """x var-x
y var-y
z var-z
r var-r
a square x
b square y
c square z
d add a b
e add d c
f sub e r
"""
INPUTS = {"z": 0.5, "r": 0.75}


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In its folder ``true``: where x**2 + y**2 + 0.5**2 < 0.75."""
    folder = tmp_path_factory.mktemp("disc")
    (folder / "true").mkdir()
    tape = folder / "true" / "shape.vm"
    tape.write_text(DISC)
    z, r = INPUTS.values()
    found = ivm.prove(ivm.load(tape), resolution=8, engine="dense", z=z, variables={"r": r})
    subject = Subject.of_file(str(tape), z, {"r": r})
    write_certificate(folder / "true" / "proof.jsonl", found.image, subject)
    return folder


def check(folder: Path) -> str:
    return str(checker.check(folder / "proof.jsonl", folder / "shape.vm", None, 0))


def is_true(lines: list[LINE]) -> bool:
    """Of a disc about the origin, within the square -1..1: boxes by rational numbers."""
    first, *boxes, last = lines
    square = Fraction(first["variables"]["r"]) - Fraction(first["z"]) ** 2
    for box in boxes:
        sides = [[Fraction(end) for end in box[axis]] for axis in "xy"]
        far = sum(max(abs(low), abs(high)) ** 2 for low, high in sides)
        near = sum(max(0, low, -high) ** 2 for low, high in sides)
        if not {"inside": far < square, "outside": near >= square}.get(box["verdict"], True):
            return False
    counts = {verdict: sum(b["verdict"] == verdict for b in boxes) for verdict in last["boxes"]}
    radius, (low, high) = math.sqrt(max(square, 0)), first["area"]
    inner = min(radius, 1.0) * (1 - 1e-9)
    return (
        counts == last["boxes"]
        and first["region"] == {"x": [-1, 1], "y": [-1, 1]}
        and (radius > 1 or low <= math.pi * radius**2 <= high)
        and (radius == 0 or all(a <= -inner and inner <= b for a, b in first["bounds"] or [(1, 1)]))
        and (first["format"], first["version"]) == ("intervalvm certificate", 2)
        and sum(map(area_of, boxes)) == 4
    )


def area_of(box: LINE) -> Fraction:
    (x0, x1), (y0, y1) = ([Fraction(end) for end in box[axis]] for axis in "xy")
    return (x1 - x0) * (y1 - y0)


VALUES = (
    st.sampled_from([0.75, 0.5, 0.25, -0.25, 1, -1, 0, -0.0, 2, 5e-324, math.nan, math.inf])
    | st.floats(-2, 2)
    | st.sampled_from(["inside", "outside", "unproven", "0.5", True, False, None, [], {}, 10**400])
)


def changed(value: Any, data: st.DataObject) -> Any:
    """With another value somewhere in it, or an end that is moved by next to nothing."""
    if isinstance(value, dict) and value:
        key = data.draw(st.sampled_from(sorted(value)))
        return value | {key: changed(value[key], data)}
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], changed(value[at], data), *value[at + 1 :]]
    if isinstance(value, float) and data.draw(st.booleans()):
        return math.nextafter(value, data.draw(st.sampled_from([-math.inf, math.inf])))
    return data.draw(VALUES)


def turned(lines: list[LINE], data: st.DataObject) -> None:
    """Another verdict of a box; all that follows from it is made to fit."""
    box, new = (data.draw(st.sampled_from(of)) for of in (lines[1:-1], checker.VERDICTS))
    lines[-1] = {"boxes": {**lines[-1]["boxes"]}}
    lines[-1]["boxes"][box["verdict"]] -= 1
    lines[-1]["boxes"][new] += 1
    box["verdict"] = new
    lines[0] |= {"area": [0, 4], "bounds": [[-1, 1], [-1, 1]]}


@given(data=st.data())
def test_what_is_verified_is_true_whatever_was_changed(data: st.DataObject, disc: Path) -> None:
    shutil.copy(disc / "true" / "shape.vm", disc)
    lines = lines_of(disc / "true")
    assert is_true(lines)
    for _ in range(data.draw(st.integers(0, 2))):
        turned(lines, data)
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.sampled_from([0, 0, len(lines) - 1]) | st.integers(0, len(lines) - 1))
        kinds = [[changed(lines[at], data)]] * 6 + [[], [lines[at]] * 2]
        lines[at : at + 1] = data.draw(st.sampled_from(kinds))
    (disc / "proof.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    try:
        check(disc)
    except (checker.Refused, checker.Unreadable):
        return
    assert is_true(lines)
