"""The pass that folds: ``fold_clauses``, of which ``fold`` makes the memory.

Clauses are read in order, and each is looked up by what it is in a table with open addressing, so
none is written twice. A new one is folded if it is an operation on constants, or rewritten by the
first identity that fits.
"""

from __future__ import annotations

import math
from typing import Any

from intervalvm.compiler.identities import LETTERS, holds
from intervalvm.compiler.passes import Pass, bits_of, hash_of
from intervalvm.compiler.rewrites import (
    CONDITION,
    FIRST,
    FIRST_NAMED,
    HEAD,
    KINDS,
    NAMED,
    NO_NAN,
    RIGHT,
    SECOND,
    WORDS,
)
from intervalvm.ops import AXES, CODE
from intervalvm.tape import NONE

CONST, VAR, NEG, NOT, AND, OR = (CODE[name] for name in ("const", "var", "neg", "not", "and", "or"))
FIRST_AXIS, N_AXES = CODE["var-x"], len(AXES)
DEEPEST_TRUTH = 8
"""The most levels of ``and`` and ``or`` of truths whose value is known to be a truth."""
LETTER_K, LETTER_L, LETTER_T = map(LETTERS.index, "klt")
N_LETTERS = len(LETTERS)
OF_CODE, OF_LEFT = 1 << 56, 1 << 28
"""A key has a code and two clauses, fewer than 2**28 as a plan takes."""

# A frame of the stack: an operation whose clause is searched.
(
    STEP, TARGET,  # what comes next, and the word for its clause
    OP, LEFT, RIGHT_OF,  # the operation and its operands
    HEAD_OP, FIRST_OP, SECOND_OP,  # its rewrite: the operation, and those of two parts, or -1
    P, Q, R, S,  # the operands of the first and of the second part, then their clauses
    FOUND,
    FRAME,
) = range(14)  # fmt: skip
START, FIRST_PART, SECOND_PART, WHOLE, NEW_KEY, OLD_KEY = range(6)
RESULT_AT = 0
"""The word of the stack for the last clause: the first frame is used for it only."""

DONE, FULL, ASKED = range(3)
"""The status: all clauses are folded; there is no room; an operation on constants is asked for."""
(
    LENGTH,  # clauses to fold
    AT,  # the next one
    COUNT, ROOM,  # new clauses, and the most of them
    KNOWN, MOST_KNOWN, KEY_MASK,  # of the table by operation
    NUMBERS, MOST_NUMBERS, NUMBER_MASK,  # of that by number
    STATUS, MOST_DEPTH,
    APPLIES, IS_WIDE,  # whether operations on constants are done here, in float64
    ANSWERS,  # known since the last clause
    STATE_WORDS,
) = range(16)  # fmt: skip
LEAST, MOST, RESULT = range(3)
"""Floats: the ends of normal numbers, and the result of an operation on constants."""


def fold_clauses(w: Any) -> int:
    """Fold clauses from ``AT`` on, then drop dead ones; returns the status."""
    state = w.state
    state[STATUS] = DONE
    while state[AT] < state[LENGTH]:
        i = state[AT]
        code = w.codes[i]
        arity = w.arity[code]
        if arity > 1:
            found = clause(w, code, w.place[w.left[i]], w.place[w.right[i]])
        elif arity > 0:
            found = clause(w, code, w.place[w.left[i]], NONE)
        elif code == CONST:
            found = number(w, w.numbers[i])
        else:
            found = read(w, code, N_AXES + w.left[i] if code == VAR else code - FIRST_AXIS)
        if state[STATUS] != DONE:
            return state[STATUS]
        w.place[i] = found
        state[AT], state[ANSWERS] = i + 1, 0
    drop_dead(w, w.place[state[LENGTH] - 1])
    return DONE


