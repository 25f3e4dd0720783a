"""The commands, their options and the help of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from intervalvm.api.options import ENGINES, GRIDS, KEEPS, MODES, PROVES
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.cli.values import amount_of_bytes, colours, setting, size, volume
from intervalvm.words import (
    Backend,
    DxfVersion,
    MeshMethod,
    PlaneUnit,
    SolidEngine,
    SolidMode,
    SolidUnit,
    VoxelGrid,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    Add = Callable[..., None]

DTYPES = tuple(DTYPE_NAMES.values())


def add_option(group: Any, usage: str, kind: Any, what: str, **more: Any) -> None:
    """Add an option: of a type, of some words, or a switch."""
    name, *values = usage.split()
    if kind is bool:
        group.add_argument(name, action="store_true", help=what)
        return
    more |= {"choices": kind} if isinstance(kind, tuple) else {"type": kind}
    if len(values) > 1:
        more |= {"nargs": len(values), "metavar": tuple(values)}
    elif values:
        more["metavar"] = values[0]
    group.add_argument(name, help=what, **more)


def _render_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command.add_argument_group("what to draw"))
    add("--size N|WxH", size, "pixels: a square, or width x height (1024)")
    shown = "the rectangle to show, stretched to the size (-1 1 -1 1, never stretched)"
    add("--region X0 X1 Y0 Y1", float, shown)
    add("--center X Y", float, "the middle of the picture; pixels stay square (0 0)")
    add("--scale S", float, "half the shorter side of the picture (1)")
    part = "draw these pixels of the picture alone, the same as in all of it (all)"
    add("--crop LEFT TOP RIGHT BOTTOM", int, part)
    _add_variables(add)
    values = "inside or outside, or the values, which .npy and .tif hold (bitmap)"
    add("--mode", MODES, values)
    add("--antialias N", int, "smooth edges: N x N samples a pixel, up to 16 (1)")
    proven = (
        "prove each pixel's verdict for the function of real numbers, at its sample (point) "
        "or over its whole area; what is unproven is grey"
    )
    add("--prove point|area", PROVES, proven)
    add("--grid", GRIDS, "where the pixels are sampled (linspace)")
    add = partial(add_option, command.add_argument_group("how it looks"))
    add("--ink COLOUR", str, "of what is inside: #c84, or a name of CSS (white, or black)")
    add("--paper COLOUR", str, "of what is outside, or none for transparent (black, or white)")
    chosen = "show the values in colours: distance, sea, heat, grey, or colours with commas between"
    add("--palette NAME|COLOUR,...", colours, chosen)
    add("--isolines STEP", float, "show the values, with a line at each multiple of this")
    ends = "the values at the ends of the palette (those of the picture)"
    add("--limits LOW HIGH", float, ends)
    add = partial(add_option, command.add_argument_group("how to draw it"))
    add("--depth N", int, "levels of the quadtree (chosen from the size)")
    add("--engine", ENGINES, "how to evaluate (pruned)")
    add("--backend", get_args(Backend), "what evaluates (numba; numpy for dense and naive)")
    _add_effort(add)
    group = command.add_argument_group("what to say and write")
    add = partial(add_option, group)
    out = (
        "the picture: .png .jpg .webp .tif .ppm .pgm .pbm or .npy, "
        "or - for a PNG on standard output (FILE's stem with .png, here)"
    )
    add("--out PATH", str, out)
    plot = (
        "also plot how the work went, with axes: pruning.png, clauses.png or picture.png, or a "
        "name that ends so, in .png, .svg or .pdf (may be repeated)"
    )
    add("--plot PATH", str, plot, action="append", default=[])
    certificate = (
        "also write what was proven, with --prove area, as JSON lines that "
        "tools/check_certificate.py verifies"
    )
    add("--certificate PATH", str, certificate)
    add("--check", bool, "also evaluate densely and compare every pixel")
    _add_reports(group)


def _render3d_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command.add_argument_group("what to draw"))
    add("--size N|WxH|WxHxD", volume, "voxels: width, height and depth (512; as deep as wide)")
    add("--antialias N", int, "smooth edges: N x N samples a pixel, up to 16 (1)")
    shown = "what pixels show: lit surfaces, normals, depth, or what light reaches (shaded)"
    add("--mode", get_args(SolidMode), shown)
    _add_settings(add)
    add("--grid", get_args(VoxelGrid), "where the voxels are sampled (center)")
    add = partial(add_option, command.add_argument_group("from where"))
    add("--yaw DEGREES", float, "how far the camera goes round the vertical axis, to the right (0)")
    add("--pitch DEGREES", float, "how far it is raised, to look down (0)")
    add("--roll DEGREES", float, "how far it is turned about its line of sight (0)")
    add("--isometric", bool, "look along the diagonal of a cube, in place of the angles")
    add("--center X Y Z", float, "the point in the middle of the picture (0 0 0)")
    add("--scale S", float, "half the shorter side of the picture, at that point (1)")
    add("--fit X0 X1 Y0 Y1 Z0 Z1", float, "show this box, in place of --center and --scale")
    add("--perspective P", float, "0 for parallel lines of sight, to below 1 (0)")
    add("--up y|z", str, "the axis that points up (y)")
    _add_shading(partial(add_option, command.add_argument_group("how it looks")))
    add = partial(add_option, command.add_argument_group("how to draw it"))
    add("--engine", get_args(SolidEngine), "how to evaluate (pruned)")
    _add_effort(add)
    add = partial(add_option, command.add_argument_group("a turntable"))
    add("--turn N", int, "N pictures, once round the vertical axis, as one animated file")
    add("--seconds S", float, "how long a turn takes (3)")
    group = command.add_argument_group("what to say and write")
    add = partial(add_option, group)
    out = (
        "the picture: .png .jpg .webp .tif .ppm, or .npy of the depth, or - for a PNG on standard "
        "output; a turntable: .gif .webp .png .mp4, or - for a GIF (FILE's stem with .png or .gif)"
    )
    add("--out PATH", str, out)
    add("--check", bool, "also evaluate every voxel and compare every depth and normal")
    _add_reports(group)


def _add_shading(add: Add) -> None:
    add("--material COLOUR", str, "of the solid: #c84, or a name of CSS (a light grey)")
    add("--background COLOUR[,COLOUR]", colours, "of the top and the bottom, or none (light greys)")
    add("--sky COLOUR", str, "of the light on what faces up")
    add("--floor COLOUR", str, "of the light on what faces down")
    add("--occlusion X", float, "how dark hollows are, to 4; 0 is off (1)")
    add("--radius R", float, "how far away that is caused, in halves of the picture (0.25)")
    add("--smooth N", int, "pixels each way over which normals are averaged, to 4 (2); 0 is off")
    add("--edges X", float, "how dark lines are at steps and bends, to 1 (0.4); 0 is off")
    add("--shadow X", float, "how dark a shadow on the ground is, to 1 (0, off)")


SCALE = (
    "multiply coordinates in the file by this, after all is found, as 25.4 for a shape in inches "
    "and a file in mm (1)"
)


def _contour_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command.add_argument_group("what to trace"))
    part = "the part of the plane to look at (a box that is proven to hold the shape)"
    add("--region X0 X1 Y0 Y1", float, part)
    _add_variables(add)
    add("--levels VALUE", float, "trace where the field has these values (0)", nargs="+")
    add("--open", bool, "leave curves open at the border of the region")
    add = partial(add_option, command.add_argument_group("how to trace it"))
    near = "how far curves may be from the shape, before --scale (chosen from the region)"
    add("--tolerance T", float, near)
    add("--arcs", bool, "arcs and lines, in place of lines alone")
    add("--offset D", float, "grow the shape by this, as for the width of a cut; below 0: shrink")
    _add_threads(add)
    group = command.add_argument_group("what to say and write")
    add = partial(add_option, group)
    out = "the outline: .svg .dxf or .geojson, or - for SVG on standard output (FILE's stem, here)"
    add("--out PATH", str, out)
    add("--unit", get_args(PlaneUnit), "what a coordinate of 1 in the file is (mm)")
    add("--scale S", float, SCALE)
    add(
        "--stroke-width W",
        float,
        "lines of an .svg, as for a laser, in the unit (filled)",
    )
    add("--dxf-version", get_args(DxfVersion), "of a .dxf, as by --out plate.dxf (R2010)")
    _add_reports(group)


def _mesh_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command.add_argument_group("what to mesh"))
    part = "the part of space to look at (a box that is proven to hold the solid)"
    add("--region X0 X1 Y0 Y1 Z0 Z1", float, part)
    _add_settings(add)
    add = partial(add_option, command.add_argument_group("how to mesh it"))
    add("--depth N", int, "levels of the octree: cells are 1/2^N of the region (6)")
    add("--cell SIZE", float, "the size of the smallest cells, before --scale, in place of a depth")
    methods = "keep edges and corners (sharp), or round them off without derivatives (safe)"
    add("--method", get_args(MeshMethod), methods)
    near = (
        "how far triangles of larger cells may be from the surface, before --scale (0.7 of a cell)"
    )
    add("--tolerance T", float, near)
    _add_threads(add)
    group = command.add_argument_group("what to say and write")
    add = partial(add_option, group)
    out = (
        "the mesh: .stl .ply .obj .glb or .3mf, or - for STL on standard output (FILE's stem with "
        ".stl, here)"
    )
    add("--out PATH", str, out)
    add("--unit", get_args(SolidUnit), "what a coordinate of 1 in the file is (mm)")
    add("--scale S", float, SCALE)
    _add_reports(group)


def _add_settings(add: Add) -> None:
    each = "a free variable of the tape (may be repeated)"
    add("--set NAME=VALUE", setting, each, action="append", default=[])


def _add_variables(add: Add) -> None:
    _add_settings(add)
    add("--z Z", float, "the third coordinate (0)")


def _add_effort(add: Add) -> None:
    add("--dtype", DTYPES, "the arithmetic (float32)")
    _add_threads(add)


def _add_threads(add: Add) -> None:
    add("--threads N", int, "CPUs to use (all there are)")
    add("--max-memory 4G", amount_of_bytes, "refuse what needs more (what is free)")


def _add_reports(group: Any) -> None:
    either = group.add_mutually_exclusive_group()
    add_option(either, "--stats", bool, "print how the work went")
    add_option(either, "--json", bool, "print the same as one JSON object")


def _info_options(command: argparse.ArgumentParser) -> None:
    _add_variables(partial(add_option, command))
    add_option(command, "--json", bool, "print one JSON object")


def _simplify_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command)
    add("--x LO HI", float, "the box in x", required=True)
    add("--y LO HI", float, "the box in y", required=True)
    add("--z LO HI", float, "the box in z (0 0)")
    kept = "what stays the same at every point: the value, or only whether it is inside (value)"
    add("--keep", KEEPS, kept, default="value")
    add("--dtype", DTYPES, "shorten for this arithmetic alone (for both)")
    add("--out FILE.vm", str, "write there (-, standard output)")


def _view_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command)
    _add_settings(add)
    add("--port N", int, "of the server, on this machine alone (0, a free one)", default=0)
    add("--no-browser", bool, "print the link, and open nothing")


def _bench_options(command: argparse.ArgumentParser) -> None:
    add = partial(add_option, command)
    add("--size N|WxH", size, "pixels to draw (1024)", default=1024)
    _add_variables(add)
    add("--json", bool, "print one JSON object")


def _examples_options(command: argparse.ArgumentParser) -> None:
    names = "what to copy into this folder: a file, or all that a name stands for (list them)"
    command.add_argument("names", metavar="NAME", nargs="*", help=names)
    add_option(command, "--force", bool, "replace files of this folder")


COMMANDS: dict[str, tuple[str, str, Callable[[argparse.ArgumentParser], None]]] = {
    "render": (
        "render",
        "draw the shape of a .vm or .py file (the default command)",
        _render_options,
    ),
    "render3d": ("render3d", "draw the solid of a .vm file, or a turntable", _render3d_options),
    "contour": ("contour", "write the outline of a .vm file, to cut it", _contour_options),
    "mesh": ("mesh", "write the surface of the solid of a .vm file, to print it", _mesh_options),
    "view": ("view", "show a .vm or .py file in a window: pan, zoom, turn, edit", _view_options),
    "info": ("inspect", "say what a .vm file consists of", _info_options),
    "simplify": ("inspect", "print the shorter tape of a box", _simplify_options),
    "bench": ("bench", "time the engines on a .vm file", _bench_options),
    "examples": ("examples", "list the examples, or copy some here", _examples_options),
}
"""The commands: the module here with a function of that name, a line of help, the options."""

OPERANDS = {"examples": "[NAME]..."}
"""What a command takes in place of FILE."""
