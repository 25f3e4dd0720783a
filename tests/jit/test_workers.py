"""Kernels compiled by several processes: what they made is in the cache, come what may."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

import intervalvm as ivm
from intervalvm.jit import cache, native, workers
from intervalvm.jit.native import Key
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
    reports: list[tuple[int, int]] = []
    workers.compile_together(KEYS, 2, lambda *report: reports.append(report))
    assert reports == [(1, 3), (2, 3), (3, 3)]
    assert all(native.is_there(*key) for key in KEYS)
    said = [record.getMessage().split(" for ")[0].split(" in ")[0] for record in caplog.records]
    for kind, dtype, _ in KEYS:
        assert said.count(f"compiling the {kind} {dtype} kernel") == 1
        assert said.count(f"compiled the {kind} {dtype} kernel") == 1
    monkeypatch.setattr(native, "_compile", None)
    for key in KEYS:
        native.kernel(*key)
    assert folder.is_dir()


def test_what_is_there_starts_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "is_there", lambda *key: key != KEYS[0])
    monkeypatch.setattr(workers, "_workers", None)
    workers.compile_together(KEYS, 8, None)


@pytest.mark.parametrize("program", ["raise SystemExit", "import sys; sys.stdin.readline()"])
def test_a_worker_that_ends_leaves_its_kernels_to_others(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PROGRAM", program)
    reports: list[tuple[int, int]] = []
    workers.compile_together(KEYS, 2, lambda *report: reports.append(report))
    assert reports == []
    assert not any(native.is_there(*key) for key in KEYS)


def test_an_interrupt_ends_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    popen = workers.subprocess.Popen

    def start(*words: object, **options: object) -> object:
        started.append(popen(*words, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(workers.subprocess, "Popen", start)
    monkeypatch.setattr(workers, "PROGRAM", "for _ in open(0): print(1, flush=True)")

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.compile_together(KEYS, 2, stop)
    assert len(started) == 2
    assert all(worker.poll() is not None for worker in started)


def test_no_two_processes_begin_with_the_same_code() -> None:
    keys: list[Key] = native.kernels_of(["float32", "float64"], proofs=True)
    ordered = workers._in_order(keys)
    assert sorted(ordered, key=str) == sorted(keys, key=str)
    shared = [native.KINDS[kind].shares or kind for kind, _, _ in ordered]
    first = len(set(shared))
    assert len(set(shared[:first])) == first


@pytest.mark.parametrize("finished", [0, 1, 3])
def test_the_progress_of_a_warm_up_never_goes_back(
    finished: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What processes compiled was counted first, and then all kernels from 1 again."""

    def compile_some(keys: Any, _processes: int, report: Any) -> None:
        assert len(keys) > 3
        for done in range(1, finished + 1):
            report(done, 3)

    monkeypatch.setattr(workers, "compile_together", compile_some)
    monkeypatch.setattr(native, "kernel", lambda *_: None)
    reports: list[tuple[int, int]] = []
    ivm.warm_up("float32", proofs=False, progress=lambda *report: reports.append(report))
    total = reports[-1][1]
    done = [each for each, _ in reports]
    assert reports[-1] == (total, total)
    assert {each for _, each in reports} == {total}
    assert done == sorted(set(done))
    assert (total - 3 + finished in done) or not finished
