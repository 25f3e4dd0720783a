"""A tape by its definition, in NumPy: at ``points``, their ``gradients``, and over ``boxes``.

Bounds over boxes are those of the float program, by the rules of ``ops``, or of the real function:
tight ones with decorations (``decorated``), or by ``boxes``, up to two ulps a clause wider.
``evaluator`` has what every evaluator of points and boxes does, and NumPy's. ``arithmetic`` serves
the compiler: constants and bounds for one of the two meanings.
"""
