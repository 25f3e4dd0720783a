"""Every test of the command line runs in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import CIRCLE


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in an empty folder that holds circle.vm."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle.vm").write_text(CIRCLE)
    return tmp_path
