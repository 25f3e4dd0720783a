"""A certificate: the proof of a region, box by box, as JSON lines.

``tools/check_certificate.py`` checks it without this package.

====== ===========================================================================================
line   an object with
====== ===========================================================================================
first  ``format`` and ``version``; ``tape``: the ``sha256`` of its bytes; ``z`` and ``variables``,
       all that the tape reads; ``region``, ``area``, ``bounds``: the claims
each   ``verdict``, ``x`` and ``y``: all of a closed box is inside, or outside, or it is not proven
last   ``boxes``: how many there are of each verdict
====== ===========================================================================================

It has nothing that the checker does not check, such as pixels. Boxes have a positive area; a cell
with equal edges is part of others. Numbers have the digits that identify a float64.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from intervalvm.errors import FileError, OptionError
from intervalvm.files import check_path, is_picture, write_atomically
from intervalvm.proof.cells import VERDICTS, Cells

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping

    from intervalvm.raster.image import Image
    from intervalvm.tape import Tape

FORMAT, VERSION = "intervalvm certificate", 2


@dataclass(frozen=True)
class Subject:
    """The subject of a certificate: the bytes of a ``.vm`` file, z and the free variables.

    Raises OptionError for a number that JSON does not have.
    """

    sha256: str
    z: float
    variables: Mapping[str, float]

    def __post_init__(self) -> None:
        for name, value in {"z": self.z, **self.variables}.items():
            if not math.isfinite(value):
                raise OptionError(f"a certificate cannot say {name}={value}: give a finite number")

    @classmethod
    def of_tape(cls, tape: Tape, z: float, variables: Mapping[str, float]) -> Subject:
        """The tape's own text, which ``intervalvm.save`` writes."""
        return cls(hashlib.sha256(str(tape).encode()).hexdigest(), z, variables)

    @classmethod
    def of_file(cls, path: str, z: float, variables: Mapping[str, float]) -> Subject:
        """A file as it is now. Raises FileError if it cannot be read."""
        try:
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise FileError(f"{path}: cannot be read again: {error.strerror}") from error
        return cls(digest, z, variables)


def check_name(path: str | os.PathLike[str]) -> None:
    """Raise OptionError if the suffix is that of a picture: a certificate is JSON lines."""
    name = check_path(path)
    if is_picture(name):
        raise OptionError(
            f"a certificate is JSON lines, and {name} names a picture: give a name in .jsonl"
        )


def write_certificate(path: str | os.PathLike[str], image: Image, subject: Subject) -> None:
    """Write a certificate, whole or not at all, with half as much memory as the image.

    Raises OptionError for the name of a picture, without ``prove="area"``, and if the area
    overflows float64; FileError if the file cannot be written.
    """
    check_name(path)
    cells = Cells.of(image)
    if image.crop is not None:
        raise OptionError("a certificate is about a whole picture: leave crop out, give its region")
    write_atomically(
        path, lambda stream: stream.writelines(map(str.encode, _lines(cells, subject)))
    )


def _lines(cells: Cells, subject: Subject) -> Iterator[str]:
    region, area = cells.region, cells.area()
    if not math.isfinite(area[1]):
        raise OptionError("a certificate cannot say an area beyond float64: give a smaller region")
    yield _line(
        format=FORMAT,
        version=VERSION,
        tape={"sha256": subject.sha256},
        z=subject.z,
        variables=dict(subject.variables),
        region={"x": region.x, "y": region.y},
        area=area,
        bounds=cells.bounds(),
    )
    counts = Counter(dict.fromkeys(VERDICTS, 0))
    for verdict, x, y, _ in cells.boxes():
        if x[0] < x[1] and y[0] < y[1]:
            counts[verdict] += 1
            yield _line(verdict=verdict, x=x, y=y)
    yield _line(boxes=dict(counts))


def _line(**entries: object) -> str:
    return json.dumps(entries, allow_nan=False) + "\n"
