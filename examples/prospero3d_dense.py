"""What ``prospero3d.vm`` asks for, by all voxels: python examples/prospero3d_dense.py [SIZE] [FILE]

Writes ``prospero3d.pgm``: for each pixel how near the nearest voxel inside is, 0 where none is.
"""

import sys
from pathlib import Path

import numpy as np

OPS = {"neg": np.negative, "abs": np.abs, "square": np.square, "sqrt": np.sqrt}
OPS |= {"add": np.add, "sub": np.subtract, "mul": np.multiply, "min": np.minimum, "max": np.maximum}

size = int(sys.argv[1]) if len(sys.argv) > 1 else 64
file = Path(sys.argv[2] if len(sys.argv) > 2 else "prospero3d.vm")
clauses = [line.split() for line in file.read_text().splitlines() if line[:1] not in ("", "#")]
last = {name: i for i, (_, _, *operands) in enumerate(clauses) for name in operands}

centres = ((np.arange(size) + 0.5 - size / 2) * (2 / size)).astype(np.float32)
depth = np.zeros((size, size), np.int32)
for k in reversed(range(size)):
    values = {"var-x": centres, "var-y": -centres[:, None], "var-z": centres[k]}
    for i, (out, op, *operands) in enumerate(clauses):
        if op in OPS:
            values[out] = OPS[op](*(values[name] for name in operands))
        else:
            values[out] = np.float32(operands[0]) if op == "const" else values[op]
        for name in operands:
            if last[name] == i:
                values.pop(name, None)
    depth[(values[out] < 0) & (depth == 0)] = k + 1

step = 65535 // size  # grey of depth 1: all depths fit, and can be read back
picture = b"P5 %d %d 65535\n" % (size, size) + (depth * step).astype(">u2").tobytes()
Path("prospero3d.pgm").write_bytes(picture)
