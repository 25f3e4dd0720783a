"""Shading of a picture's depth and normals, in bands of rows. In the order that data passes:

layout      the arrays of a band, and the places of its sizes and numbers
written     ``surface`` turns normals into view space and smooths them, and finds edges;
            ``occlusion`` finds how much of the sky over each pixel is hidden, by ``far`` what
            stands far away; ``light`` makes colours; ``band`` is the pass over a band, of all
compiled    ``kernel``: the pass by numba, for ``native``
run         ``bands``: a picture band by band, on a thread pool or in Python

The written modules are plain Python over arrays of float32. Python runs the same source with the
same bits, slowly, which tests do. So a float that stands in the source is made a float32 there, and
sums are of two terms at a time.
"""
