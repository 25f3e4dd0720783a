"""A program to machine code for the CPU, and its run on threads. In the order that data passes:

written    ``layout`` has the sizes and places that all share; ``lanes`` writes vector instructions;
           ``interpreter`` makes loops over a program's records of them, ``blocks`` those over
           pixels; ``intrinsics`` is what numba lacks. Of these are made the kernels: ``kernels``
           has the walk, ``children`` its shorter programs, ``leaves`` its pixels
compiled   ``native``: a kernel to object code, by numba once on a machine
kept       ``cache``: object code in a file, loaded without numba
run        ``evaluator`` asks a kernel for bounds of one box; ``plan`` keeps the program of a tape,
           and memory for threads to run it; ``walk`` draws an image, on a ``thread_pool``
"""
