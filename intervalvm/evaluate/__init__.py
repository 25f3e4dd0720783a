"""A tape by its definition, in NumPy: at ``points``, their ``gradients``, and over ``boxes``.

Bounds over boxes are those of the float program, by the rules of ``ops``, or of the real function:
tight ones with decorations (``decorated``), or cheaper ones an ulp wider (``boxes``).
``evaluators`` serve the compiler for one of the two meanings.
"""
