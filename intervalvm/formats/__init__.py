"""Formats of tapes and expressions, in and out.

===========  ====================================================
``vm``       reads ``.vm`` files
``write``    writes them, also for Fidget, and graphs for Graphviz
``python``   an expression as Python
``sympy``    a formula of SymPy to an expression
===========  ====================================================
"""
