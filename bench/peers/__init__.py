"""The library beside Fidget's published crate: its calls and its pictures of solids, in one run.

``fidget`` builds and asks the crate, ``calls`` and ``solids`` say what is compared, and check that
both give the same before anything is timed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.peers import calls, solids
from bench.peers.fidget import NoCargo, Peer, program
from bench.subject import CHALLENGE, TOP, Subject, machine, parser
from bench.timing import Times

PAGE = TOP / "docs" / "performance.md"
HEAD, SOLIDS_HEAD = "## Beside Fidget\n", "## Solids beside Fidget\n"
PARTS = ("calls", "solids")
Found = dict[str, dict[str, Times]]


def calls_section(shape: Subject, found: Found) -> str:
    """The section of the page on calls."""
    return f"""\
{HEAD}
Calls on {shape},
by this library and by the published crate `fidget`, its JIT and its VM, on the same pixels, points
and boxes, in turn in one run, one thread each; warm, medians. Boxes are an eighth as wide as the
picture, a single one is all of it; points are random. Both gave the same before anything was
timed, as far as roundings in another order allow. *A new value*: a variable is taken off the
shape, and every frame has another value of it. What is prepared once a shape is not timed.

{calls.page(found)}
Measured by `python -m bench peers --page` on
{machine()}.
"""


def solids_section(found: Found) -> str:
    """The section of the page on pictures of solids."""
    return f"""\
{SOLIDS_HEAD}
Depth and normals of cubes of voxels by `render3d` and by the crate's JIT, `fidget::raster::voxel`,
of the same tapes in the same views and on the same grid, in turn in one run; warm, medians. Before
anything was timed both gave the same depth within a voxel but for at most {solids.MOST_DEEPER:.2%}
of the pixels, and the same normals within a degree but for {solids.MOST_TURNED:.1%} of those hit.
*Shading* is what is done once depth and normals are there: `pixels` here, smoothed normals, ambient
occlusion and light there.

{solids.page(found)}
Measured by `python -m bench peers --page` on
{machine()}.
"""


def kept_section(text: str) -> str:
    """The sections of a page's text on Fidget, if it has them: the last."""
    _, head, rest = text.partition(f"\n{HEAD}")
    return head + rest


def write(page: Path, sections: dict[str, str]) -> None:
    """Write the sections to the page in place of those that it has of the same parts."""
    text = page.read_text(encoding="utf-8")
    kept = kept_section(text)
    old_calls, head, rest = kept.partition(f"\n{SOLIDS_HEAD}")
    old = dict(zip(PARTS, (old_calls, head + rest), strict=True))
    new = {part: f"\n{section}" for part, section in sections.items()}
    page.write_text(text.removesuffix(kept) + "".join((old | new).values()), encoding="utf-8")


def main(words: list[str]) -> int:
    """Print the tables, or JSON, or write them to the page; 2 without cargo."""
    options = parser("peers", __doc__, rounds=5)
    options.add_argument("--json", action="store_true", help="medians in seconds as one object")
    options.add_argument("--page", action="store_true", help="write docs/performance.md")
    options.add_argument("--only", choices=PARTS, help="calls or pictures of solids alone")
    options.add_argument(
        "--models",
        type=Path,
        default=CHALLENGE.parent,
        metavar="DIR",
        help="where colonnade.vm and tanglecube.vm are",
    )
    chosen = options.parse_args(words)
    try:
        built = program()
    except NoCargo as error:
        print(error, file=sys.stderr)
        return 2
    shape: Subject = chosen.file
    found: Found = {}
    sections: dict[str, str] = {}
    if chosen.only in (None, "calls"):
        with Peer(built, shape.path) as peer:
            found |= (taken := calls.compared(shape, peer, rounds=chosen.rounds))
        sections["calls"] = calls_section(shape, taken)
    if chosen.only in (None, "solids"):
        for name in solids.missing(chosen.models):
            print(f"{name} is left out: it is not in {chosen.models} (--models)", file=sys.stderr)
        rows = solids.solids(shape, chosen.models)
        found |= (taken := solids.compared(rows, built, rounds=chosen.rounds))
        sections["solids"] = solids_section(taken)
    if chosen.page:
        write(PAGE, sections)
    elif chosen.json:
        print(json.dumps({n: {k: t.median for k, t in row.items()} for n, row in found.items()}))
    else:
        print("\n".join(sections.values()), end="")
    return 0
