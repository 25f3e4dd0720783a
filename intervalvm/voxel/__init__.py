"""Pictures of solids: a view, its volume of voxels, the depth and normals of what is seen."""
