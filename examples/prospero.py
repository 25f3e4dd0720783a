"""Prospero's farewell to magic (The Tempest, V.1) as one shape: how ``prospero.vm`` was made.

python examples/prospero.py [FILE.vm]
"""

from __future__ import annotations

import sys
from pathlib import Path

from intervalvm import shapes

TEXT = """\
But this rough magic I
here abjure, and when
I have required some
heavenly music, which even
now I do, to work mine
end upon their senses that
this airy charm is for, I'll
break my staff, bury it
certain fathoms in the
earth, and deeper than did
ever plummet sound
I'll drown my book.
"""


def build() -> shapes.Shape:
    """The whole text, its lines centred."""
    return shapes.text(TEXT.rstrip(), size=0.13872)


def main() -> None:
    """Write the tape into this folder, or where the command line says."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "prospero.vm")
    header = "# Prospero's farewell (The Tempest, V.1), made by examples/prospero.py\n"
    path.write_text(header + str(build().tape()), encoding="utf-8", newline="\n")
    print(path)


if __name__ == "__main__":
    main()
