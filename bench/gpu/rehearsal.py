"""What is drawn where there is no device: small, for a simulator runs each thread as one."""

from __future__ import annotations

from pathlib import Path

TAPE = """\
x var-x
y var-y
a square x
b square y
c add a b
h const 0.5
d sub c h
e mul x y
k const 0.25
f add e k
v min d f
"""


def file(folder: Path) -> Path:
    """A file in ``folder``: a disc and what lies beyond a hyperbola."""
    path = folder / "rehearsal.vm"
    path.write_text(TAPE, encoding="utf-8")
    return path