def clause(w: Any, code: int, a: int, b: int) -> int:
    """The clause of an operation on clauses: a known one, a simpler one, or a new one.

    Parts of a rewrite's result are such operations too, so there is a stack of them.
    """
    frames = w.frames
    frames[RESULT_AT] = NONE
    depth = enter(w, 0, code, a, b, RESULT_AT)
    while depth > 0 and w.state[STATUS] == DONE:
        at = FRAME * depth
        step = frames[at + STEP]
        frames[at + STEP] = step + 1
        if step == START:
            find(w, at)
        elif step == FIRST_PART:
            if frames[at + FIRST_OP] != NONE:
                op, left, right = frames[at + FIRST_OP], frames[at + P], frames[at + Q]
                depth = enter(w, depth, op, left, right, at + P)
        elif step == SECOND_PART:
            if frames[at + SECOND_OP] != NONE:
                op, left, right = frames[at + SECOND_OP], frames[at + R], frames[at + S]
                depth = enter(w, depth, op, left, right, at + R)
        elif step == WHOLE:
            frames[at + FOUND] = frames[at + P]
            if frames[at + HEAD_OP] != NONE:
                op, left, right = frames[at + HEAD_OP], frames[at + P], frames[at + R]
                depth = enter(w, depth, op, left, right, at + FOUND)
        else:
            if step == NEW_KEY:
                remember(w, at)
            frames[frames[at + TARGET]] = frames[at + FOUND]
            depth -= 1
    return frames[RESULT_AT]


def enter(w: Any, depth: int, code: int, a: int, b: int, target: int) -> int:
    """Push an operation, whose clause goes to a word of the stack; returns its depth."""
    if depth >= w.state[MOST_DEPTH]:
        w.state[STATUS] = FULL
        return depth
    at = FRAME * (depth + 1)
    w.frames[at + STEP], w.frames[at + TARGET] = START, target
    w.frames[at + OP], w.frames[at + LEFT], w.frames[at + RIGHT_OF] = code, a, b
    return depth + 1


def key_of(w: Any, at: int) -> int:
    """What an operation on the stack is in the table."""
    code, low, high = w.frames[at + OP], w.frames[at + LEFT], w.frames[at + RIGHT_OF]
    if high != NONE and high < low and w.commutes[code] != 0:
        low, high = high, low
    return code * OF_CODE + low * OF_LEFT + high + 1


def find(w: Any, at: int) -> None:
    """Find an operation in the table, or else its clause or a rewrite."""
    key, mask = key_of(w, at), w.state[KEY_MASK]
    slot = hash_of(key) & mask
    while w.keys[slot] != 0:
        if w.keys[slot] == key:
            w.frames[at + FOUND], w.frames[at + STEP] = w.found[slot], OLD_KEY
            return
        slot = (slot + 1) & mask
    found = simplified(w, at)
    if found != NONE:
        w.frames[at + FOUND], w.frames[at + STEP] = found, NEW_KEY


def remember(w: Any, at: int) -> None:
    """Enter an operation's clause into the table."""
    key, mask = key_of(w, at), w.state[KEY_MASK]
    if w.state[KNOWN] >= w.state[MOST_KNOWN]:
        w.state[STATUS] = FULL
        return
    slot = hash_of(key) & mask
    while w.keys[slot] != 0:
        slot = (slot + 1) & mask
    w.keys[slot], w.found[slot] = key, w.frames[at + FOUND]
    w.state[KNOWN] += 1


def simplified(w: Any, at: int) -> int:
    """The clause of an operation on the stack; -1 if it is rewritten, or the pass stops."""
    code, a, b = w.frames[at + OP], w.frames[at + LEFT], w.frames[at + RIGHT_OF]
    if w.new_codes[a] == CONST and (b == NONE or w.new_codes[b] == CONST):
        if operate(w, code, a, b):
            return number(w, w.floats[RESULT])
        if w.state[STATUS] != DONE:
            return NONE
    fitting = w.may_left[KINDS * code + w.kinds[a]]
    if b != NONE:
        fitting &= w.may_right[KINDS * code + w.kinds[b]]
        is_in_b = a == b or a == w.new_left[b] or a == w.new_right[b]
        if not (is_in_b or b == w.new_left[a] or b == w.new_right[a]):
            fitting &= w.unrelated[code]
    row = WORDS * w.first[code]
    while fitting != 0:
        if (fitting & 1) != 0 and fits(w, row, a, b):
            rewrite(w, at, row)
            return NONE
        fitting >>= 1
        row += WORDS
    return append(w, code, a, b, 0.0)


