"""``Mesh``: the surface of a solid as triangles, and ``MeshStats`` of its making."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.arguments import brief
from intervalvm.cells.measure import Measure
from intervalvm.checks import positive
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.files import check_path, write_atomically
from intervalvm.hints import MESH, lacks
from intervalvm.late import cached_property
from intervalvm.meshes import convert
from intervalvm.meshes.formats import FORMATS, check_savable
from intervalvm.raster.stats import milliseconds, text_table
from intervalvm.suffixes import format_of, format_of_stream, pour

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.words import MeshMethod, SolidUnit

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class MeshStats:
    """Times and counts of the making of a mesh. It prints as a table.

    Attributes
    ----------
    clauses, depth, threads, vertices, triangles : int
        ``depth`` is the number of levels of the octree.
    method : {"sharp", "safe"}
    cell : (float, float, float)
        The sides of the smallest cells along x, y and z.
    tolerance : float
        How far a triangle may lie from the surface where a larger cell stands for smaller ones.
    cells : dict of str to int
        Cells that are proven "outside", "inside" or "simple", one smooth, nearly flat piece; at the
        smallest size those with corners on both sides, "crossed", and others, "undecided", where
        thin parts may be missed. Then cells with triangles, "surface": how many were "joined" of
        smaller ones, or "split", and how many are "templates", of several pieces.
    seconds : dict of str to float
        Times by step.
    """

    clauses: int
    method: MeshMethod
    depth: int
    cell: tuple[float, float, float]
    tolerance: float
    threads: int
    vertices: int
    triangles: int
    cells: dict[str, int]
    seconds: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The same as lists, dicts and numbers."""
        return asdict(self) | {"cell": list(self.cell)}

    def __str__(self) -> str:
        many = "" if self.threads == 1 else "s"
        lines = [
            f"{self.triangles} triangles, {self.vertices} vertices, {self.clauses} clauses",
            f"{self.method}, depth {self.depth}, cells of {_by(self.cell)}, "
            f"tolerance {self.tolerance:g}, {self.threads} thread{many}",
        ]
        if self.cells:
            rows = [("cells", ""), *((name, str(count)) for name, count in self.cells.items())]
            lines += ["", text_table(rows, left=1)]
        times = [(name, milliseconds(seconds)) for name, seconds in self.seconds.items()]
        return "\n".join([*lines, "", text_table(times, left=1)] if times else lines)


def _by(sides: tuple[float, ...]) -> str:
    return "x".join(f"{side:.4g}" for side in sides)


def _scaled(value: float, power: int) -> float:
    """``value`` times a power of two, which may be infinite."""
    with np.errstate(over="ignore"):
        return float(np.ldexp(value, power))


