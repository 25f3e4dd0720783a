"""The command line, in this process or in one of its own, in a folder that holds circle.vm."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from support.places import TOP

from intervalvm.cli import main

CIRCLE = """\
x var-x
y var-y
xx square x
yy square y
rr add xx yy
c const 0.5
v sub rr c
"""


PICTURE = """\
............
............
....####....
...######...
..########..
..########..
..########..
..########..
...######...
....####....
............
............
"""


QUICK = ["--engine", "dense", "--size", "12"]
"""Dense, so that these tests compile nothing and also say what the command line alone does."""


def files(folder: Path) -> list[str]:
    return sorted(name for name in os.listdir(folder) if not name.endswith(".vm"))


def ascii_art(path: Path | io.BytesIO) -> str:
    with PIL.Image.open(path) as picture:
        rows = np.asarray(picture.convert("L"))
    return "".join("".join(".#"[int(v) // 255] for v in row) + "\n" for row in rows)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "intervalvm", *words]


def process(
    *words: str, environment: dict[str, str] | None = None, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    root = str(TOP)
    path = root + os.pathsep + os.environ.get("PYTHONPATH", "")
    environment = os.environ | {"PYTHONPATH": path} | (environment or {})
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
    return subprocess.run(command(*words), env=environment, timeout=60, check=False, **more)


def fails(
    capsys: pytest.CaptureFixture[str], words: list[str], status: int = 2, *, folder: Path
) -> str:
    before = files(folder)
    assert main(words) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert files(folder) == before
    return err
