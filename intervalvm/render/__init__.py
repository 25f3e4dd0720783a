"""From a tape to an image: ``grid`` samples, ``quadtree`` walks, ``image`` holds the pixels."""
