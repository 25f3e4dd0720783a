"""Tape to Tape, and to what the compiled walk runs. No pass changes a bit of the answer asked for.

``fold`` computes constants, shares common subexpressions and uses the table of ``identities``;
``balance`` brackets chains of ``min`` and ``max`` in halves; ``predicates`` pushes ``v < 0`` down,
and ``questions`` says what is left of it; ``assemble`` writes a ``program``. ``simplify`` applies
the choices that an interval evaluation proved; ``slots`` finds where each value is used last.
"""
