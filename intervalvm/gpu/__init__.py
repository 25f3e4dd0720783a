"""The walk on a GPU: intervals, choices, shorter programs and leaves, all on the device.

The only folder that imports ``numba.cuda`` and CuPy, both on first use.

What is drawn:

    arrays     dense evaluation where the arrays lie, one launch a clause
    batches    the leaves of the CPU's walk, sent to the GPU in batches
    walk       a frame in a few launches: memory, launches, and passes for deferred children
    evaluator  points, derivatives and boxes in arrays of the device
    exchange   arrays that callers give: read in place, or rounded as NumPy rounds them
    devices    what runs kernels: a GPU or the simulator

Kernels:

    kernels    a kernel by name, and as machine code
    splits     the kernel of a split, with ``programs``: the children's programs
    pixels     the kernels of a thread a pixel: leaves, proven tiles, dense evaluation
    points     the kernels of a thread a point or box: the evaluator's
    rules      their device functions: a record at a point, a record over a box
    kinds      what those compute, over any namespace of the rules
    scalars    the rules of ``ops`` as instructions of one CUDA thread
    layout     their arrays, and a program sorted into waves of independent records
    slots      a plain program whose values share memory
    target     numba-cuda, compiling or simulating
    device     CuPy: detection, free memory, errors
"""
