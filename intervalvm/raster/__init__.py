"""Pictures of the plane: where pixels are, and what is known of each."""
