"""``python -m bench NAME ...`` runs a benchmark; without a name, all are listed."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
NAMES = (
    "engines",
    "claims",
    "before",
    "peers",
    "meshes",
    "outlines",
    "view",
    "performance",
    "gpu",
    "conformance",
    "functions",
    "coefficients",
)
"""The modules that have a ``main``, which takes words and returns an exit status."""


def main(words: list[str]) -> int:
    """Run what is named; 2 if it is not known."""
    if not words:
        print("\n".join(f"python -m bench {name:14}{_about(name)}" for name in NAMES))
        return 0
    name, *options = words
    if name not in NAMES:
        print(f"no benchmark {name!r}: choose {', '.join(NAMES)}", file=sys.stderr)
        return 2
    sys.path.append(str(TOP / "tests"))  # whose cases and oracles some of them use
    status: int = import_module(f"bench.{name}").main(options)
    return status


def _about(name: str) -> str:
    """What the module's docstring begins with. To import it could take long."""
    folder = TOP / "bench"
    path = next(p for p in (folder / f"{name}.py", folder / name / "__init__.py") if p.is_file())
    about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return about.split("\n", 1)[0].rstrip(".")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
