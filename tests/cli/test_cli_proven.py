"""``intervalvm render --prove`` and ``--certificate``: what they print, write and refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from support.command_line import QUICK, files
from support.places import TOP

import intervalvm as ivm
from intervalvm.cli import main
from intervalvm.raster.image import Image

CHECKER = TOP / "tools" / "check_certificate.py"


def picture(path: str = "circle.png") -> Any:
    with PIL.Image.open(path) as found:
        return np.asarray(found)


def rendered(**options: Any) -> Image:
    options = {"size": 12, "engine": "dense", "prove": "point"} | options
    return ivm.render(ivm.load("circle.vm"), **options)


@pytest.mark.parametrize(
    ("words", "prove"),
    [
        (["circle.vm", "--prove", "point"], "point"),
        (["--prove", "point", "circle.vm"], "point"),
        (["circle.vm", "--prove", "area"], "area"),
        (["circle.vm", "--prove=area"], "area"),
    ],
)
def test_points_or_areas_are_proven(words: list[str], prove: str) -> None:
    assert main([*words, *QUICK, "--quiet"]) == 0
    np.testing.assert_array_equal(picture(), rendered(prove=prove).pixels)


def test_the_summary_counts_what_is_unproven(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", *QUICK, "--prove", "area"]) == 0
    counts = rendered(prove="area").stats.pixels
    said = f"12x12, {counts['inside']} pixels inside, {counts['unproven']} unproven, "
    assert said in capsys.readouterr().err


def test_stats_and_json_say_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", *QUICK, "--prove", "area", "--stats"]) == 0
    unproven = int((rendered(prove="area").pixels == 128).sum())
    said = f"proven over each pixel's area, but for {unproven} unproven ({unproven / 144:.1%})"
    assert said in capsys.readouterr().out
    assert main(["circle.vm", *QUICK, "--prove", "area", "--json", "--check"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["prove"] == "area"
    assert report["pixels"]["unproven"] == unproven
    assert report["check"] == {"identical": True, "different": 0, "contradicted": 0}


def changed(monkeypatch: pytest.MonkeyPatch, pixel: int) -> None:
    """From now on the first image that is drawn has another pixel in its middle."""
    from intervalvm.cli import render as module

    honest, drawn = module.render_image, []

    def wrong(tape: Any, **given: Any) -> Image:
        image = honest(tape, **given)
        drawn.append(image)
        if len(drawn) == 1:
            image.pixels[6, 6] = pixel
        return image

    monkeypatch.setattr(module, "render_image", wrong)


def test_a_contradiction_is_a_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(monkeypatch, 0)
    assert main(["circle.vm", *QUICK, "--prove", "point", "--check", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["check"] == {"identical": False, "different": 1, "contradicted": 1}
    assert "1 of 144 pixels contradict dense evaluation, first column 6, row 6: x 0.0909" in err


def test_one_that_is_proven_only_once_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed(monkeypatch, 128)
    assert main(["circle.vm", *QUICK, "--prove", "point", "--check"]) == 0
    out, _ = capsys.readouterr()
    assert out == "no contradiction: 144 pixels, of which 1 are proven only once\n"


def test_a_certificate_is_verified(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--z", "0.5", "--region", "-1", "1", "-0.5", "1", "--certificate", "proof.jsonl"]
    assert main(["circle.vm", *QUICK, *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["prove"], report["certificate"]) == ("area", "proof.jsonl"), "it implies areas"
    assert files(here) == ["circle.png", "proof.jsonl"]
    first = json.loads(Path("proof.jsonl").read_text().splitlines()[0])
    assert first["z"] == 0.5
    assert first["region"] == {"x": [-1, 1], "y": [-0.5, 1]}
    done = subprocess.run(
        [sys.executable, str(CHECKER), "proof.jsonl", "circle.vm"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--prove", "point", "--certificate", "c"],
            "--certificate is about areas: give --prove area",
        ),
        (["--certificate", "no/c"], "there is no folder no"),
        (["--prove", "area", "--out", "circle.pbm"], "a .pbm holds two values"),
        (["--certificate", "c", "--out", "circle.pbm"], "a .pbm holds two values"),
        (
            ["--prove", "point", "--mode", "value"],
            "--prove point with --mode value: proven pixels have no value: choose --mode bitmap",
        ),
        (["--prove", "point", "--engine", "naive"], "--prove point with --engine naive"),
        (["--prove=maybe"], "invalid choice: 'maybe'"),
        (["--prove"], "argument --prove: expected one argument"),
        (["--proven", "area"], "(did you mean '--prove'?)"),
        (["--rounding", "outward"], "(did you mean '--prove'?)"),
        (["--over", "area"], "(did you mean '--prove'?)"),
    ],
)
def test_what_is_refused_leaves_no_file(
    words: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["circle.vm", *QUICK, *words]) == 2
    assert message in capsys.readouterr().err
    assert files(here) == []


def test_a_certificate_is_about_a_file(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["/dev/null", *QUICK, "--certificate", "c", "--out", "a.png"]) == 2
    assert "names the bytes of FILE" in capsys.readouterr().err


def test_a_certificate_is_no_picture(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["circle.vm", *QUICK, "--certificate", "proof.png"]) == 2
    assert "proof.png names a picture: give a name in .jsonl" in capsys.readouterr().err
    assert files(here) == []


def test_help_tells_of_both(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--prove point|area" in out
    assert "--certificate PATH" in out


def test_what_a_certificate_takes_is_counted_before_the_work(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["circle.vm", "--size", "1024", "--max-memory", "2M", "--quiet"]
    assert main([*words, "--prove", "area", "--engine", "dense", "--out", "a.png"]) == 0
    assert main([*words, "--certificate", "proof.jsonl", "--out", "b.png"]) == 3
    assert "a certificate of 1024x1024 pixels needs about" in capsys.readouterr().err
    assert not Path("b.png").exists()
