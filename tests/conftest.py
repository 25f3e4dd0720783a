"""What every test file may use: the models beside the checkout, and steady Hypothesis settings."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

TOP = Path(__file__).resolve().parents[1]
SHARED = TOP.parent / "shared"
pytest.register_assert_rewrite("support")
sys.path.append(str(TOP))  # for fuzz; last, so that an installed package is the one that is tested

# A deadline measures how busy the machine is; the first call of a compiled kernel compiles it.
settings.register_profile("intervalvm", deadline=None)
# For a hunt: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", deadline=None, max_examples=5000)
settings.load_profile("intervalvm")


WORDS_OF_THE_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE")
WORDS_OF_PYTHON = ("PYTHONUNBUFFERED", "PYTHONIOENCODING", "PYTHONUTF8", "PYTHONWARNINGS")


def pytest_configure() -> None:
    """What tests and the programs that they start take for granted, wherever they run.

    A shell's background job has SIGINT ignored, and what is ignored stays so in its children.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.umask(0o022)
    for word in (*WORDS_OF_THE_TERMINAL, *WORDS_OF_PYTHON, "LC_ALL", "LC_CTYPE"):
        os.environ.pop(word, None)
    os.environ["LANG"] = "C.UTF-8"


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Callable[[], None]]:
    """``preexec_fn=full_disk(10)`` starts a process whose files hold 10 bytes and no more.

    It keeps no bytecode: Python 3.11 would leave modules cut off, which nothing can import then.
    """
    resource = pytest.importorskip("resource")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def limited(most: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    return limited


@pytest.fixture(scope="session")
def model() -> Callable[[str], Path]:
    """``model("prospero.vm")`` is the path of that model; the test skips where it is absent."""

    def find(name: str) -> Path:
        path = SHARED / "models" / name
        if not path.is_file():
            pytest.skip(f"needs {name}, which is not in ../shared/models")
        return path

    return find
