"""The numbers that rules run in: elementary functions, arrays, directed rounding."""
