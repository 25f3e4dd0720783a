"""Units of length: what a coordinate of 1 is in a file."""

from __future__ import annotations

from intervalvm.words import PlaneUnit

MM: dict[PlaneUnit, float] = {
    "um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3, "in": 25.4, "ft": 304.8,
    "pt": 25.4 / 72, "px": 25.4 / 96,
}  # fmt: skip
"""Their lengths in millimetres. The last two are those of CSS, and are not of solids."""
