"""The code of one CUDA thread, run on this processor.

What ``gpu.rules`` writes for libNVVM is LLVM with calls of libdevice. Here the same code is linked
with definitions of those that it calls, by what libdevice promises of them, and compiled for this
processor: so the rules are tested as they are compiled, without a GPU.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from intervalvm.compiler.program import VARIANTS
from intervalvm.gpu.kinds import Function
from intervalvm.gpu.rules import written
from intervalvm.jit import native
from intervalvm.jit.lanes import ELEMENT, I1, I64, load, store

PLAIN = {"add_rn": "fadd", "mul_rn": "fmul", "div_rn": "fdiv"}
INTRINSICS = {"sqrt_rn": "sqrt", "fabs": "fabs", "floor": "floor", "ceil": "ceil"} | {
    "trunc": "trunc",
    "copysign": "copysign",
}


def _libdevice() -> str:
    lines = ["declare double @fmod(double, double)"]
    for kind, width, first, last in (("float", 32, "f", "f"), ("double", 64, "d", "")):
        for name, instruction in PLAIN.items():
            lines.append(
                f"define {kind} @__nv_{first}{name}({kind} %a, {kind} %b) {{\n"
                f"%r = {instruction} {kind} %a, %b\nret {kind} %r\n}}"
            )
        for name, intrinsic in INTRINSICS.items():
            symbol = f"{first}{name}" if name.endswith("_rn") else f"{name}{last}"
            two = intrinsic == "copysign"
            types, named = (
                (f"{kind}, {kind}", f"{kind} %a, {kind} %b") if two else (kind, f"{kind} %a")
            )
            lines.append(
                f"declare {kind} @llvm.{intrinsic}.f{width}({types})\n"
                f"define {kind} @__nv_{symbol}({named}) {{\n"
                f"%r = call {kind} @llvm.{intrinsic}.f{width}({named})\nret {kind} %r\n}}"
            )
    lines.append(
        "define double @__nv_fmod(double %a, double %b) {\n"
        "%r = call double @fmod(double %a, double %b)\nret double %r\n}"
    )
    return "\n".join(lines)


@cache
def compiled(name: str, dtype: str, tame: bool) -> Any:
    """run(number of a variant, bits, operands, results): the last two are addresses of numbers.

    A truth is 1 or 0.
    """
    function, module = Function(name, dtype, tame), ir.Module()
    kind, number, size = function.kind, ELEMENT[dtype], np.dtype(dtype).itemsize
    run = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64] * 4), "run")
    builder = ir.IRBuilder(run.append_basic_block())
    variant, bits, source, out = run.args
    args = ([variant] if kind.variants else []) + ([bits] if kind.bits else [])
    for i, letter in enumerate(kind.operand * kind.count):
        value = load(builder, source, size * i, number)
        if letter == "t":
            value = builder.fcmp_unordered("!=", value, ir.Constant(number, 0.0))
        args.append(value)
    for i, value in enumerate(written(function, builder, args)):
        found = builder.uitofp(value, number) if value.type == I1 else value
        store(builder, found, out, size * i)
    builder.ret_void()
    machine = native._target_machine()
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    linked = llvm.parse_assembly(str(module))
    linked.link_in(llvm.parse_assembly(_libdevice()))
    engine = llvm.create_mcjit_compiler(linked, machine)
    engine.finalize_object()
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 4)(engine.get_function_address("run"))
    call.engine = engine
    return call


def thread_results(
    name: str, dtype: str, tame: bool, variant: Any, operands: Any, bits: Any = None
) -> Any:
    """Results [n, parts] of a device function for operands [n, numbers], and words of bits [n]."""
    run, function = compiled(name, dtype, tame), Function(name, dtype, tame)
    parts = sum(function.kind.result)
    rows = np.ascontiguousarray(operands, dtype)
    found = np.empty((len(rows), parts), dtype)
    number = VARIANTS.index(variant) if variant is not None else 0
    words = np.zeros(len(rows), np.int64) if bits is None else bits
    for word, source, out in zip(words.tolist(), rows, found, strict=True):
        run(number, word, source.ctypes.data, out.ctypes.data)
    return found
