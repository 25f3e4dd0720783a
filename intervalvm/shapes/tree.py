"""Many fields as one, in a balanced tree."""

from __future__ import annotations

from collections.abc import Sequence

from intervalvm.expr import Expr, minimum


def union(parts: Sequence[Expr]) -> Expr:
    """The minimum as a balanced tree, neighbours first: what is near each other drops out together.

    ``parts`` has one part at least.
    """
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return minimum(union(parts[:half]), union(parts[half:]))
