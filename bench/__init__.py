"""How fast it is, beside the dense evaluator measured in the same run.

    python -m bench             the table of times and ratios
    python -m bench --claims    the figures that the project answers for
    python -m bench --performance   docs/performance.md and its picture
    python -m bench.gpu         whatever runs on a GPU, a section of that page
    python -m bench --conformance   the tables of docs/conformance.md
    pytest bench                the pieces one by one, by pytest-benchmark

Nothing is timed before its output has been found right. Run from the top of the project.
"""
