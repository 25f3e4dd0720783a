"""The script that measures on a GPU: rehearsed without one, and broken on purpose."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from support.broken_steps import plan as broken
from support.places import TESTS

import intervalvm as ivm
from bench import gpu
from bench.gpu import floor, main, plan, report
from bench.gpu.plan import fall_backs
from bench.gpu.results import Results, StepResult
from bench.gpu.step import Job
from intervalvm.gpu.switches import SWITCHES

TOP = TESTS.parent
DISC = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k\n"


@dataclass
class Done:
    """A run of the script: its exit status, what it printed, and what its file has."""

    status: int
    printed: str
    found: dict[str, Any]
    section: str

    def step(self, name: str) -> dict[str, Any]:
        (found,) = (each for each in self.found["steps"] if each["name"].startswith(name))
        return found

    @property
    def statuses(self) -> list[str]:
        return [step["status"] for step in self.found["steps"]]


def run(words: list[str], folder: Path, **options: Any) -> Done:
    path = os.pathsep.join([str(TOP), str(TESTS), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, *words, "--out", str(folder)],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **options,
    )
    files = sorted(folder.glob("*")) if folder.is_dir() else []
    assert [path.suffix for path in files] in ([], [".json", ".md"]), "none that is half written"
    found, section = [path.read_text() for path in files] or ("{}", "")
    return Done(done.returncode, done.stdout, json.loads(found), section)


def run_broken(names: str, folder: Path, *words: str, **options: Any) -> Done:
    return run(["-m", "support.broken_steps", names, *words], folder, **options)


# --- rehearsed ------------------------------------------------------------------------------------


def test_a_rehearsal(tmp_path: Path) -> None:
    """Every step but the tests for a device, in the simulator."""
    names = [step.name for step in plan.steps() if not step.name.startswith("tests")]
    words = ["-m", "bench", "gpu", "--rehearse", "--sizes", "6", "--large", "7", "--points", "40"]
    done = run([*words, "--rounds", "1", "--only", *names], tmp_path)
    wrong = [step for step in done.found["steps"] if step["status"] != "ok"]
    assert wrong == [], done.printed
    assert done.status == 0
    assert [step["name"] for step in done.found["steps"]] == names
    assert (tmp_path / "a-stand-in-rehearsed.json").is_file()
    rows = [line for line in done.section.splitlines() if line.startswith("| ")]
    for size in ("6", "7"):
        for way in (report.LEFT, report.BACK, report.CPU, "leaf batches"):
            assert any(row.startswith(f"| {size} | {way}") for row in rows)
    for way in (report.DENSE, "naive on the GPU"):
        assert any(row.startswith(f"| 6 | {way}") for row in rows)
    for way in (report.POINTS, f"{report.POINTS} of a grid", "gradients at points", "bounds"):
        assert any(f"| {way}" in row for row in rows)
    checks = [f for step in done.found["steps"] for f in step["findings"] if f["kind"] == "check"]
    assert all(check["of"] > 0 for check in checks)
    assert {check["against"] for check in checks} >= {"dense NumPy", "the compiled walk"}


def test_every_step_can_be_found() -> None:
    steps = plan.steps()
    names = [step.name for step in steps]
    assert len(set(names)) == len(names)
    assert any(name.startswith("tests, smallest") for name in names)
    for step in steps:
        module, _, function = step.run.partition(":")
        text = (TOP / f"{module.replace('.', '/')}.py").read_text()
        assert f"\ndef {function}(job: Job) -> None:" in text
    tested = [step.argument for step in steps if step.run == "bench.gpu.tests:every"]
    assert {"test_gpu_walk.py", "test_gpu_kernels.py"} <= set(tested)
    assert sum(step.seconds for step in steps if step.name in ("frames", "points")) < 450


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        ([], "cupy"),
        (["--rehearse"], "pytest"),
        (["--prepare", "a-folder"], "numba_cuda"),
        (["--prepared", "a-folder"], "cupy"),
    ],
)
def test_a_package_without_which_nothing_runs(
    words: list[str],
    lacks: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gpu, "find_spec", lambda name: None if name == lacks else name)
    assert main([*words, "--out", "results"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"{lacks} is not installed")
    assert said.err.endswith("pip install '.[cuda]' pytest hypothesis\n")
    assert list(tmp_path.iterdir()) == []


def test_a_rehearsal_is_tiny() -> None:
    assert gpu._options(["--rehearse", "--sizes", "6"]).sizes == [6]
    assert gpu._options(["--rehearse"]).points == 300
    assert gpu._options([]).points == gpu.POINTS


def test_a_job_crosses_to_its_process() -> None:
    job = Job("file.vm", (1, 2), (3,), 4, 5, argument="test_x.py", kernels="k", rehearses=True)
    again = Job.of(job.words())
    assert again.words() == job.words()
    assert (again.sizes, again.large) == ((1, 2), (3,))


def test_the_smallest_tests() -> None:
    """All shapes and dtypes, at one size."""
    words = ["-m", "gpu", "--smallest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "tests/gpu/test_gpu_kernels.py"],
        cwd=TOP,
        capture_output=True,
        text=True,
        check=True,
    )
    cases = [line for line in done.stdout.splitlines() if "every_engine" in line]
    assert len(cases) > 8
    assert all(case.endswith("-64]") for case in cases)
    assert "every_operation" in done.stdout


# --- broken on purpose ----------------------------------------------------------------------------


def is_alive(number: int) -> bool:
    """Whether a process runs: a killed one may wait for somebody to ask how it ended."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_breaks_hides_nothing(tmp_path: Path) -> None:
    start = time.monotonic()
    done = run_broken("works fails lacks_a_package aborts 5 hangs works", tmp_path)
    assert done.statuses == ["ok", "failed", "failed", "crashed", "ran over", "ok"]
    assert done.status == 1
    assert time.monotonic() - start < 60, "nothing waits for what hangs"

    failed = done.step("fails")
    assert failed["findings"] == [{"kind": "fact", "what": "before it failed", "value": 1}]
    assert "a last word" in failed["tail"]
    assert failed["tail"][-1] == "ValueError: it fails as it must"
    assert "a_package_that_nobody_has" in done.step("lacks")["tail"][-1]

    crashed = done.step("aborts")
    assert crashed["findings"][0]["value"] == 2
    assert crashed["tail"][-1] == "killed by SIGABRT"
    assert any("in aborts" in line for line in crashed["tail"])

    hanging = done.step("hangs")
    assert hanging["tail"][-1] == "killed after 5 s"
    assert any("in hangs" in line for line in hanging["tail"]), "it says where"
    assert not is_alive(hanging["findings"][0]["value"])
    for name in ("fails 1", "aborts 3", "hangs 4"):
        assert name in done.printed.split("last words")[1]


