"""The search for a wrong answer: random tapes and files, until something breaks.

``python -m fuzz.soak --minutes 60`` draws at random; ``python -m fuzz.tapes`` and ``python -m
fuzz.reader`` are led by coverage (``pip install '.[fuzz]'``). What is found is shrunk and written
to ``tests/found/``, where a test replays it from then on.

In the order data passes them: ``source`` (choices), ``cases`` (a tape and how to draw it),
``checks`` (what must hold), ``shrink`` (a smaller case that fails too), ``soak``.
"""
