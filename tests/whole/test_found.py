"""What the search has found: every case that failed once is checked anew, and the search itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.places import TESTS

import intervalvm as ivm
from fuzz.cases import Case, draw
from fuzz.checks import Tried, Wrong, check, what_fails
from fuzz.shrink import shrink
from fuzz.soak import soak
from fuzz.source import Bytes, Dice
from intervalvm.evaluate.boxes import FLOAT_RULES
from intervalvm.ops.row import Interval
from intervalvm.raster.grid import coordinates

FOUND = sorted((TESTS / "found").glob("*.vm"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_a_case_that_failed_once_fails_no_more(path: Path) -> None:
    check(Case.parse(path.read_text(encoding="utf-8"), path.name), Tried())


def test_cases_drawn_now_hold() -> None:
    tried = Tried()
    for number in range(15):
        check(draw(Dice(f"tests:{number}")), tried)
    assert tried.tapes == 15
    assert tried.points > 1000


def test_a_case_reads_back() -> None:
    for number in range(50):
        case = draw(Dice(number))
        assert str(Case.parse(str(case))) == str(case)


def test_bytes_make_a_case_whatever_they_are() -> None:
    for data in (b"", b"\xff" * 5000, bytes(range(256)) * 8):
        assert len(draw(Bytes(data)).tape) > 0


def test_the_same_seed_draws_the_same_cases() -> None:
    assert str(draw(Dice("1:2"))) == str(draw(Dice("1:2"))) != str(draw(Dice("1:3")))


def _one_float_too_high(xp: object, a: Interval, b: Interval) -> object:
    lower = np.nextafter(a.lower + b.lower, np.float32(np.inf))
    return Interval(lower, a.upper + b.upper, a.maybe_nan | b.maybe_nan)


def test_an_interval_rule_that_is_one_float_off_is_found_shrunk_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FLOAT_RULES.intervals, "add", _one_float_too_high)
    start = "x var-x\ny var-y\na add x y\nb square a\nc max b a\nd sub c x"
    case = Case(ivm.parse(start), size=(4, 4))
    failed = what_fails(case)
    assert failed is not None
    assert failed[0] == "interval"
    small = shrink(case, lambda smaller: (what_fails(smaller) or " ")[0] == "interval", 20)
    assert len(small.tape) <= 3
    with pytest.raises(Wrong, match="interval"):
        check(small, Tried())
    assert Case.parse(str(small)).tape == small.tape


def test_a_soak_reports_and_keeps_what_it_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(case: Case, tried: Tried) -> None:
        raise Wrong("everything", "is wrong")

    monkeypatch.setattr("fuzz.soak.check", fail)
    monkeypatch.setattr("fuzz.soak.what_fails", lambda case: ("everything", ""))
    assert soak(1, 5.0, tmp_path, Tried()) == 20
    kept = list(tmp_path.glob("everything-*.vm"))
    assert kept
    assert max(len(Case.parse(path.read_text()).tape) for path in kept) == 1
    assert not list(tmp_path.glob(".running.vm"))
    assert capsys.readouterr().out.count("failed: everything: is wrong") == 20


def test_columns_never_decrease_where_steps_are_denormal() -> None:
    for grid in ("linspace", "center", "fidget"):
        for size in (2, 7, 34, 100):
            side = (-50 * 5e-324, 3 * 5e-324)
            x, y = coordinates(ivm.Region(side, side), size, size, grid, "float64")
            assert (np.diff(x) >= 0).all()
            assert (np.diff(y) <= 0).all()
            if grid == "linspace":
                assert x[0] == side[0]
                assert x[-1] == side[1]


def test_a_tape_may_declare_more_variables_than_it_has_clauses() -> None:
    tape = ivm.parse("r var-r\ns var-s\na max r s").bind(r=1.0)
    short = ivm.fold(ivm.parse("r var-r\ns var-s\nx var-x\na min s s"))
    assert ivm.evaluate(short, 0, 0, variables={"r": 1.0, "s": 2.0}) == 2.0
    assert tape.variables == ("s",)


def test_a_case_beyond_its_dtype_is_no_failure() -> None:
    case = replace(draw(Dice(1)), x=(-1e200, 1e200), dtype="float32")
    assert what_fails(case) is None
