"""``python -m fuzz.tapes``: random tapes led by coverage; options are libFuzzer's.

The bytes are choices for ``cases.draw``. What fails ends the run, and is kept in ``tests/found/``.
"""

from __future__ import annotations

import sys

from fuzz.cases import draw
from fuzz.checks import Tried, check
from fuzz.led import lead
from fuzz.soak import FOUND, keep
from fuzz.source import Bytes


def one(data: bytes) -> None:
    """Check the case that the bytes make."""
    case = draw(Bytes(data))
    try:
        check(case, Tried())
    except Exception as error:
        print(f"kept as {keep(case, FOUND, error)}", file=sys.stderr)
        raise


if __name__ == "__main__":
    lead(one)
