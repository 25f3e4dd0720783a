"""The scripts that draw the documentation's pictures: they run, and draw what is committed."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from support.places import TOP

OF_A_BROWSER = "draw_view"
"""Its pictures have the fonts of the machine, and times."""
SCRIPTS = sorted(set((TOP / "tools").glob("draw_*.py")) - {TOP / "tools" / f"{OF_A_BROWSER}.py"})
SOME = {
    "draw_gallery": ["clock", "pawn"],
    "draw_make": ["bracket", "kerf", "methods"],
    "draw_shapes": ["star", "text"],
}
"""What is drawn of pictures that take long."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_draws_what_is_committed(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = runpy.run_path(str(script))["main"]
    committed = main.__globals__["PLACE"]
    monkeypatch.setitem(main.__globals__, "PLACE", tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), *SOME.get(script.stem, [])])
    main()
    names = [path.name for path in tmp_path.iterdir()]
    assert names
    for name in names:
        with Pillow.open(tmp_path / name) as new, Pillow.open(committed / name) as old:
            is_same = np.array_equal(new.convert("RGB"), old.convert("RGB"))
        assert is_same, f"{name}: draw it anew, python tools/{script.name}"
