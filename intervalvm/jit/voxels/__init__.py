"""The compiled walk over the voxels of a solid: ``layout`` has sizes and offsets, ``placing`` writes
coordinates, ``kernels`` is the walk, ``walk`` runs it on threads.
"""
