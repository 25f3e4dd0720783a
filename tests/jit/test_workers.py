"""Kernels compiled by several processes: what they made is in the cache, come what may."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import intervalvm as ivm
from intervalvm.jit import cache, native, notices, workers
from intervalvm.jit.workers import Key
from intervalvm.words import Meaning

KEYS: list[Key] = [
    ("merge", "float32", Meaning.FLOAT),
    ("bounds", "float32", Meaning.FLOAT),
    ("merge", "float64", Meaning.FLOAT),
]
"""Those that take the least time."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for this process and its workers."""
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(native, "_loaded", {})
    return cache.cache_folder()


def test_workers_keep_what_they_compile(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "intervalvm")
    told: list[tuple[int, int, float]] = []
    with notices.watched(lambda *report: told.append(report)):
        native.prepare(KEYS, 2)
    assert {done for done, _, _ in told} == {0, 1, 2, 3}
    assert {total for _, total, _ in told} == {3}
    shares = [share for _, _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert len(shares) > 10, "reports are more even than kernels"
    assert all(native.is_there(*key) for key in KEYS)
    said = [re.sub(r"[\d.]+ s", "# s", record.getMessage()) for record in caplog.records]
    assert said == [
        "compiling 3 kernels for this processor, once: about # s",
        "compiled 3 kernels in # s",
    ]
    monkeypatch.setattr(native, "_compile", None)
    for key in KEYS:
        native.kernel(*key)
    assert folder.is_dir()


def test_what_is_there_starts_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "is_there", lambda *key: key != KEYS[0])
    monkeypatch.setattr(native, "_loaded", {KEYS[0]: None})
    monkeypatch.setattr(workers, "compile_together", None)
    native.prepare(KEYS, 8)


@pytest.mark.parametrize("program", ["raise SystemExit", "import sys; sys.stdin.readline()"])
def test_a_worker_that_ends_leaves_its_kernels_to_others(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PROGRAM", program)
    reports: list[int] = []
    workers.compile_together(KEYS, 2, reports.append)
    assert set(reports) <= {0}
    assert not any(native.is_there(*key) for key in KEYS)


def test_an_interrupt_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    popen = workers.subprocess.Popen

    def start(*words: object, **options: object) -> object:
        started.append(popen(*words, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(workers.subprocess, "Popen", start)
    monkeypatch.setattr(workers, "PROGRAM", "for _ in open(0): print(1, flush=True)")

    def stop(finished: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.compile_together(KEYS, 2, stop)
    assert len(started) == 2
    assert all(worker.poll() is not None for worker in started)


def test_no_two_processes_begin_with_the_same_code() -> None:
    keys: list[Key] = native.kernels_of(["float32", "float64"], proofs=True)
    ordered = native._in_order(keys)
    assert sorted(ordered, key=str) == sorted(keys, key=str)
    shared = [native.KINDS[kind].shares or kind for kind, _, _ in ordered]
    first = len(set(shared))
    assert len(set(shared[:first])) == first


@pytest.mark.parametrize("finished", [0, 1, 3])
def test_the_progress_of_a_warm_up_never_goes_back(
    finished: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What processes compiled was counted first, and then all kernels from 1 again."""

    def compile_some(keys: Any, _processes: int) -> None:
        assert len(keys) > 3
        with notices.told([1.0] * 3, 1) as reach:
            for done in range(finished + 1):
                reach(done)

    monkeypatch.setattr(native, "prepare", compile_some)
    monkeypatch.setattr(native, "kernel", lambda *_: None)
    reports: list[tuple[int, int]] = []
    ivm.warm_up("float32", proofs=False, progress=lambda *report: reports.append(report))
    total = reports[-1][1]
    done = [each for each, _ in reports]
    assert reports[-1] == (total, total)
    assert {each for _, each in reports} == {total}
    assert done == sorted(set(done))
    assert {total - 3 + i for i in range(finished + 1)} <= set(done)


def test_a_worker_ends_with_who_started_it() -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", workers.PROGRAM, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    said, _ = worker.communicate(b"tame float32 float\n")  # which closes its input
    assert said == b""  # and not "compiled"
    assert worker.returncode == 0
