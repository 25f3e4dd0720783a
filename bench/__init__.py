"""How fast it is, beside the dense evaluator measured in the same run; and how exact.

``python -m bench`` lists what can be measured, ``python -m bench NAME`` measures it, and ``pytest
bench`` times the pieces one by one, by pytest-benchmark.

Nothing is timed before its output has been found right. Run from the top of the project.
"""
