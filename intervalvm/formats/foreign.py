"""Files of other formats, recognized by their first bytes or by their suffix."""

from __future__ import annotations

import os

MAGIC = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture",
    b"II*\0": "a TIFF picture",
    b"MM\0*": "a TIFF picture",
    b"II+\0": "a TIFF picture",
    b"P4": "a bitmap (.pbm)",
    b"P5": "a picture (.pgm)",
    b"P6": "a picture (.ppm)",
    b"\x93NUMPY": "an array of NumPy's",
    b"%PDF": "a PDF document",
    b"\x7fELF": "a program",
    b"\x1f\x8b": "compressed by gzip",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"PK\x03\x04": "a ZIP archive",
}
"""First bytes of file formats. A tape may begin with some: look only if a file is not UTF-8."""

PICTURES = frozenset(
    (
        *("png", "pgm", "ppm", "pbm", "tif", "tiff", "webp", "npy"),
        *("jpg", "jpeg", "gif", "bmp", "svg", "pdf", "ico", "avif", "heic", "jxl"),
    )
)
"""Suffixes of pictures and arrays."""


def kind_of(data: bytes | bytearray) -> str | None:
    """The format of a file that begins with ``data``, and the way out."""
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        return None
    packed = kind.startswith("compressed") or "archive" in kind
    return f"{kind}: unpack it first" if packed else f"{kind}, not .vm text: give the tape itself"


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether the suffix of ``path`` is that of a picture."""
    return os.path.splitext(os.fsdecode(path))[1].lower().removeprefix(".") in PICTURES
