"""What the text of a kernel says of its arithmetic."""

from __future__ import annotations

import re

OTHERWISE = r"\bfma\.\S+|\bmad\.\S*f\d\d|\S*\.approx\S*|\S*\.ftz\S*|\b(?:add|sub|div|sqrt)\.f\d\d"
"""Instructions that round once where two roundings are meant, or otherwise than to nearest, lose
subnormals, or leave the rounding to ptxas: of a sum without ``.rn`` it may make an fma."""


def rounds_otherwise(ptx: str) -> list[str]:
    return sorted(set(re.findall(OTHERWISE, ptx)))
