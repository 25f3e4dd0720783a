"""``python -m fuzz.soak --minutes 60``: draw cases, check them, shrink what fails, report.

A failure is written to ``tests/found/`` as a ``.vm`` file whose comment says how it was drawn; a
test replays all that is there. The case at hand is kept in ``tests/found/.running.vm``, so that one
which ends the process is not lost. Exit status: 0 nothing found, 1 something was.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.cases import draw
from fuzz.checks import Tried, Wrong, check, what_fails
from fuzz.shrink import shrink
from fuzz.source import Dice

if TYPE_CHECKING:
    from fuzz.cases import Case

FOUND = Path(__file__).parents[1] / "tests" / "found"
MOST_FAILURES = 20
"""After so many a soak stops: they are of few kinds."""


def main() -> int:
    options = _parser().parse_args()
    faulthandler.enable()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    print(f"seed {seed}, {options.minutes:g} minutes", flush=True)
    tried = Tried()
    failures = soak(seed, 60 * options.minutes, options.found, tried)
    print(f"done: {tried}, {failures} failures found", flush=True)
    return 1 if failures else 0


def soak(seed: int, seconds: float, folder: Path, tried: Tried) -> int:
    """Draw and check for so long; returns how many cases failed."""
    folder.mkdir(parents=True, exist_ok=True)
    running = folder / ".running.vm"
    start = said = time.monotonic()
    number = failures = 0
    while time.monotonic() - start < seconds and failures < MOST_FAILURES:
        case = draw(Dice(f"{seed}:{number}"))
        running.write_text(str(case), encoding="utf-8")
        try:
            check(case, tried)
        except Exception as error:
            failures += 1
            print(f"case {number} failed: {error}", flush=True)
            print(f"  kept as {keep(case, folder, error)}", flush=True)
        number += 1
        if time.monotonic() - said > 60:
            said = time.monotonic()
            print(f"{(said - start) / 60:.0f} min: {tried}, {failures} failures", flush=True)
    running.unlink(missing_ok=True)
    return failures


def keep(case: Case, folder: Path, error: Exception) -> Path:
    """Shrink a case that fails and write it."""
    kind = error.what if isinstance(error, Wrong) else type(error).__name__

    def fails(smaller: Case) -> bool:
        found = what_fails(smaller)
        return found is not None and found[0] == kind

    if fails(case):
        case = shrink(case, fails)
    text = str(case)
    digest = sha256(text.encode()).hexdigest()[:8]
    path = folder / f"{kind.replace(' ', '-').lower()}-{digest}.vm"
    path.write_text(text, encoding="utf-8")
    return path


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fuzz.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long (1)")
    parser.add_argument("--seed", type=int, help="draw the same cases again (at random)")
    parser.add_argument("--found", type=Path, default=FOUND, help="where failures go (tests/found)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
