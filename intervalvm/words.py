"""The words of arguments as types, and ``Way``: an engine on a back end.

Only ``api.options`` compares a caller's strings with them.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from intervalvm.late import cached_property

Engine = Literal["pruned", "dense", "naive"]
Backend = Literal["numba", "numpy", "cupy", "cuda"]
ArrayEngine = Literal["dense", "naive"]
ArrayBackend = Literal["numba", "numpy", "cupy"]
BoxBackend = Literal["numba", "numpy"]
EvaluatorBackend = Literal["numba", "numpy", "cuda"]
Grid = Literal["linspace", "center", "fidget"]
Mode = Literal["bitmap", "value"]
MapKind = Literal["clauses", "verdict", "level"]
MapPer = Literal["tile", "pixel"]
Prove = Literal["point", "area"]
Fold = Literal["exact", "fast"]
Keep = Literal["value", "sign"]
SolidEngine = Literal["pruned", "dense"]
VoxelGrid = Literal["center", "fidget"]
SolidMode = Literal["shaded", "normals", "heightmap", "occlusion"]
MeshMethod = Literal["sharp", "safe"]
SolidUnit = Literal["um", "mm", "cm", "m", "in", "ft"]
PlaneUnit = Literal["um", "mm", "cm", "m", "in", "ft", "pt", "px"]
Join = Literal["round", "mitre", "bevel"]
DxfVersion = Literal["R12", "R2000", "R2004", "R2007", "R2010", "R2013", "R2018"]


class Way(Enum):
    """An engine on a back end; the default of an engine comes first."""

    COMPILED = "pruned", "numba"
    READABLE = "pruned", "numpy"
    GPU_LEAVES = "pruned", "cupy"
    GPU_WALK = "pruned", "cuda"
    DENSE = "dense", "numpy"
    GPU_DENSE = "dense", "cupy"
    NAIVE = "naive", "numpy"
    GPU_NAIVE = "naive", "cupy"

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self.engine, self.backend = engine, backend

    @cached_property
    def prunes(self) -> bool:
        """Whether it walks a quadtree; the others are dense."""
        return self in (Way.COMPILED, Way.READABLE, Way.GPU_LEAVES, Way.GPU_WALK)

    @cached_property
    def keeps(self) -> bool:
        """Whether it keeps every clause's array to the end."""
        return self in (Way.NAIVE, Way.GPU_NAIVE)

    @cached_property
    def is_compiled(self) -> bool:
        """Whether compiled code runs on the CPU."""
        return self is Way.COMPILED

    @cached_property
    def on_gpu(self) -> bool:
        return self in (Way.GPU_LEAVES, Way.GPU_WALK, Way.GPU_DENSE, Way.GPU_NAIVE)


class Meaning(Enum):
    """What a tape means: the program of float operations, or the function of real numbers."""

    FLOAT = "float"
    REAL = "real"


class Question(Enum):
    """The demand of a tape's result."""

    VALUE = "value"
    SIGN = "sign"
    """Only whether the value is below 0."""
