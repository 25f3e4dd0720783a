"""A tape by its definition, in NumPy: at ``points``, their ``gradients``, and over ``boxes``.

Bounds over boxes are of two kinds: of what floats compute, by the rules of ``ops``; and of the real
function, the tightest with decorations (``decorated``), or a float wider and cheaper (``boxes``).
``evaluators`` answer for one of the two meanings what the compiler asks; ``thresholds`` has the
search that they share.
"""
