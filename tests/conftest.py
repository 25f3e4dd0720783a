"""What every test file may use: the models beside the checkout, and steady Hypothesis settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

TOP = Path(__file__).resolve().parents[1]
SHARED = TOP.parent / "shared"
sys.path.append(str(TOP))  # for fuzz; last, so that an installed package is the one that is tested

# A deadline measures how busy the machine is; the first call of a compiled kernel compiles it.
settings.register_profile("intervalvm", deadline=None)
# For a hunt: pytest --hypothesis-profile=thorough
settings.register_profile("thorough", deadline=None, max_examples=5000)
settings.load_profile("intervalvm")


@pytest.fixture(scope="session")
def model() -> Callable[[str], Path]:
    """``model("prospero.vm")`` is the path of that model; the test skips where it is absent."""

    def find(name: str) -> Path:
        path = SHARED / "models" / name
        if not path.is_file():
            pytest.skip(f"needs {name}, which is not in ../shared/models")
        return path

    return find