def test_wrong_pixels_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "disc.vm"
    path.write_text(DISC)
    words = [str(path), "--rehearse", "--sizes", "9"]
    done = run_broken("wrong_pixels works", tmp_path / "out", *words)
    assert done.statuses == ["failed", "ok"]
    assert done.status == 1
    found = {f["what"]: f["different"] for f in done.step("wrong")["findings"]}
    assert found[report.BACK] > 0
    assert found["leaf batches"] == found["dense on the GPU"] == found["the compiled walk"] == 0
    assert f"{report.BACK} at 9: {found[report.BACK]} of 81" in done.step("wrong")["tail"][-1]


def test_a_switch_that_helps_stays_on(tmp_path: Path) -> None:
    done = run_broken("needs_a_switch needs_a_switch works", tmp_path)
    assert done.statuses == ["ok", "ok", "ok"]
    assert done.status == 0
    first, second = (done.step(f"needs_a_switch {i}") for i in (0, 1))
    assert first["helped"] == "INTERVALVM_CUDA_OPTIMIZE=1"
    assert first["tries"][-1] == {"with": first["helped"], "status": "ok", "why": ""}
    assert {each["why"] for each in first["tries"][:-1]} == {"AssertionError: it is miscompiled"}
    assert second["tries"] == []
    assert second["fall_backs"] == [first["helped"]]
    assert first["findings"][0]["value"] == "on", "those that did not help are off again"
    assert "ran only with INTERVALVM_CUDA_OPTIMIZE=1" in done.section


def test_what_did_not_help_is_not_tried_again(tmp_path: Path) -> None:
    done = run_broken("never_works never_works", tmp_path)
    first, second = (done.step(f"never_works {i}") for i in (0, 1))
    assert len(first["tries"]) == len(fall_backs(wheels=False, kernels=False))
    assert second["tries"] == []


def test_every_switch_is_tried() -> None:
    names = [each.name for each in fall_backs(wheels=True, kernels=True)]
    assert len(set(names)) == len(names)
    for switch in SWITCHES:
        for value in switch.values[1:]:
            assert f"{switch.name}={value}" in names
    assert len(fall_backs(wheels=False, kernels=False)) == len(names) - 2


def test_it_leaves_out_what_there_is_no_time_for(tmp_path: Path) -> None:
    done = run_broken("hangs works works", tmp_path, "--seconds", "3")
    assert done.statuses == ["ran over", "left out", "left out"]
    assert "Left out for want of time: works 1; works 2." in done.section


def test_an_interrupt(tmp_path: Path) -> None:
    done = run_broken("works interrupts works", tmp_path)
    assert done.statuses == ["ok", "interrupted", "left out"]
    assert done.status == 1
    assert done.step("interrupts")["findings"][0]["value"] == 3
    assert "before the interrupt" in done.printed


