"""The walk on a GPU: intervals, choices, shorter programs and leaves, all on the device.

The only folder that imports ``numba.cuda`` and CuPy, both on first use.

The walk, a frame of which is a few launches:

    frames     walks for a plan and a size, cached with the plan
    walk       memory, launches, and passes for deferred children
    waves      a program sorted into waves of independent records
    splits     the kernel of a split, with ``programs``: the children's programs
    leaves     the kernel of pixels, ``paint`` that of proven tiles
    layout     the layout of the kernels' arguments
    devices    a GPU (``cupy_device``) or the simulator; kernels by name (``kernels``), and as
               machine code (``compile``)

Rules and their other users:

    target     numba-cuda, compiling or simulating
    scalars    the rules of ``ops`` as instructions of one CUDA thread
    rules      device functions made from them: a record at a point, a record over a box
    batches    the leaves of the CPU's walk, sent to the GPU in batches
    blocks     their kernels
    dense      one launch a clause
    clauses    its kernels
"""
