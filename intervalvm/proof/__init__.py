"""What a proven picture says: its cells, and certificates of them."""
