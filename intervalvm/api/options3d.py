"""The options of ``render3d``, their checks, and the ``Job`` that they make for a shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from intervalvm.api.limits import check_antialias, check_threads, usable_cpus
from intervalvm.api.options import check_progress
from intervalvm.arguments import brief, real
from intervalvm.arith.arrays import as_dtype
from intervalvm.checks import check_word
from intervalvm.colours import Colour
from intervalvm.errors import ArgumentTypeError
from intervalvm.hints import Takes
from intervalvm.memory import Amount, as_bytes, require, require_lists
from intervalvm.raster.job import Progress
from intervalvm.voxel.job import Job, picture_bytes
from intervalvm.voxel.style import Light, Shading
from intervalvm.voxel.view import View
from intervalvm.voxel.volume import Volume, check_voxels, shown
from intervalvm.words import SolidEngine, SolidMode, VoxelGrid

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from intervalvm.tape import Tape

ENGINES, GRIDS, MODES = map(get_args, (SolidEngine, VoxelGrid, SolidMode))


@dataclass(kw_only=True, eq=False)
class SolidOptions:
    """The options of ``render3d``. The check normalizes a size to three numbers, a view to a
    ``View`` and a name to a dtype. Raises as ``render3d`` does for an invalid one."""

    size: int | tuple[int, int] | tuple[int, int, int] = 512
    antialias: int = 1
    view: View | None = None
    grid: VoxelGrid = "center"
    engine: SolidEngine = "pruned"
    threads: int | None = None
    dtype: DTypeLike = "float32"
    variables: Mapping[str, float] | None = None
    mode: SolidMode = "shaded"
    material: Colour = Shading.material
    lights: Iterable[Light] = Shading.lights
    sky: Colour = Shading.sky
    floor: Colour = Shading.floor
    occlusion: float = Shading.occlusion
    radius: float = Shading.radius
    smooth: int = Shading.smooth
    edges: float = Shading.edges
    background: Colour | tuple[Colour, Colour] = Shading.background
    shadow: float = Shading.shadow
    max_memory: Amount | None = None
    progress: Progress | bool | None = None
    shading: Shading = field(init=False)
    """Those of them that say how a picture is shaded."""

    def __post_init__(self) -> None:
        self.size = check_voxels(self.size)
        self.antialias = check_antialias(self.antialias)
        self.view = View() if self.view is None else self.view
        if not isinstance(self.view, View):
            raise ArgumentTypeError(
                f"view={brief(self.view)}: give a View, as in View.turntable(30, 20)"
            )
        check_word("grid", self.grid, GRIDS)
        check_word("engine", self.engine, ENGINES)
        check_word("mode", self.mode, MODES)
        self.shading = Shading(*(getattr(self, each.name) for each in fields(Shading)))
        self.threads = check_threads(self.threads)
        self.dtype = as_dtype(self.dtype)
        if self.max_memory is not None:
            self.max_memory = as_bytes("max_memory", self.max_memory)
        check_progress(self.progress)

    def job(self, tape: Tape, variables: Mapping[str, float] | None) -> Job:
        """The job of drawing a tape. Raises as ``render3d`` does.

        ``variables`` are those of the options and the defaults of a shape.
        """
        checked: Any = self  # whose fields are normalized
        dtype: np.dtype[Any] = checked.dtype
        given = zip(tape.variables, tape.settings(variables), strict=True)
        with np.errstate(all="ignore"):
            settings = [np.array(real(name, value)).astype(dtype) for name, value in given]
        fine = check_voxels([self.antialias * side for side in checked.size])
        what = f"a picture of {shown(fine)} voxels"
        require(picture_bytes(fine), what, "make it smaller", checked.max_memory)
        require_lists(len(tape), checked.max_memory)
        return Job(
            tape=tape,
            volume=Volume(fine, checked.view, self.grid, dtype),
            settings=settings,
            engine=self.engine,
            threads=self.threads or usable_cpus(),
            max_memory=checked.max_memory,
        )


takes_solid_options = Takes(SolidOptions)
