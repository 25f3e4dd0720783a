"""``render --plot``: what is plotted is named by the file, and told before the work."""

from __future__ import annotations

import json
from pathlib import Path

import PIL.Image
import pytest
from support.command_line import fails, files

from intervalvm.cli import main

pytest.importorskip("matplotlib")
SMALL = ["circle.vm", "--size", "32", "--backend", "numpy"]


def plot(*names: str) -> list[str]:
    return [*SMALL, *(word for name in names for word in ("--plot", name))]


def test_plots_are_written_beside_the_picture(here: Path, capsys: pytest.CaptureFixture) -> None:
    names = ["pruning.png", "gear-clauses.svg", "Picture.PDF"]
    assert main([*plot(*names), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["plots"] == names
    assert files(here) == sorted([*names, "circle.png"])
    with PIL.Image.open("pruning.png") as shown:
        assert shown.width > 1000
        colours = {colour for _, colour in shown.convert("RGB").getcolors(1 << 24)}
    assert {(43, 58, 85), (111, 191, 122)} <= colours, "proven outside and inside"
    assert "clauses left" in (here / "gear-clauses.svg").read_text()
    assert (here / "Picture.PDF").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_picture_has_the_same_plot(here: Path, suffix: str) -> None:
    assert main(plot(f"a-pruning.{suffix}")) == 0
    assert main(plot(f"b-pruning.{suffix}")) == 0
    first, second = ((here / f"{name}-pruning.{suffix}").read_bytes() for name in "ab")
    assert first == second


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (plot("tiles.png"), "the name says what is plotted: give one that ends in pruning.png"),
        (plot("pruning.txt"), "choose .png .svg .pdf"),
        (plot("-"), "the name says what is plotted"),
        (plot("pruning.png", "./pruning.png"), "both write to"),
        ([*plot("pruning.png"), "--out", "pruning.png"], "both write to pruning.png"),
        (plot("nowhere/pruning.png"), "nowhere"),
        (["circle.vm", "--engine", "dense", "--plot", "clauses.png"], "has no tiles"),
    ],
)
def test_what_cannot_be_plotted_is_told_before_the_work(
    words: list[str], said: str, here: Path, capsys: pytest.CaptureFixture
) -> None:
    assert said in fails(capsys, words, folder=here)


def test_a_picture_without_tiles_is_plotted(here: Path) -> None:
    assert main(["circle.vm", "--size", "16", "--engine", "dense", "--plot", "picture.png"]) == 0
    assert files(here) == ["circle.png", "picture.png"]
