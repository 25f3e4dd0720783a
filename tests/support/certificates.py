"""Certificates, and the checker of them: as a module, and run as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import util
from pathlib import Path
from typing import Any

from support.places import TOP

import intervalvm as ivm

X, Y, _ = ivm.axes()
SCRIPT = TOP / "tools" / "check_certificate.py"


LINE = dict[str, Any]


def loaded() -> Any:
    spec = util.spec_from_file_location("check_certificate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


checker = loaded()


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "proof.jsonl", "shape.vm", *words],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def lines_of(folder: Path) -> list[LINE]:
    return [json.loads(line) for line in (folder / "proof.jsonl").read_text().splitlines()]


def write(folder: Path, lines: list[LINE]) -> None:
    (folder / "proof.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def assert_refused(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode in (1, 2), done.stderr
    assert done.stderr.startswith(("refused: ", "error: "))
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def shape() -> Any:
    """Part of it undefined, part inside, part outside."""
    return ivm.maximum(X * X + Y * Y - 0.5, ivm.sqrt(X + 0.3) - ivm.exp(Y))
