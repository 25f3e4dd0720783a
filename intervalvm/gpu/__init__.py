"""Pictures and evaluators on a GPU: intervals, choices, shorter programs, all on the device.

The only folder that imports ``numba.cuda`` and CuPy, both on first use.

What is drawn:

    arrays     dense evaluation where the arrays lie, one launch a clause
    batches    the leaves of the CPU's walk, sent to the GPU in batches
    walk       a picture in a few launches

What is evaluated:

    evaluator  points, derivatives and boxes in arrays of the device
    exchange   arrays that callers give: read in place, or rounded as NumPy rounds them
    tree       many points: sorted into cells, each evaluated by its cell's program
    axes       a plain program over the axes of a tree

What ``walk`` and ``tree`` share:

    descent    regions divided step by step: memory, launches, and passes for deferred children
    layout     the arrays of their kernels, and a program sorted into waves of independent records

Kernels:

    kernels    a kernel by name, and as machine code
    splits     the kernel that divides a region of a picture
    cells      the kernels of points in cells; one divides a region of cells
    forwards   in both: a region's program over its children
    programs   in both: the children's programs
    pixels     the kernels of a thread a pixel: leaves, proven tiles, dense evaluation
    points     the kernels of a thread a point or box, and the interpreters of plain programs
    slots      a plain program whose values share memory

Their device functions, and what runs them:

    rules      a record at a point, a record over a box
    kinds      what those compute, over any namespace of the rules
    scalars    the rules of ``ops`` as instructions of one CUDA thread
    target     numba-cuda, compiling or simulating
    devices    what runs kernels: a GPU or the simulator
    device     CuPy: detection, free memory, errors
    switches   environment variables, each the way round one known risk
"""
