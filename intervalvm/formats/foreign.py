"""Files that hold no tape: what they are, told by their first bytes or by their suffix."""

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
"""How the files of others begin. A tape may begin like some of them: ask of what is not text."""

PICTURES = frozenset(
    (
        *("png", "pgm", "ppm", "pbm", "tif", "tiff", "webp", "npy"),
        *("jpg", "jpeg", "gif", "bmp", "svg", "pdf", "ico", "avif", "heic", "jxl"),
    )
)
"""Suffixes under which everybody expects a picture, or the array of one."""


def kind_of(data: bytes | bytearray) -> str | None:
    """What a file that begins with ``data`` is, in words, and what to do about it."""
    kind = next((kind for magic, kind in MAGIC.items() if data.startswith(magic)), None)
    if kind is None:
        return None
    packed = kind.startswith("compressed") or "archive" in kind
    return f"{kind}: unpack it first" if packed else f"{kind}, not .vm text: give the tape itself"


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether the suffix of ``path`` promises a picture."""
    return os.path.splitext(os.fsdecode(path))[1].lower().removeprefix(".") in PICTURES
