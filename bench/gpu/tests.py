"""The tests for a device, a file a step."""

from __future__ import annotations

import os
from typing import Any

import pytest

from bench.gpu.process import TOP
from bench.gpu.step import Job

MOST_CHARACTERS = 1500
"""Of what is kept of a failure."""


class Count:
    """A plugin of pytest's that counts, and tells what fails as soon as it fails."""

    def __init__(self, job: Job) -> None:
        self.job, self.passed, self.failed, self.skipped = job, 0, 0, 0
        self.first = self.reason = ""

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self._fails(report)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            self._fails(report)
        elif report.skipped:
            self.skipped += 1
            self.reason = str(report.longrepr[-1])
        elif report.when == "call":
            self.passed += 1

    def _fails(self, report: Any) -> None:
        self.failed += 1
        text = str(report.longreprtext).strip()
        self.job.fact(f"failed {report.nodeid}", text[-MOST_CHARACTERS:])
        self.first = self.first or f"first {report.nodeid}: {text.splitlines()[-1:]}"


def smallest(job: Job) -> None:
    """The smallest picture of each test, with all its shapes, dtypes and operations."""
    _run(job, ["--smallest"])


def every(job: Job) -> None:
    """Every case."""
    _run(job, [])


def _run(job: Job, words: list[str]) -> None:
    count = Count(job)
    # warnings of packages that nobody here has seen are no failures
    options = ["-m", "gpu", "-v", "--tb=short", "-o", "filterwarnings=", "-p", "no:cacheprovider"]
    # a crash is told of by this process, to where it prints
    options += ["-p", "no:faulthandler", "--capture=sys", *(["-x"] if job.is_retry else [])]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # nobody knows what is installed there
    path = str(TOP / "tests" / "gpu" / job.argument)
    status = pytest.main([path, *options, *words], plugins=[count])
    job.fact(
        f"tests of {job.argument}",
        f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped",
    )
    assert not count.failed, f"{count.failed} failed, {count.first}"
    assert status == pytest.ExitCode.OK, f"pytest ended with {status!r}"
    assert count.passed or job.rehearses, f"no test ran: {count.reason or 'none is there'}"
