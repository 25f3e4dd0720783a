"""The walk on a GPU: intervals, choices, shorter programs and leaves, all on the device.

The only place that imports ``numba.cuda`` and CuPy; both when a render
asks for them, not before.

The walk, a frame of which is a few launches:

    frames     walks made ready for a plan and a size, kept with the plan
    walk       memory, launches, and passes for what found no room
    waves      a program sorted so that many records can be computed at once
    splits     the kernel of a step, with ``programs``: what its children are left with
    leaves     the kernel of the pixels, ``paint`` that of what was proven
    layout     what the kernels are told
    devices    a GPU (``cupy_device``) or the simulator; kernels by name (``kernels``), and as
               machine code (``compile``)

Rules and what else uses them:

    target     numba-cuda, compiling or simulating
    scalars    the rules of ``ops`` and ``interval`` as instructions of one CUDA thread
    rules      device functions made from them: a record at a point, a record over a box
    batches    the leaves of the CPU's walk, sent to the GPU in batches
    blocks     their kernels
    dense      one launch a clause
    clauses    its kernels
"""
