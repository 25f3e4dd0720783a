"""The compiled walk over the voxels of a solid.

``layout`` has sizes and offsets, ``placing`` writes coordinates to slots. ``kernels`` is the walk,
from ``regions`` to ``leaves``, which ``drawing`` draws; ``walk`` runs it on threads. ``hits``
collects what it hit for ``normals``, in a context that ``hits_layout`` has.
"""
