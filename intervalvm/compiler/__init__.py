"""Tape to Program: ``pipeline.compile`` has the order of the passes.

``fold`` folds constants, merges common subexpressions and uses the table of ``identities``;
``balance`` balances chains of ``min`` and ``max``; ``predicates`` pushes ``v < 0`` down, and
``resolve`` finds those that are known; ``assemble`` writes a ``program``, whose ``records`` have
the meaning of operations. An evaluator of ``evaluate`` has the meaning of the tape. ``plain`` skips
the passes: a program of the tape as it is.
"""
