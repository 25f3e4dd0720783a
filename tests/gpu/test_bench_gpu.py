"""The script that measures on a GPU, on the stand-in: it must not break where it first runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.fake_cupy import DEFINITIONS, CUDARuntimeError, FakeDevice, install

from bench import gpu as script
from bench import gpu_device
from bench.subject import cpus
from intervalvm.api.options import BACKENDS

DISC = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k\n"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    found = FakeDevice()
    install(monkeypatch, found)
    # the walk on the device takes its kernels: see simulated_blocks
    monkeypatch.setitem(BACKENDS, "pruned", ("numba", "numpy", "cupy"))
    return found


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    (tmp_path / "disc.vm").write_text(DISC)
    return [str(tmp_path / "disc.vm"), "--sizes", "40", "64", "--rounds", "1"]


def test_it_measures_and_prints_everything(
    gpu: FakeDevice,
    words: list[str],
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bench.timing.TURN_SECONDS", 0.01)
    assert script.main([*words, "--out", str(tmp_path / "section.md")]) == 0
    printed = capsys.readouterr().out
    for size in ("40", "64"):
        for way in (script.DENSE, script.pruned(cpus()), script.batched(1)):
            assert f"| {size} | {way} |" in printed
    section = (tmp_path / "section.md").read_text()
    assert section in printed
    rows = [line.split("|") for line in section.splitlines() if "leaf batches" in line]
    assert all(cell.strip() for row in rows for cell in row[1:-1]), "every column is filled"
    assert "a stand-in (16 GiB; driver for CUDA 13.2, CUDA 13.2)" in section
    assert "Left out" not in section


def test_it_leaves_out_what_there_is_no_time_for(
    gpu: FakeDevice,
    words: list[str],
    capsys: Any,
) -> None:
    assert script.main([*words, "--seconds", "0"]) == 0
    assert "Left out for want of time: 40: everything; 64: everything." in capsys.readouterr().out


def test_another_picture_stops_it(
    gpu: FakeDevice,
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(DEFINITIONS, "short", lambda *_: None)
    with pytest.raises(AssertionError, match=r"leaf batches, 1 thread at 40: .* pixels differ"):
        script.main(words)


def test_without_a_device_it_says_so(
    gpu: FakeDevice,
    words: list[str],
    capsys: Any,
) -> None:
    gpu.refusal = CUDARuntimeError("cudaErrorNoDevice: no CUDA-capable device is detected")
    assert script.main(words) == 3
    assert "nothing was measured: no NVIDIA GPU" in capsys.readouterr().err


def test_operations_are_counted_from_the_walk() -> None:
    import intervalvm as ivm

    stats = ivm.render(ivm.parse(DISC), size=64, depth=6, threads=1).stats
    records, operations = gpu_device.counted(stats)
    first, last = (level.ambiguous * level.mean_clauses for level in stats.levels)
    assert records == first + last
    pixels = stats.pixels["evaluated"]
    assert operations == pytest.approx(128 * first + pixels * stats.levels[-1].mean_clauses)
