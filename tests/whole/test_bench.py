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
from bench import before, peers, timing, versions
from bench.subject import Subject


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


# --- peers ----------------------------------------------------------------------------------------

ANSWERS = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    what, kind, number, given, out, seconds, most = line.split()
    data = b"" if given == "-" else open(given, "rb").read()
    open(out, "wb").write(data + what.encode() + kind.encode())
    print("0.5 0.25", flush=True)
"""
"""A program that answers as that of ``bench/peers`` does: it returns what it is given."""


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    found = tmp_path / "echo"
    found.write_text(f"#!{sys.executable}\n{ANSWERS}")
    found.chmod(0o700)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the script names its interpreter")
def test_a_peer_is_asked_in_a_process_of_its_own(echo: Path, tmp_path: Path) -> None:
    with peers.Peer(echo, tmp_path) as peer:
        given = np.array([1, 0.5], np.float32)
        seconds, found = peer.ask("jit0", peers.Question("points12", given=given))
        assert seconds == [0.5, 0.25]
        assert found[:2].tolist() == [1, 0.5]
        assert found[2:].tobytes() == b"points12jit0"
        assert peer.ask("vm", peers.Question("xy"))[1].tobytes() == b"xyvm"


def test_without_cargo_there_is_no_peer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(peers, "cache_folder", lambda: tmp_path / "intervalvm")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "cargo is not there" in said.err
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_a_table_of_peers_has_ratios() -> None:
    taken = {"ours": timing.Times([0.001]), "jit": timing.Times([0.004]), "vm": timing.Times([1.0])}
    page = peers.page({"`interval`": taken})
    assert page.splitlines()[-1] == "| `interval` | 1 | 4 | 1,000 | 4 | 1,000 |"


def test_both_agree_where_the_peer_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shape that is measured, as far as the table says."""
    folder = peers.built_folder() / "target" / "release"
    if not folder.exists():
        pytest.skip("`python -m bench peers` has not built Fidget here")
    monkeypatch.setattr(timing, "TURN_SECONDS", 1e-6)
    monkeypatch.setattr(peers, "SIZES", (64, 128))
    monkeypatch.setattr(peers, "POINTS", (1, 100))
    monkeypatch.setattr(peers, "GRADIENTS", (100,))
    shape = Subject(peers.TOP / "prospero.vm")
    with peers.Peer(peers.program(), shape.path) as peer:
        found = peers.compared(shape, peer, rounds=1)
    assert len(found) == len(list(peers.rows(shape)))
    assert all(times.runs == 1 for row in found.values() for times in row.values())
