"""Tables that another script drops than the one that makes them, of which nobody knows what they
hold in the end.

a.sql  CREATE TABLE q (a INT);
b.sql  INSERT INTO q SELECT ...; DROP TABLE q;     -- who else reads q has never seen these rows
c.sql  CREATE TABLE q (a INT);                     -- and it is empty, or not there

taken_away(units) -> relations, and statements that read one, with the reasons
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unwet.rewrite.script_order import Unit, base_reads


def taken_away(
    units: Sequence[Unit],
) -> tuple[Mapping[str, str], Mapping[str, Mapping[int, str]]]:
    """By relation, and by script and index of the statement."""
    doubts: dict[str, str] = {}
    unseen: dict[str, tuple[str, str]] = {}  # the reason, and the script that it is none for
    for name, dropping in _droppers(units).items():
        makers = sorted(each.path for each in units if name in each.creating)
        if len(makers) > 1:
            made = f"it is made in {makers[0]} and in {makers[1]}"
            doubts[name] = f"{made}, and {dropping.path} drops it: nobody says which is last"
            unseen[name] = doubts[name], ""
        elif makers and name in dropping.scratch:
            unseen[name] = f"{dropping.path} fills it and drops it again", dropping.path
    readers: dict[str, dict[int, str]] = {}
    for unit in units if unseen else ():
        for each in unit.statements:
            names = base_reads(each.query) & unseen.keys() if each.query is not None else ()
            for name in sorted(names):
                why, path = unseen[name]
                if path != unit.path:
                    readers.setdefault(unit.path, {})[each.statement.index] = f"{name}: {why}"
    told = {path: {index: f"it reads {why}" for index, why in several.items()}
            for path, several in readers.items()}  # fmt: skip
    return doubts, told


def _droppers(units: Sequence[Unit]) -> Mapping[str, Unit]:
    """By relation, the first script that drops it in the end and does not make it."""
    found: dict[str, Unit] = {}
    for unit in units:
        last: dict[str, str] = {}
        for each in (w for r in unit.statements for w in r.all() if w.target and not w.temp):
            last[each.target or ""] = each.kind
        for name, kind in last.items():
            if kind == "drop" and name not in unit.creating:
                found.setdefault(name, unit)
    return found
