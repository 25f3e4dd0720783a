"""Formats of tapes and expressions, in and out.

=============  ==================================================================
``vm``         ``.vm`` files
``fidget``     the same for Fidget, without the operations that it lacks
``dot``        a graph for Graphviz
``python``     an expression as Python
``sympy``      a formula of SymPy to an expression
``foreign``    files that hold no tape, told by their first bytes
=============  ==================================================================
"""

from intervalvm.formats import dot, python  # noqa: F401 which tapes and expressions call