def rewrite(w: Any, at: int, row: int) -> None:
    """Note the rewrite of an operation on the stack."""
    frames = w.frames
    frames[at + P], frames[at + Q] = leaf_of(w, row + FIRST + 1), leaf_of(w, row + FIRST + 2)
    frames[at + R], frames[at + S] = leaf_of(w, row + SECOND + 1), leaf_of(w, row + SECOND + 2)
    frames[at + HEAD_OP], frames[at + FIRST_OP] = w.rewrites[row + HEAD], w.rewrites[row + FIRST]
    frames[at + SECOND_OP] = w.rewrites[row + SECOND]


def operate(w: Any, code: int, a: int, b: int) -> bool:
    """Apply an operation to constants; returns whether there is a result, or asks for it."""
    state, p, q = w.state, w.new_numbers[a], 0.0
    if b != NONE:
        q = w.new_numbers[b]
    if state[APPLIES] != 0:
        w.floats[RESULT] = apply(state[IS_WIDE], code, p, q)
        return True
    if code == NEG and p == p:
        w.floats[RESULT] = -p
        return True
    for k in range(state[ANSWERS]):
        if w.asked_code[k] == code and w.asked_left[k] == a and w.asked_right[k] == b:
            w.floats[RESULT] = w.answers[k]
            return w.has_answer[k] != 0
    k = state[ANSWERS]
    state[STATUS] = FULL if k >= state[ROOM] else ASKED
    if k < state[ROOM]:
        w.asked_code[k], w.asked_left[k], w.asked_right[k] = code, a, b
        state[ANSWERS] = k + 1
    return False


def fits(w: Any, at: int, a: int, b: int) -> bool:
    """Whether clauses match the pattern of a rewrite; finds the clauses of its letters."""
    for letter in range(N_LETTERS):
        w.letters[letter] = NONE
    if not fits_part(w, at, a):
        return False
    if b != NONE and not fits_part(w, at + RIGHT, b):
        return False
    first, second = w.letters[LETTER_K], w.letters[LETTER_L]
    k = 0.0 if first == NONE else w.new_numbers[first]
    other = 0.0 if second == NONE else w.new_numbers[second]
    if w.rewrites[at + NO_NAN] != 0 and (k != k or other != other):
        return False
    return holds(w.rewrites[at + CONDITION], k, w.floats[LEAST], w.floats[MOST])


def fits_part(w: Any, at: int, i: int) -> bool:
    """Whether clause ``i`` matches a part: a leaf, or an operation on leaves."""
    op, first, second = w.rewrites[at], w.rewrites[at + 1], w.rewrites[at + 2]
    if op == NONE:
        return fits_leaf(w, first, i)
    if w.new_codes[i] != op or not fits_leaf(w, first, w.new_left[i]):
        return False
    return second == NONE or fits_leaf(w, second, w.new_right[i])


def fits_leaf(w: Any, leaf: int, i: int) -> bool:
    if leaf >= N_LETTERS:
        return w.kinds[i] == FIRST_NAMED + leaf - N_LETTERS
    if leaf == LETTER_T and w.truths[i] == 0:
        return False
    if leaf in (LETTER_K, LETTER_L) and w.new_codes[i] != CONST:
        return False
    if w.letters[leaf] == NONE:
        w.letters[leaf] = i
    return w.letters[leaf] == i


def leaf_of(w: Any, at: int) -> int:
    leaf = w.rewrites[at]
    if leaf >= N_LETTERS:
        return number(w, NAMED[leaf - N_LETTERS])
    return NONE if leaf == NONE else w.letters[leaf]


def number(w: Any, value: float) -> int:
    """The clause of a number; all NaN are one."""
    if value != value:
        value = math.nan
    bits, mask = bits_of(value), w.state[NUMBER_MASK]
    slot = hash_of(bits) & mask
    while w.by_number[slot] != 0:
        i = w.by_number[slot] - 1
        if bits_of(w.new_numbers[i]) == bits:
            return i
        slot = (slot + 1) & mask
    if w.state[NUMBERS] >= w.state[MOST_NUMBERS]:
        w.state[STATUS] = FULL
        return NONE
    i = append(w, CONST, NONE, NONE, value)
    if i != NONE:
        w.state[NUMBERS] += 1
        w.by_number[slot] = i + 1
        for k in range(len(NAMED)):
            if bits_of(NAMED[k]) == bits:
                w.kinds[i] = FIRST_NAMED + k
    return i


