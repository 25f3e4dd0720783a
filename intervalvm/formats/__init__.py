"""Formats of tapes and expressions, in and out.

===========  ====================================================
``vm``       reads ``.vm`` files
``write``    writes them, also for Fidget; graphs for Graphviz; expressions as Python
``sympy``    a formula of SymPy to an expression
===========  ====================================================
"""
