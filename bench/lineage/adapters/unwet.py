"""unwet. Columns: the edges of what `trace()` returns; relations: of the resolved statements."""

from collections.abc import Iterator
from typing import Any

from unwet import Source
from unwet.lineage.pile import Pile, load

# The suites count what a CASE tests and what a window is partitioned and ordered by as sources
# of the column, as all peers do. unwet keeps those apart: INDIRECT, of these sub-types.
IN_EXPRESSION = ("CONDITIONAL", "WINDOW")


def answer(case: dict[str, Any]) -> dict[str, Any]:
    source = Source("case.sql", case["sql"])
    pile = load(source, case["dialect"] or None, case["schema"], None, case["default_schema"])
    return {"columns": _columns(pile), "tables": _tables(pile)}


def _columns(pile: Pile) -> list[list[str]]:
    plain: list[list[str]] = []
    ambiguous: dict[tuple[str, str, str], set[str]] = {}
    for edge in pile.graph.edges:
        if edge.type != "DIRECT" and edge.subtype not in IN_EXPRESSION:
            continue
        relation, column = edge.source
        if edge.certainty == "ambiguous":
            ambiguous.setdefault((column, *edge.target), set()).add(relation)
        else:
            plain.append([relation, column, *edge.target])
    return plain + [["|".join(sorted(among)), *rest] for rest, among in ambiguous.items()]


def _tables(pile: Pile) -> dict[str, list[str]]:
    # a table that is changed in place is a target to all suites, not a source
    sources = {e.source.relation for e in pile.graph.edges if e.source[0] != e.target[0]}
    targets: set[str] = set()
    for each in pile.writes:
        if each.target and each.kind not in ("drop", "truncate"):
            targets.add(each.target)
        if each.query is not None:
            changed = {each.target} if each.kind in ("update", "delete", "merge") else set()
            sources.update(set(_reads(each.query, set())) - changed)
    return {"sources": sorted(sources - {"?", ""}), "targets": sorted(targets)}


def _reads(query: Any, seen: set[int]) -> Iterator[str]:
    if id(query) in seen:
        return
    seen.add(id(query))
    for each in query.inputs:
        if each.relation:
            yield each.relation
        if each.query is not None:
            yield from _reads(each.query, seen)
    for below in (*query.branches, *query.children.values()):
        yield from _reads(below, seen)
