"""Edges of many statements become those of one graph."""

from collections.abc import Iterable, Iterator

from unwet.lineage.columns import RANKS, ColumnId, Edge, Traced

Key = tuple[ColumnId, ColumnId, str, str]  # source, target, type, subtype
_new = tuple.__new__  # Edge(...), minus one frame


def united(groups: Iterable[Iterable[Edge]]) -> list[Edge]:
    """Edges that differ only in places or certainty become one: the surer, with all places."""
    found: dict[Key, Edge] = {}
    more: dict[Key, list[Edge]] = {}
    for group in groups:
        for e in group:
            key = e[:4]
            if found.setdefault(key, e) is not e:
                more.setdefault(key, [found[key]]).append(e)
    for key, equal in more.items():
        found[key] = _union(equal)
    return list(found.values())


def _union(equal: list[Edge]) -> Edge:
    # the same one in whatever order they come; one that has evidence for its choice, if any
    best = min(equal, key=lambda e: (RANKS.index(e.certainty), not e.evidence, e.evidence))
    spans = {span for e in equal for span in e.spans}
    return best._replace(spans=best.spans if len(spans) == 1 else tuple(sorted(spans)))


def spread(traced: Iterable[Traced]) -> Iterator[Iterable[Edge]]:
    """All edges of all statements, those that fill the same columns together.

    What INSERT after INSERT says of the rows of one relation is united before it is spread over
    the columns, not after.
    """
    by_target: dict[tuple[str, tuple[str, ...], bool], list[Traced]] = {}
    for each in traced:
        by_target.setdefault((each.target, each.columns, each.whole), []).append(each)
    return (_together(same) if len(same) > 1 else same[0].edges() for same in by_target.values())


def _together(same: list[Traced]) -> Iterator[Edge]:
    """The edges of statements that fill the same columns of one relation."""
    rows: dict[tuple[ColumnId, str, str], list[Edge]] = {}
    for each in same:
        for e in each.rows:
            rows.setdefault((e.source, e.type, e.subtype), []).append(e)
    common = [_union(equal) if len(equal) > 1 else equal[0] for equal in rows.values()]
    # where a column itself has such an edge, the statement's rows add none to it
    own = {e[:4] for each in same for e in each.direct if e.type == "INDIRECT"}
    for each in same:
        if own:
            yield from (e for e in each.edges() if e.type == "DIRECT" or e[:4] in own)
        else:
            yield from each.direct
    for target in same[0].targets():
        for source, _, type_, subtype, certainty, spans, evidence in common:
            if not own or (source, target, type_, subtype) not in own:
                yield _new(Edge, (source, target, type_, subtype, certainty, spans, evidence))
