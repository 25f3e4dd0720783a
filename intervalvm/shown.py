"""What a notebook shows of a shape: its picture, how many clauses it has, and which axes it reads.

In: anything that ``render`` takes. The drawing itself is in ``notebook``, and is imported when a
notebook asks for it.
"""

from __future__ import annotations


class Shown:
    """A base of the classes that a notebook shows as a picture."""

    __slots__ = ()

    def _repr_png_(self) -> bytes | None:
        from intervalvm.notebook import png

        return png(self)

    def _repr_html_(self) -> str:
        from intervalvm.notebook import html

        return html(self)
