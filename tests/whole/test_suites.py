"""The suite itself: it stands as the package does, and passes wherever it is run."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.places import TESTS, TOP

SENSITIVE = [
    "cli/test_cli_streams.py::test_a_signal_ends_it_cleanly",
    "cli/test_cli_streams.py::test_standard_error_on_a_full_disk_changes_no_status",
    "cli/test_cli_progress.py::test_a_bar_moves_in_a_terminal_and_an_interrupt_ends_it[reading]",
    "whole/test_faults.py::test_a_signal_leaves_the_old_file_and_no_other[render-INT]",
    "whole/test_faults.py::test_a_signal_leaves_the_old_file_and_no_other[render-TERM]",
    "raster/test_image.py::test_a_file_has_the_rights_that_the_umask_gives",
    "raster/test_image.py::test_a_file_that_is_replaced_keeps_its_rights",
]
"""Of each kind of surroundings the tests that failed in them, or would."""


def imported(path: Path) -> set[str]:
    """The last name of each module that a file imports, and of each thing from a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(alias.name for alias in node.names)}
    return {name.rpartition(".")[2] for name in found}


def test_no_suite_is_imported() -> None:
    """What two of them need stands in ``support``."""
    files = sorted(TESTS.rglob("*.py"))
    suites = {path.stem for path in files if path.parent.name != "support"}
    assert len(suites) > 50
    found = {path.relative_to(TESTS): imported(path) & suites for path in files}
    assert not {path: names for path, names in found.items() if names}


def test_suites_stand_in_folders_named_as_those_of_the_package() -> None:
    package = {path.parent.name for path in (TOP / "intervalvm").glob("*/__init__.py")}
    folders = {path.parent for path in TESTS.rglob("test_*.py")}
    assert {path.name for path in folders} <= package | {"whole"}
    assert all(path.parent == TESTS for path in folders)


@pytest.mark.skipif(os.name != "posix", reason="signals and descriptors of POSIX")
def test_the_suite_passes_in_a_background_job_with_nothing_as_usual() -> None:
    def odd() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        os.umask(0o077)
        os.close(0)

    words = {"TERM": "dumb", "COLUMNS": "20", "NO_COLOR": "1", "LC_ALL": "C", "PYTHONUTF8": "0"}
    environment = {key: word for key, word in os.environ.items() if key != "HOME"} | words
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SENSITIVE],
        cwd=TESTS,
        env=environment,
        preexec_fn=odd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
