"""Where the project stands, whichever copy of the package is tested."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TOP = TESTS.parent
