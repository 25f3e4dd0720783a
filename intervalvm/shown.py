"""What a notebook shows of a shape: its picture, how many clauses it has, and which axes it reads.

In: anything that ``render`` takes. The drawing itself is in ``api.notebook``.
"""

from __future__ import annotations

from intervalvm import late


class Shown:
    """A base of the classes that a notebook shows as a picture."""

    __slots__ = ()

    def _repr_png_(self) -> bytes | None:
        picture: bytes | None = late.call("png", self)
        return picture

    def _repr_html_(self) -> str:
        text: str = late.call("html", self)
        return text
