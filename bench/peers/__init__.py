"""The library beside Fidget's published crate: its calls, pictures of solids and meshes.

Both are timed in one run. ``fidget`` builds and asks the crate, ``calls``, ``solids`` and
``meshes`` say what is compared, and check that both give the same before anything is timed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench import models
from bench.peers import calls, meshes, solids
from bench.peers.fidget import NoCargo, Peer, program
from bench.subject import CHALLENGE, TOP, Subject, machine, parser
from bench.timing import Times

PAGE = TOP / "docs" / "performance.md"
HEAD = "## Beside Fidget\n"
SOLIDS_HEAD, MESHES_HEAD = "## Solids beside Fidget\n", "## Meshes beside Fidget\n"
PARTS = ("calls", "solids", "meshes")
OUTLINES_HEAD = "## Outlines beside contourpy\n"
VIEW_HEAD = "## The window\n"
HEADS = {
    **dict(zip(PARTS, (HEAD, SOLIDS_HEAD, MESHES_HEAD), strict=True)),
    "outlines": OUTLINES_HEAD,
    "view": VIEW_HEAD,
}
"""The sections of the page, as they follow each other; ``bench.outlines`` and
``bench.view`` measure the last."""
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


def meshes_section(found: Found, qualities: meshes.Qualities) -> str:
    """The section of the page on meshes."""
    return f"""\
{MESHES_HEAD}
Solids as triangles by `mesh` and by the crate's JIT, `Octree::build` and `walk_dual`, of the same
tapes in the same cubes, whose sides are 2^depth cells, in turn in one run; warm, medians. On one
thread these are seconds that the process was at work, on all threads seconds on the clock. Before
anything was timed {meshes.MOST_WITHIN:.0%} of the points of the surface were within
{meshes.MOST_AWAY:g} cells of both.

{meshes.page(found)}
What both have made, "intervalvm / Fidget". Edges of other than two faces and triangles without area
are counted in arrays, exactly. Crossing pairs are those of the faces that PyMeshLab says to
intersect which exact arithmetic confirms. Errors are in cells: the distance of {meshes.POINTS:,}
random points of the triangles to the surface, and of random points of the surface to the triangles;
the 99th percentile and the farthest.

{meshes.quality_page(qualities)}
Measured by `python -m bench peers --page` on
{machine()}.
"""


def kept_section(text: str) -> str:
    """The sections of a page's text beside others, if it has them: the last."""
    _, head, rest = text.partition(f"\n{HEAD}")
    return head + rest


def write(page: Path, sections: dict[str, str]) -> None:
    """Write the sections to the page in place of those that it has of the same parts."""
    text = page.read_text(encoding="utf-8")
    kept = rest = kept_section(text)
    found = {}
    for part, head in reversed(HEADS.items()):
        rest, head, body = rest.partition(f"\n{head}")
        found[part] = head + body
    found |= {part: f"\n{section}" for part, section in sections.items()}
    page.write_text(
        text.removesuffix(kept) + "".join(found[part] for part in HEADS), encoding="utf-8"
    )


def main(words: list[str]) -> int:
    """Print the tables, or JSON, or write them to the page; 2 without cargo."""
    options = parser("peers", __doc__, rounds=5)
    options.add_argument("--json", action="store_true", help="medians in seconds as one object")
    options.add_argument("--page", action="store_true", help="write docs/performance.md")
    options.add_argument("--only", choices=PARTS, help="only that part")
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
    if chosen.only != "calls":
        for name in models.missing(chosen.models):
            print(f"{name} is left out: it is not in {chosen.models} (--models)", file=sys.stderr)
    if chosen.only in (None, "solids"):
        rows = solids.solids(shape, chosen.models)
        found |= (taken := solids.compared(rows, built, rounds=chosen.rounds))
        sections["solids"] = solids_section(taken)
    if chosen.only in (None, "meshes"):
        given = models.solids(chosen.models)
        taken, qualities = meshes.compared(given, built, rounds=chosen.rounds)
        found |= taken
        sections["meshes"] = meshes_section(taken, qualities)
    if chosen.page:
        write(PAGE, sections)
    elif chosen.json:
        print(json.dumps({n: {k: t.median for k, t in row.items()} for n, row in found.items()}))
    else:
        print("\n".join(sections.values()), end="")
    return 0
