"""``intervalvm examples``: what is listed, and that no file of the folder is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.command_line import fails
from support.places import TOP

from intervalvm.cli import main
from intervalvm.cli.examples import PACKAGE, shipped
from intervalvm.errors import FileError

SCRIPTS = {path.name: path for path in (TOP / "examples").glob("*.py")}
SHAPES = {path.name: path for path in TOP.glob("prospero*.vm")}
SHIPPED = SCRIPTS | SHAPES


def test_every_example_is_listed_once_with_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples"]) == 0
    table, note = capsys.readouterr().out.split("\n\n")
    rows = [line.split("  ") for line in table.splitlines()]
    shown = [name for row in rows for name in " ".join(row).split() if name in SHIPPED]
    assert {*shown} == {*SHIPPED}
    assert [row[0] for row in rows] == sorted({Path(name).stem for name in SHIPPED})
    assert all(row[-1].strip()[0].isupper() for row in rows)
    assert "examples NAME..." in note


def test_a_name_stands_for_its_files_and_a_whole_name_for_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["examples", "gear.py", "prospero"]) == 0
    assert capsys.readouterr().err.split() == ["gear.py", "prospero.py", "prospero.vm"]
    for name in ("gear.py", "prospero.py", "prospero.vm"):
        assert (here / name).read_bytes() == SHIPPED[name].read_bytes()
    assert main(["info", "prospero.vm"]) == 0


def test_quiet_says_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples", "prospero.vm", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out == said.err == ""
    assert (here / "prospero.vm").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_nothing_is_copied_where_one_file_is_there_already(
    kind: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = here / "prospero.vm"
    if kind == "file":
        mine.write_text("mine")
    elif kind == "folder":
        mine.mkdir()
    else:
        mine.symlink_to("nowhere")
    assert "prospero.vm is in this folder already: give --force" in fails(
        capsys, ["examples", "gear", "prospero"], folder=here
    )
    assert not (here / "gear.py").exists()
    assert kind != "file" or mine.read_text() == "mine"


def test_force_replaces_files_and_no_folder(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "gear.py").write_text("mine")
    assert main(["examples", "gear", "--force"]) == 0
    assert (here / "gear.py").read_bytes() == SHIPPED["gear.py"].read_bytes()
    (here / "pawn.py").mkdir()
    assert main(["examples", "pawn", "--force"]) == 2
    assert "pawn.py" in capsys.readouterr().err


def test_an_unknown_name_is_told_the_known_ones(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = fails(capsys, ["examples", "gear", "sunflowers"], folder=here)
    assert "no example 'sunflowers' (did you mean 'sunflower'?): choose bearing, " in said
    assert not (here / "gear.py").exists()


def test_those_in_a_package_are_its_own_whatever_stands_beside_it(tmp_path: Path) -> None:
    """A folder of packages may hold a folder ``examples`` of somebody else's."""
    package = tmp_path / "intervalvm"
    (package / "examples").mkdir(parents=True)
    shutil.copy(TOP / "prospero.vm", package / "examples")
    (tmp_path / "examples").mkdir()
    shutil.copy(TOP / "examples" / "gear.py", tmp_path / "examples")
    assert shipped(package) == [package / "examples" / "prospero.vm"]
    (package / "examples" / "prospero.vm").unlink()
    with pytest.raises(FileError, match="has no examples: install it anew"):
        shipped(package)


def test_those_of_the_sources_are_all_that_stand_there() -> None:
    assert {path.name: path for path in shipped(TOP / PACKAGE.name)} == SHIPPED
