"""Tape to Program: ``pipeline.compile`` has the order of the passes.

``fold`` folds constants, merges common subexpressions and uses the table of ``identities``;
``balance`` balances chains of ``min`` and ``max``. ``assemble`` makes a ``program``, whose
``records`` have the meaning of operations: ``predicates`` pushes ``v < 0`` down, as ``demand`` says
of each operation, to ``nodes`` with ``thresholds``; ``resolve`` finds those that are known, and
``assembler`` writes records, or ``signs`` a tape. An arithmetic of ``evaluate`` has the meaning of
the tape, and ``passes`` how passes are run. ``plain`` skips the passes: a program of the tape as it
is.
"""
