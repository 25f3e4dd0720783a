"""Kerning: how much nearer than their advance widths a font wants two glyphs to stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PAIR, EXTENSION = 2, 9
"""Types of lookups in a ``GPOS`` table."""


class Kerning:
    """The pairs of a font: those of ``GPOS``, or of the older ``kern`` table if there are none.

    Formats as in the OpenType specification, "GPOS: glyph positioning table" and "kern: kerning".

    Of ``GPOS``, the lookups of pairs (formats 1 and 2) of the feature ``kern`` count, for the
    script ``latn`` or the default; contextual lookups and other features do not.
    """

    def __init__(self, tables: Any) -> None:
        self._lookups = list(_lookups(tables["GPOS"].table)) if "GPOS" in tables else []
        self._pairs: dict[tuple[str, str], float] = {}
        if not self._lookups and "kern" in tables:
            for table in tables["kern"].kernTables:
                self._pairs.update(getattr(table, "kernTable", {}))

    def between(self, left: str | None, right: str | None) -> float:
        """What is added to the distance of two glyphs, in font units."""
        if left is None or right is None:
            return 0.0
        if (left, right) not in self._pairs:
            self._pairs[left, right] = self._look_up(left, right)
        return self._pairs[left, right]

    def _look_up(self, left: str, right: str) -> float:
        """The sum over the lookups; in each, the first table that knows the pair decides."""
        total = 0.0
        for lookup in self._lookups:
            known = (_advance(table, left, right) for table in lookup)
            total += next((found for found in known if found is not None), 0.0)
        return total


def _lookups(gpos: Any) -> Iterator[list[Any]]:
    """The tables of pairs of each lookup of the feature ``kern``."""
    if gpos.ScriptList is None or gpos.FeatureList is None or gpos.LookupList is None:
        return
    scripts = {record.ScriptTag: record.Script for record in gpos.ScriptList.ScriptRecord}
    script = scripts.get("latn") or scripts.get("DFLT")
    if script is None or script.DefaultLangSys is None:
        return
    features = [gpos.FeatureList.FeatureRecord[i] for i in script.DefaultLangSys.FeatureIndex]
    kern = [feature.Feature for feature in features if feature.FeatureTag == "kern"]
    for i in sorted({i for feature in kern for i in feature.LookupListIndex}):
        lookup = gpos.LookupList.Lookup[i]
        tables = lookup.SubTable
        if lookup.LookupType == EXTENSION:
            tables = [table.ExtSubTable for table in tables]
        yield [table for table in tables if table.LookupType == PAIR]


def _advance(table: Any, left: str, right: str) -> float | None:
    """What a table of pairs adds to the advance of ``left``; None if it does not know the pair."""
    if left not in table.Coverage.glyphs:
        return None
    if table.Format == 1:
        pairs = table.PairSet[table.Coverage.glyphs.index(left)].PairValueRecord
        found = [pair.Value1 for pair in pairs if pair.SecondGlyph == right]
        if not found:
            return None
        value = found[0]
    else:
        first = table.ClassDef1.classDefs.get(left, 0)
        second = table.ClassDef2.classDefs.get(right, 0)
        value = table.Class1Record[first].Class2Record[second].Value1
    return float(getattr(value, "XAdvance", 0) or 0)
