"""Tape to Tape: passes that shorten a tape and change no bit of its value.

``fold`` computes constants and shares common subexpressions; ``simplify`` applies the choices that
an interval evaluation proved; ``slots`` finds where each value is used last.
"""
