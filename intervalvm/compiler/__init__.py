"""Tape to Program: ``pipeline.compile`` says in which order, and what each pass does.

``fold`` computes constants, shares common subexpressions and uses the table of ``identities``;
``balance`` brackets chains of ``min`` and ``max`` in halves; ``predicates`` pushes ``v < 0`` down,
and ``questions`` says what is left of it; ``assemble`` writes a ``program``, whose ``records`` mean
the operations of the table. What a tape means, an evaluator of ``evaluate`` tells.
"""