def read(w: Any, code: int, source: int) -> int:
    """The clause of an input, or of its value."""
    if w.is_set[source] != 0:
        return number(w, w.settings[source])
    if w.inputs[source] == NONE:
        w.inputs[source] = append(w, code, w.renamed[source], NONE, 0.0)
    return w.inputs[source]


def append(w: Any, code: int, a: int, b: int, value: float) -> int:
    """The new clause."""
    state = w.state
    i = state[COUNT]
    if i >= state[ROOM]:
        state[STATUS] = FULL
        return NONE
    height = 0  # of a truth, 0 if it is none
    if code == NOT:
        height = 1
    elif code in (AND, OR) and w.truths[a] != 0 and w.truths[b] != 0:
        height = 1 + max(w.truths[a], w.truths[b])
    w.truths[i] = 0 if height > DEEPEST_TRUTH + 1 else height
    w.new_codes[i], w.new_left[i], w.new_right[i], w.new_numbers[i] = code, a, b, value
    w.kinds[i] = code
    state[COUNT] = i + 1
    return i


def drop_dead(w: Any, root: int) -> None:
    """Keep the clauses that ``root`` depends on."""
    for i in range(root):
        w.inner[i] = NONE
    w.inner[root] = 0
    for i in range(root, -1, -1):
        arity = w.arity[w.new_codes[i]]
        if w.inner[i] != NONE and arity > 0:
            w.inner[w.new_left[i]] = 0
            if arity > 1:
                w.inner[w.new_right[i]] = 0
    count = 0
    for i in range(root + 1):
        if w.inner[i] != NONE:
            code, a, b = w.new_codes[i], w.new_left[i], w.new_right[i]
            arity = w.arity[code]
            w.new_codes[count], w.new_numbers[count] = code, w.new_numbers[i]
            w.new_left[count] = w.inner[a] if arity > 0 else a
            w.new_right[count] = w.inner[b] if arity > 1 else b
            w.inner[i] = count
            count += 1
    w.state[COUNT] = count


def apply(is_wide: int, code: int, a: float, b: float) -> float:
    """An operation on constants, in float32 unless ``is_wide``. Compiled code alone has it."""
    raise AssertionError((is_wide, code, a, b))


FIELDS = {
    # the clauses to fold, and the new ones that stand for them
    "codes": "uint8", "left": "int32", "right": "int32", "numbers": "float64", "place": "int32",
    # inputs, the axes first: which are set, and to what; new places of variables; new clauses
    "is_set": "uint8", "settings": "float64", "renamed": "int32", "inputs": "int32",
    # new clauses, with their kinds (see ``rewrites``), heights of truths, and work space
    "new_codes": "uint8", "new_left": "int32", "new_right": "int32", "new_numbers": "float64",
    "kinds": "uint8", "truths": "uint8", "inner": "int32",
    # tables: new clauses by operation and operands, and by number
    "keys": "int64", "found": "int32", "by_number": "int32",
    # operations, rewrites, and the clauses of their letters
    "arity": "uint8", "commutes": "uint8", "rewrites": "int64", "first": "int64",
    "may_left": "int64", "may_right": "int64", "unrelated": "int64", "letters": "int32",
    # operations on constants that were asked for
    "asked_code": "uint8", "asked_left": "int32", "asked_right": "int32",
    "has_answer": "uint8", "answers": "float64",
    "frames": "int64", "state": "int64", "floats": "float64",
}  # fmt: skip
NEW = ("new_codes", "new_left", "new_right", "new_numbers")
BY_NEW = (
    "kinds", "truths", "inner", "asked_code", "asked_left", "asked_right", "has_answer", "answers",
)  # fmt: skip
"""Names of arrays by new clause."""
PASS = Pass("fold", fold_clauses, FIELDS)
