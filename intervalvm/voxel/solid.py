"""``SolidImage``: a picture of a solid, and ``SolidStats`` of its rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.late import cached_property
from intervalvm.raster import formats
from intervalvm.raster.picture import Picture
from intervalvm.raster.stats import Level, ending
from intervalvm.voxel.volume import Volume, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm.voxel.view import View
    from intervalvm.words import Backend, SolidEngine, SolidMode, VoxelGrid


@dataclass(frozen=True)
class SolidStats:
    """Times and counts of a picture of a solid. It prints as a table.

    Attributes
    ----------
    clauses, threads : int
    size : (int, int, int)
        Width, height and depth in voxels.
    engine, backend, dtype, grid : str
    seconds : dict of str to float
        At least of "compile", "depth" and "normals".
    voxels : dict of str to int
        "hit", those that are seen, "full", those of them at the near side, "evaluated", one by one,
        and "total".
    levels : tuple of Level
        Empty for an engine without an octree.
    is_prism : bool
        Whether the tape does not read z, so that the solid is a prism along z without ends.
    is_truth : bool
        Whether the tape's value is 1 or 0 everywhere, which draws nothing.
    antialias : int
        A pixel's samples each way; sizes and counts are of voxels, one behind each sample.
    """

    clauses: int
    size: tuple[int, int, int]
    engine: SolidEngine
    backend: Backend
    dtype: str
    threads: int
    grid: VoxelGrid
    seconds: dict[str, float]
    voxels: dict[str, int]
    levels: tuple[Level, ...] = ()
    is_prism: bool = False
    is_truth: bool = False
    antialias: int = 1

    def as_json(self) -> dict[str, Any]:
        """The same as lists, dicts and numbers; ``is_prism`` and ``is_truth`` only if true.

        ``antialias`` is there if it is more than 1.
        """
        plain = {name: value for name, value in asdict(self).items() if not isinstance(value, bool)}
        plain |= {name: True for name in ("is_prism", "is_truth") if getattr(self, name)}
        if self.antialias == 1:
            del plain["antialias"]
        plain["size"] = list(self.size)
        plain["levels"] = [asdict(level) | {"tile": list(level.tile)} for level in self.levels]
        return plain

    def __str__(self) -> str:
        many = "" if self.threads == 1 else "s"
        width, height, _ = self.size
        hit, full = self.voxels["hit"], self.voxels["full"]
        each = self.voxels["evaluated"] / max(hit, 1)
        n = self.antialias
        many_each = f", {n}x{n} samples a pixel" if n > 1 else ""
        lines = [
            f"{shown(self.size)} voxels{many_each}, {self.clauses} clauses, grid {self.grid}, "
            f"{self.dtype}",
            f"{self.engine} on {self.backend}, {self.threads} thread{many}",
            f"{hit} pixels hit ({hit / (width * height):.1%}), {full} of them at the near side, "
            f"{self.voxels['evaluated']} voxels evaluated ({each:.1f} a hit)",
        ]
        if self.is_prism:
            lines.append("a prism: the tape does not read z")
        return "\n".join(lines + ending(self.is_truth, self.levels, self.seconds))


def check_holds(
    format: str, width: int, height: int, *, antialias: int = 1, transparent: bool = False
) -> None:
    """Raise OptionError if a format cannot hold the picture of a solid."""
    formats.check_holds(format, width, height, transparent=transparent)
    if format == "npy" and antialias > 1:
        raise OptionError(
            "a .npy holds the depth, of a voxel a pixel: draw it with antialias=1, or np.save depth"
        )


def _save_depth(image: SolidImage, stream: Any) -> None:
    np.save(stream, image.depth, allow_pickle=False)


SOLID_FORMATS: dict[str, Callable[[Any, Any], None]] = {**formats.COLOURS, "npy": _save_depth}
"""The suffixes that the picture of a solid can be saved under."""


@dataclass(frozen=True, eq=False, repr=False)
class SolidImage(Picture):
    """A picture of a solid: the depth and the normals of what is seen, and shaded pixels.

    A notebook shows its pixels, and NumPy reads them.

    Attributes
    ----------
    depth : int32[height, width]
        The nearest voxel inside in each column: 1 for the farthest layer up to the number of layers
        for the nearest, 0 where there is none.
    normals : float32[height, width, 3]
        The gradient at that voxel as ``grad`` finds it, normalised, in the shape's space. Where the
        volume's near side cuts the solid it is the normal of the cut. It is 0 where nothing is
        seen, and where the gradient is 0 or not finite.
    volume : Volume
        Where the voxels lie.
    mode : {"shaded", "normals", "heightmap", "occlusion"}
        What ``pixels`` show.
    stats : SolidStats
        Times and counts of the rendering.
    antialias : int
        A pixel's samples each way. With more than one, arrays but ``pixels`` are of samples:
        ``antialias`` times as high and as wide.
    """

    depth: NDArray[np.int32]
    normals: NDArray[np.float32]
    volume: Volume
    mode: SolidMode
    stats: SolidStats
    _shade: Callable[[SolidImage], NDArray[np.uint8]]
    _paint: Callable[[SolidImage], NDArray[np.uint8]] | None = None
    antialias: int = 1

    _kind: ClassVar[str] = "a SolidImage"
    _writers: ClassVar[Mapping[str, Callable[[Any, Any], None]]] = SOLID_FORMATS

    @property
    def view(self) -> View:
        """The view that is shown."""
        return self.volume.view

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.depth.shape[1]) // self.antialias

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.depth.shape[0]) // self.antialias

    @cached_property
    @in_default_environment
    def position(self) -> NDArray[Any]:
        """Where the voxels are that are seen: [height, width, 3], NaN where there is none.

        Their centres in the shape's space, in the dtype of the arithmetic: at these points the
        normals are those of ``grad``.
        """
        found = np.full((*self.depth.shape, 3), np.nan, self.volume.dtype)
        j, i = np.nonzero(self.depth)
        for axis, part in enumerate(self.volume.points(i, j, self.depth[j, i] - 1)):
            found[j, i, axis] = part
        return found

    @cached_property
    @in_default_environment
    def pixels(self) -> NDArray[np.uint8]:
        """uint8[height, width, 3]: red, green and blue, shaded as ``mode`` says, the means of the
        samples. With a transparent background there is a fourth channel, alpha."""
        return self._shade(self)

    def _check_holds(self, format: str) -> None:
        # the depth is held without shading it
        transparent = format in formats.OPAQUE and self._has_alpha
        check_holds(
            format, self.width, self.height, antialias=self.antialias, transparent=transparent
        )

    @property
    def shown(self) -> NDArray[np.uint8]:
        """``pixels``: what a file and a screen show."""
        return self.pixels

    @cached_property
    @in_default_environment
    def colours(self) -> NDArray[np.uint8] | None:
        """uint8[height, width, 3]: the colours of what is seen before shading; None if the shape
        has none."""
        return None if self._paint is None else self._paint(self)

    def __repr__(self) -> str:
        return f"<SolidImage {shown(self.volume.size)}, {self.mode}, {self.view}>"
