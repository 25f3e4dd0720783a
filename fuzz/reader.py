"""``python -m fuzz.reader``: files led by coverage; options are libFuzzer's.

Whatever the bytes, the file is read or a typed error says what is wrong with it; what was read
prints as text that reads back as the same tape.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import intervalvm as ivm
from fuzz.led import lead

MOST_BYTES = 1 << 16


def one(data: bytes) -> None:
    """Read a file of these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed.vm"
        path.write_bytes(data)
        try:
            tape = ivm.load(path, max_bytes=MOST_BYTES)
        except (ivm.FormatError, ivm.DoesNotFit) as error:
            said = str(error)
            if str(path) not in said or len(said) > 2000:
                raise AssertionError("a message that helps nobody") from error
            return
    assert ivm.parse(str(tape.check())) == tape
    assert ivm.fold(ivm.fold(tape)) == ivm.fold(tape)


if __name__ == "__main__":
    lead(one)