@pytest.mark.parametrize(
    "words",
    ["--seconds nan", "--seconds 0", "--seconds=-5", "--sizes 8 0", "--points=-1", "--rounds 0"],
)
def test_a_run_of_nothing_is_refused(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would end well, with all steps left out."""
    with pytest.raises(SystemExit, match="2"):
        main([*words.split(), "--out", str(tmp_path)], broken("works"))
    assert f"argument {words.replace('=', ' ').split()[0]}: invalid" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL])
def test_no_step_outlives_the_run(number: signal.Signals, tmp_path: Path) -> None:
    """Nor do its children, whether the terminal is gone or the run is killed."""
    path = os.pathsep.join([str(TOP), str(TESTS), os.environ.get("PYTHONPATH", "")])
    running = subprocess.Popen(
        [sys.executable, "-m", "support.broken_steps", "works hangs", "--out", str(tmp_path)],
        cwd=TOP,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # whoever runs the tests may have it ignored, as nohup does
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert running.stdout is not None
    with running, running.stdout:
        child = next(int(line.split()[1]) for line in running.stdout if "child:" in line)
        left = [psutil.Process(child), *psutil.Process(child).parents()[:1]]
        running.send_signal(number)
        running.communicate()
    _, alive = psutil.wait_procs(left, timeout=20)
    assert all(each.status() == psutil.STATUS_ZOMBIE for each in alive)
    found = json.loads((tmp_path / "unknown-device.json").read_text())
    ended = "left out" if number == signal.SIGKILL else "interrupted"
    assert [each["status"] for each in found["steps"]] == ["ok", ended]


def test_without_a_device_it_says_so(tmp_path: Path) -> None:
    done = run_broken("stack works", tmp_path)
    assert done.statuses == ["no device", "left out"]
    assert done.status == 3
    assert "there is no NVIDIA GPU" in done.printed


@pytest.mark.parametrize("why", ["no folder", "a full disk"])
def test_results_that_cannot_be_written(why: str, tmp_path: Path, full_disk: Any) -> None:
    folder = tmp_path / "file" / "results"
    options = {}
    if why == "no folder":
        folder.parent.write_text("")
    else:
        folder.mkdir(parents=True)
        options = {"preexec_fn": full_disk(10)}
    done = run_broken("works fails works", folder, **options)
    assert done.status == 1
    assert done.printed.count("the results cannot be written") == 1
    assert done.printed.count("worked: works") == 2
    assert "it fails as it must" in done.printed


def test_a_terminal_that_is_gone_hides_nothing(tmp_path: Path) -> None:
    """Each step runs as before, and its results are written."""
    path = os.pathsep.join([str(TOP), str(TESTS), os.environ.get("PYTHONPATH", "")])
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "support.broken_steps", "works fails", "--out", str(tmp_path)],
            cwd=TOP,
            env={**os.environ, "PYTHONPATH": path},
            stdout=full,
            stderr=subprocess.STDOUT,
            check=False,
        )
    assert done.returncode == 120, "Python's own, for what it could not print"
    found = json.loads((tmp_path / "unknown-device.json").read_text())
    assert [each["status"] for each in found["steps"]] == ["ok", "failed"]
    assert [each["findings"][0]["value"] for each in found["steps"]] == ["works", 1]


# --- the report -----------------------------------------------------------------------------------


def results(*walls: float) -> Results:
    step = StepResult("frames", "ok")
    for aim, wall in zip(report.AIMS, walls, strict=False):
        step.findings.append({"kind": "time", "what": aim.what, "size": aim.size, "wall": wall})
    return Results([], steps=[step])


def test_aims_are_reached_or_not() -> None:
    found = report.aims(results(0.3e-3, 0.7e-3, 6.1e-3))
    assert [row[-1] for row in found] == ["aim", "must", "neither", "not measured"]
    assert found[1] == (report.LEFT, "4,096", "0.7", "1.5", "0.6", "must")


def test_the_file_is_named_by_the_device(tmp_path: Path) -> None:
    found = results(1.0)
    assert found.write(tmp_path).name == "unknown-device.json"
    found.steps[0].findings.append({"kind": "fact", "what": "device", "value": "NVIDIA H200 (x)"})
    (tmp_path / "nvidia-h200-x.json").write_text("of another run")
    path = found.write(tmp_path)
    assert path.name == "nvidia-h200-x-2.json"
    assert found.write(tmp_path) == path
    assert not (tmp_path / "unknown-device.json").exists()
    assert json.loads(path.read_text())["steps"][0]["findings"] == found.steps[0].findings


def test_operations_are_counted_from_the_walk() -> None:
    stats = ivm.render(ivm.parse(DISC), size=64, depth=6, threads=1).stats
    records, operations = floor.counted(stats)
    first, last = (level.ambiguous * level.mean_clauses for level in stats.levels)
    assert records == first + last
    pixels = stats.pixels["evaluated"]
    assert operations == pytest.approx(128 * first + pixels * stats.levels[-1].mean_clauses)


def test_bits_that_differ_are_counted() -> None:
    from bench.gpu.points import _differing

    right = np.array([0.0, 1.0, np.nan, np.inf], np.float32)
    found = right.copy()
    found.view(np.uint32)[2] ^= 1  # another payload
    assert _differing(found, right) == 0
    found[:2] = -0.0, np.nextafter(np.float32(1), np.float32(2))
    assert _differing(found, right) == 2
    found[3] = np.nan
    assert _differing(found, right) == 3
