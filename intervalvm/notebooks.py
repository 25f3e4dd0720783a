"""Whether this runs in a notebook. Modules of notebooks are looked up, and not imported."""

from __future__ import annotations

import sys
from typing import Any


def jupyter() -> Any:
    """IPython if this runs in a kernel of Jupyter, else None: a terminal has IPython, too."""
    found: Any = sys.modules.get("IPython")
    return found if found is not None and hasattr(found.get_ipython(), "kernel") else None


def marimo() -> Any:
    """marimo if this runs in one of its notebooks, else None."""
    found: Any = sys.modules.get("marimo")
    return found if found is not None and found.running_in_notebook() else None
