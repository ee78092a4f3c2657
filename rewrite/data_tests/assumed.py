"""What the queries of a pile take for granted of what they read: one row is found for each row that
looks for it, and a column holds the texts that they ask for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from unwet.rewrite.algebra import Call, Col, Expr, Filter, Join, Lit, Rel, expressions, parts, walk, width
from unwet.rewrite.data_tests.rows import Rows, origin
from unwet.rewrite.data_tests.values import Accepted, DataTest, Related

MIN_REPORTS: Final = 2  # that say it
MIN_TEXTS, MAX_TEXTS = 3, 30  # fewer say little of a column; more are data
Place = tuple[str, str]  # a relation, and its column


def related(plans: Mapping[str, Rel], rows: Rows) -> dict[str, tuple[DataTest, ...]]:
    """By relation: its columns that are looked up in a relation where each value stands once.
    `plans`: normal forms by report."""
    said: dict[tuple[Place, Place], set[str]] = defaultdict(set)
    for report, rel in plans.items():
        for join in walk(rel):
            if isinstance(join, Join) and join.kind in ("inner", "left"):
                for pair in _lookups(join, rows):
                    said[pair].add(report)
    found: dict[str, list[DataTest]] = defaultdict(list)
    for (child, parent), reports in sorted(said.items()):
        if len(reports) >= MIN_REPORTS and (parent, child) not in said:
            check = Related(child[1], *parent)
            words = f"{len(reports)} reports look it up there"
            found[child[0]].append(DataTest(check, False, words))
    return {relation: tuple(tests) for relation, tests in found.items()}


def _lookups(join: Join, rows: Rows) -> Iterator[tuple[Place, Place]]:
    """(who looks, where it is found) for every single column that is a key of what is joined."""
    ends: list[tuple[int, Rel]] = []
    for each in join.inputs:
        ends.append(((ends[-1][0] if ends else 0) + width(each), each))
    for test in join.on:
        match test:
            case Call(op="eq", args=(Col(index=one), Col(index=other))):
                for mine, theirs in ((one, other), (other, one)):
                    child, (place, rel) = _behind(ends, mine), _within(ends, theirs)
                    unique = frozenset({place}) in rows.keys(rel)
                    parent = origin(rel, place)
                    if child and parent and unique and child[0] != parent[0]:
                        if join.kind == "inner" or theirs >= ends[0][0]:
                            yield child, parent
            case _:
                pass


def _within(ends: list[tuple[int, Rel]], column: int) -> tuple[int, Rel]:
    """The input a column is of, and its position in that."""
    start = 0
    for end, rel in ends:
        if column < end:
            return column - start, rel
        start = end
    raise IndexError(column)


def _behind(ends: list[tuple[int, Rel]], column: int) -> Place | None:
    at, rel = _within(ends, column)
    return origin(rel, at)


def asked(plans: Mapping[str, Rel]) -> dict[str, tuple[DataTest, ...]]:
    """By relation: the texts that conditions ask a column for, in all reports together."""
    texts: dict[Place, set[str]] = defaultdict(set)
    reports: dict[Place, set[str]] = defaultdict(set)
    for report, rel in plans.items():
        for node in walk(rel):
            for place, values in _asked(node):
                texts[place] |= values
                reports[place].add(report)
    found: dict[str, list[DataTest]] = defaultdict(list)
    for place in sorted(texts):
        if MIN_TEXTS <= len(texts[place]) <= MAX_TEXTS and len(reports[place]) >= MIN_REPORTS:
            words = f"the texts that {len(reports[place])} reports ask for"
            check = Accepted(place[1], tuple(sorted(texts[place])))
            found[place[0]].append(DataTest(check, False, words))
    return {relation: tuple(tests) for relation, tests in found.items()}


def _asked(node: Rel) -> Iterator[tuple[Place, frozenset[str]]]:
    below = node.input if isinstance(node, Filter) else getattr(node, "input", None)
    if below is None:
        return
    for expr in expressions(node):
        for at, values in _compared(parts(expr)):
            place = origin(below, at) if at < width(below) else None
            if place is not None:
                yield place, values


def _compared(exprs: Iterable[Expr]) -> Iterator[tuple[int, frozenset[str]]]:
    for each in exprs:
        match each:
            case Call(op="eq" | "in", args=(Col(index=at), *values)):
                texts = [v.text for v in values if isinstance(v, Lit) and v.kind == "string"]
                if texts and len(texts) == len(values):
                    yield at, frozenset(texts)
            case _:
                pass
