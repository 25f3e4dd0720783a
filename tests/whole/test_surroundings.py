"""The suite itself: it passes wherever it is run, also from a shell's background job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from support.places import TESTS

SENSITIVE = [
    "cli/test_cli.py::test_a_signal_ends_it_cleanly",
    "cli/test_cli.py::test_standard_error_on_a_full_disk_changes_no_status",
    "cli/test_cli_progress.py::test_a_bar_moves_in_a_terminal_and_an_interrupt_ends_it[reading]",
    "whole/test_faults.py::test_a_signal_leaves_the_old_file_and_no_other[render-INT]",
    "whole/test_faults.py::test_a_signal_leaves_the_old_file_and_no_other[render-TERM]",
    "raster/test_image.py::test_a_file_has_the_rights_that_the_umask_gives",
    "raster/test_image.py::test_a_file_that_is_replaced_keeps_its_rights",
]
"""Of each kind of surroundings the tests that failed in them, or would."""


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
