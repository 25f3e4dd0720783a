"""What tests of certificates begin with."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.certificates import shape

import intervalvm as ivm


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A folder with a certificate and its tape."""
    ivm.save(shape(), tmp_path / "shape.vm")
    found = ivm.prove(shape(), resolution=16, engine="dense")
    found.save(tmp_path / "proof.jsonl")
    return tmp_path
