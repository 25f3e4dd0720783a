"""Machine code for the CPU that runs programs on threads. In the order that data passes:

written    ``layout`` has the common sizes and offsets; ``lanes`` emits vector instructions;
           ``interpreter`` makes loops over a program's records, ``blocks`` those over pixels;
           ``groups`` those over 16 points or boxes side by side; ``intrinsics`` has what numba
           lacks. The kernels are made of these: ``kernels`` has the walk, ``children`` its shorter
           programs, ``leaves`` its pixels; ``queries`` has those of an evaluator
compiled   ``native``: a kernel to object code, by numba once on a machine
cached     ``cache``: object code in a file, loaded without numba
run        ``evaluator`` bounds one box by a kernel; ``plan`` has the program of a tape and its
           workspaces; ``walk`` draws an image, on a ``thread_pool``; ``compiled`` is the evaluator
           of points and boxes, whose requests ``request`` lays out
"""
