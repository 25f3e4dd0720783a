"""BigTIFF: a TIFF whose offsets have 64 bits, for images of 4 GiB and more.

Pillow's own has counts of 32 bits still, and fails at that size. Written from the design that
libtiff publishes ("BigTIFF Design"): a header, one directory of 20-byte entries, the tables of
strips, and then the rows, uncompressed, as they lie in memory.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIP_BYTES = 1 << 20
"""A strip's size, as near as whole rows come to it: programs read a strip at a time."""

HEADER = struct.pack("<2sHHHQ", b"II", 43, 8, 0, 16)
"""Little-endian, version 43, offsets of 8 bytes, the directory right after the header."""
SHORT, LONG, LONG8 = 3, 4, 16
FORMATS = {SHORT: "H", LONG: "I", LONG8: "Q"}


def write(values: NDArray[Any], stream: Any) -> None:
    """Write ``values``, uint8 or float32 of shape [height, width], 0 as black."""
    height, width = values.shape
    rows = max(1, STRIP_BYTES // (width * values.itemsize))
    tops = range(0, height, rows)
    sizes = [min(rows, height - top) * width * values.itemsize for top in tops]
    unsigned, floating = 1, 3
    entries = (
        (256, LONG, [width]),
        (257, LONG, [height]),
        (258, SHORT, [8 * values.itemsize]),
        (259, SHORT, [1]),  # not compressed
        (262, SHORT, [1]),  # 0 is black
        (273, LONG8, [0] * len(sizes)),  # where the strips begin: known when the rest is
        (277, SHORT, [1]),  # one value a pixel
        (278, LONG, [rows]),
        (279, LONG8, sizes),
        (339, SHORT, [unsigned if values.dtype == np.uint8 else floating]),
    )
    directory_end = len(HEADER) + 8 + 20 * len(entries) + 8
    tables = 2 * 8 * len(sizes) if len(sizes) > 1 else 0
    starts = (directory_end + tables + np.cumsum([0, *sizes[:-1]])).tolist()
    directory, beyond = [struct.pack("<Q", len(entries))], b""
    for tag, kind, numbers in entries:
        data = struct.pack(f"<{len(numbers)}{FORMATS[kind]}", *(starts if tag == 273 else numbers))
        if len(data) > 8:
            at = directory_end + len(beyond)
            beyond += data
            data = struct.pack("<Q", at)
        directory.append(struct.pack("<HHQ8s", tag, kind, len(numbers), data))
    stream.write(b"".join((HEADER, *directory, bytes(8), beyond)))
    for top in tops:
        strip = np.ascontiguousarray(values[top : top + rows])
        stream.write(strip.astype(values.dtype.newbyteorder("<"), copy=False).data)
