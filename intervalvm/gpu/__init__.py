"""The walk on a GPU: intervals, choices, shorter programs and leaves, all on the device.

The only place that imports ``numba.cuda``, and CuPy but for ``array_module``; both when a render
asks for them, not before.

    scalars    the rules of ``ops`` and ``interval`` as instructions of one CUDA thread
    rules      device functions made from them: a record at a point, a record over a box
    batches    the leaves of the CPU's walk, sent to the GPU in batches
    blocks     their kernels
    dense      one launch a clause
    clauses    its kernels
"""
