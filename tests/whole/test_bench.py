"""The benchmarks: each can be named, and any version of the package can be asked for pictures."""

from __future__ import annotations

import io
import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from support.command_line import CIRCLE

import intervalvm as ivm
from bench import __main__ as program
from bench import before, versions


def test_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines] == list(program.NAMES)
    assert all(len(line.split()) > 5 for line in lines)


@pytest.mark.parametrize("name", program.NAMES)
def test_a_name_is_a_module_with_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        import_module(f"bench.{name}").main(["--help"])
    assert f"usage: python -m bench {name} " in capsys.readouterr().out


def test_other_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["speed"]) == 2
    assert "no benchmark 'speed': choose engines, " in capsys.readouterr().err
    assert before.main(["--version", "neither"]) == 2
    assert "neither a folder nor a commit: neither" in capsys.readouterr().err


def test_a_version_answers_with_what_it_drew_and_how_long_that_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "circle.vm"
    file.write_text(CIRCLE)
    options = {"size": 12, "engine": "dense"}
    asked = "".join(json.dumps([what, options]) + "\n" for what in ("frame", "first"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(asked))
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr("bench.timing.TURN_SECONDS", 1e-6)
    versions._serve(str(Path(ivm.__file__).parents[1]), str(file))
    answers = [versions.Answer(*json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    pixels = ivm.render(ivm.load(file), size=12, engine="dense").pixels
    for found in answers:
        assert found.inside == np.count_nonzero(pixels)
        assert len(found.seconds) == 1
    frame, first = answers
    assert frame.digest == first.digest
