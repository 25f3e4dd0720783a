"""Machine code for the CPU that runs programs on threads. In the order that data passes:

emitted     ``lanes`` emits vector instructions of the rows' rules; ``interpreter`` makes loops over
            a program's records of them, ``blocks`` those over pixels, ``groups`` those over 16
            points or boxes side by side, and ``duals`` those over values with slopes
written     ``layout`` has the sizes and offsets of a kernel's context, ``request`` those beyond it
            of an evaluator's; ``intrinsics`` and ``numbers`` have what numba lacks. Kernels are
            - of the compiler: ``passes``, with ``operations`` on constants and ``thresholds``, and
              ``bounding``, which bounds all clauses over one box; their arrays are ``work``
            - of a picture: ``kernels`` has the walk, ``children`` its shorter programs, ``leaves``
              its pixels
            - of points: ``scatter`` has the walk, over ``cells`` that ``sorting`` makes
            - of boxes: ``boxes`` bounds them and writes shorter tapes
            - of solids: ``voxels`` has the walk, and ``shading`` its pixels, folders of their own
compiled    ``native``: a kernel to object code, by numba once on a machine; ``workers`` do it in
            other processes, side by side, and ``notices`` tells of it
cached      ``cache``: object code in a file, loaded without numba
run         ``runner`` runs a pass, and ``arithmetic`` bounds a tape in work (``bounds``); ``plan``
            has the program of a tape and its workspaces, and ``walk`` draws it, on a
            ``thread_pool``; ``evaluator`` answers for boxes, and by ``points`` for points, or a
            ``few`` of them
"""
