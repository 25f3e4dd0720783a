"""What a tape is worth: at points (``dense``), over boxes (``interval``), in compiled ``lanes``."""