@dataclass(frozen=True, eq=False, repr=False)
class Mesh:
    """The surface of a solid as triangles that share their vertices.

    The arrays are read-only.

    Attributes
    ----------
    vertices : float64[n, 3]
        Points x, y, z in the units of the shape, all finite.
    triangles : int32[m, 3]
        The vertices of each triangle, counter-clockwise as seen from outside.
    normals : float32[n, 3]
        At each vertex the unit normal of the surface, which points outwards.
    colours : uint8[m, 3] or None
        Red, green and blue in sRGB of each triangle's part; None if the shape is not painted.
    measure : Measure or None
        What ``volume_bounds`` are found from; None of a mesh that was not made from a shape.
    stats : MeshStats or None
        Times and counts; None of a mesh that was not made from a shape.

    Raises
    ------
    OptionError
        For arrays of another shape, vertices that are not finite and triangles of vertices that
        there are not.
    ArgumentTypeError
        For arrays of another dtype.
    """

    vertices: NDArray[np.float64]
    triangles: NDArray[np.int32]
    normals: NDArray[np.float32]
    colours: NDArray[np.uint8] | None = None
    measure: Measure | None = None
    stats: MeshStats | None = None

    def __post_init__(self) -> None:
        self._keep("vertices", np.float64)
        self._keep("triangles", np.int32)
        self._keep("normals", np.float32)
        if self.colours is not None:
            self._keep("colours", np.uint8)
        if not isinstance(self.stats, MeshStats | None):
            raise ArgumentTypeError(f"stats={brief(self.stats)}: give a MeshStats, or None")
        if not isinstance(self.measure, Measure | None):
            raise ArgumentTypeError(f"measure={brief(self.measure)}: give that of a mesh, or None")
        count = len(self.vertices)
        if len(self.normals) != count:
            raise OptionError(f"{len(self.normals)} normals for {count} vertices: give one each")
        if self.colours is not None and len(self.colours) != len(self.triangles):
            raise OptionError(
                f"{len(self.colours)} colours for {len(self.triangles)} triangles: give one each"
            )
        if not (np.isfinite(self.vertices).all() and np.isfinite(self.normals).all()):
            raise OptionError("vertices and normals must be finite numbers")
        if (self.triangles < 0).any() or (self.triangles >= count).any():
            raise OptionError(f"triangles must name vertices from 0 to {count - 1}")

    def _keep(self, name: str, dtype: type) -> None:
        """Have a read-only view of an array, which is checked."""
        array = getattr(self, name)
        if not isinstance(array, np.ndarray) or array.dtype != dtype:
            found = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
            raise ArgumentTypeError(
                f"{name} is of {brief(str(found))}: give a NumPy array of {np.dtype(dtype)}"
            )
        if array.ndim != 2 or array.shape[1] != 3:
            raise OptionError(f"{name} has the shape {array.shape}: give rows of three")
        view = np.ascontiguousarray(array).view()
        view.flags.writeable = False
        object.__setattr__(self, name, view)

    @cached_property
    @in_default_environment
    def volume(self) -> float:
        """The volume inside the triangles: positive where they face outwards.

        It is the sum of the signed volumes of the tetrahedra from the middle of ``bounds`` to each
        triangle, which the divergence theorem gives for a closed surface.
        """
        if not len(self.triangles):
            return 0.0
        a, b, c, power = self._corners()
        return _scaled(math.fsum(np.einsum("ij,ij->i", a, np.cross(b, c)) / 6), 3 * power)

    @cached_property
    def volume_bounds(self) -> tuple[float, float] | None:
        """Proven bounds of the volume of the solid itself, which may be cut by the region; None
        without ``measure``. They are found when first read, in one or two times the time of
        meshing.
        """
        return None if self.measure is None else self.measure.bounds

    @cached_property
    @in_default_environment
    def area(self) -> float:
        """The sum of the areas of the triangles."""
        if not len(self.triangles):
            return 0.0
        a, b, c, power = self._corners()
        doubled = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        return _scaled(math.fsum(doubled / 2), 2 * power)

    @cached_property
    def bounds(self) -> Box:
        """The least box of the vertices: ((x0, x1), (y0, y1), (z0, z1)).

        Raises OptionError for a mesh without vertices.
        """
        if not len(self.vertices):
            raise OptionError("the mesh is empty: it has no bounds")
        low, high = self.vertices.min(axis=0).tolist(), self.vertices.max(axis=0).tolist()
        x, y, z = zip(low, high, strict=True)
        return x, y, z

    def _corners(self) -> tuple[Any, Any, Any, int]:
        """The first, second and third corners of all triangles, as seen from the middle, and the
        power of two that they were divided by: no product of three overflows or is lost."""
        low, high = self.vertices.min(axis=0), self.vertices.max(axis=0)
        middle = low / 2 + high / 2
        power = math.frexp(float((high / 2 - low / 2).max()))[1]
        placed = np.ldexp(self.vertices / 2 - middle / 2, 1 - power)
        a, b, c = (placed[self.triangles[:, i]] for i in range(3))
        return a, b, c, power

    @in_default_environment
    def save(
        self,
        path: Any,
        format: str | None = None,
        *,
        unit: SolidUnit = "mm",
        scale: float = 1.0,
    ) -> None:
        """Write the mesh to a file, which is replaced as a whole or left unchanged.

        STL, GLB and 3MF are read in float32, which moves a vertex by up to 6e-8 of its distance
        from the origin. Where vertices become equal, the triangles between them are left out, and
        what would no longer be a closed surface is refused. Triangles that are nearer than that can
        touch: PLY and OBJ hold the mesh as it is.

        Parameters
        ----------
        path : str, path-like or binary stream
            A stream is written in place.
        format : str, optional
            One of stl, ply, obj, glb, 3mf; by default the suffix of ``path``. 3MF, GLB and PLY hold
            colours, OBJ a group for each, STL none.
        unit : {"mm", "um", "cm", "m", "in", "ft"}
            The length of a unit of the shape. 3MF names it; GLB is in metres; comments of the other
            formats name it, which programs do not read.
        scale : float
            What coordinates are multiplied by first, above 0: how many units in the file are 1.

        Raises
        ------
        OptionError
            For an unknown format or unit, a mesh without triangles, or one that the format cannot
            hold.
        FileError
            If the file cannot be written.
        """
        factor = positive("scale", scale)
        if factor != 1:
            replace(self, vertices=self.vertices * factor, measure=None).save(
                path, format, unit=unit
            )
            return
        if hasattr(path, "write"):
            self.write(path, format_of_stream(path, format, FORMATS), unit=unit)
            return
        name = check_path(path)
        chosen = format_of(name, format, FORMATS)
        check_savable(self, unit)
        write_atomically(name, lambda stream: self.write(stream, chosen, unit=unit))

    @in_default_environment
    def write(self, stream: BinaryIO, format: str = "stl", *, unit: SolidUnit = "mm") -> None:
        """Write the mesh to a binary stream, such as ``io.BytesIO()``, as ``save`` does."""
        if not hasattr(stream, "write"):
            raise ArgumentTypeError(f"stream={brief(stream)}: give a file that is open for bytes")
        chosen = format_of("", format, FORMATS)
        check_savable(self, unit)
        pour(stream, lambda whole: FORMATS[chosen](self, whole, unit))

    @in_default_environment
    def to_trimesh(self) -> Any:
        """The mesh as a ``trimesh.Trimesh``, with colours of faces. Raises BackendError where
        trimesh is not installed."""
        return convert.to_trimesh(self)

    @in_default_environment
    def to_manifold(self) -> Any:
        """The mesh as a ``manifold3d.Manifold`` in float64, without colours.

        Raises BackendError where manifold3d is not installed, OptionError if it refuses the mesh.
        """
        return convert.to_manifold(self)

    @in_default_environment
    def to_pyvista(self) -> Any:
        """The mesh as a ``pyvista.PolyData`` with "Normals" of points and, if painted, "colours" of
        cells. Raises BackendError where PyVista is not installed."""
        return convert.to_pyvista(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # pickle forgets that arrays are read-only
        return type(self), tuple(getattr(self, each.name) for each in fields(self))

    def __repr__(self) -> str:
        open_cells = 0 if self.stats is None else self.stats.cells.get("undecided", 0)
        undecided = f", {open_cells} cells undecided" if open_cells else ""
        return f"<Mesh {len(self.triangles)} triangles, {len(self.vertices)} vertices{undecided}>"

    if not TYPE_CHECKING:  # mypy would accept every name

        def __getattr__(self, name):
            return lacks(self, "a Mesh", name, MESH)
