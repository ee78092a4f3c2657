"""What the queries of a pile take for granted of what they read: a row is found for each row that
looks for it, and a column holds the texts that they tell apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from unwet.rewrite.algebra import (
    Call,
    Col,
    Expr,
    Join,
    Rel,
    expressions,
    inputs,
    parts,
    walk,
    width,
)
from unwet.rewrite.data_tests.origins import origin
from unwet.rewrite.data_tests.rows import Rows
from unwet.rewrite.data_tests.texts import known_text
from unwet.rewrite.data_tests.values import Accepted, DataTest, Related

MIN_REPORTS: Final = 2  # that say it
MIN_TEXTS: Final = 3  # two may be all that anybody wants of many
MAX_TEXTS: Final = 30  # more are data

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
        if len(reports) >= MIN_REPORTS and (parent, child) not in said and _alike(child, parent):
            words = f"{len(reports)} reports look it up there"
            found[child[0]].append(DataTest(Related(child[1], *parent), False, words))
    return {relation: tuple(tests) for relation, tests in found.items()}


def _alike(child: Place, parent: Place) -> bool:
    """Whether the names say the same: a session found by the customer's id is no foreign key."""
    return child[1] == parent[1] or child[1].endswith("_" + parent[1])


def _lookups(join: Join, rows: Rows) -> Iterator[tuple[Place, Place]]:
    """(who looks, where it is found) for every single column that is a key of what is joined."""
    places = [(rel, at) for rel in join.inputs for at in range(width(rel))]
    for test in join.on:
        match test:
            case Call(op="eq", args=(Col(index=one), Col(index=other))):
                for mine, theirs in ((one, other), (other, one)):
                    rel, at = places[theirs]
                    child, parent = origin(*places[mine]), origin(rel, at)
                    outer = join.kind == "left" and rel is join.inputs[0]
                    found = frozenset({at}) in rows.keys(rel) and not outer
                    if found and child and parent and child[0] != parent[0]:
                        yield child, parent
            case _:
                pass


def told_apart(plans: Mapping[str, Rel]) -> dict[str, tuple[DataTest, ...]]:
    """By relation: the texts of a column that conditions ask for one by one, in all reports
    together. A list of several is a selection: what else there is, it does not say."""
    texts: dict[Place, set[str]] = defaultdict(set)
    reports: dict[Place, set[str]] = defaultdict(set)
    for report, rel in plans.items():
        for node in walk(rel):
            for place, text in _asked(node):
                texts[place].add(text)
                reports[place].add(report)
    found: dict[str, list[DataTest]] = defaultdict(list)
    for place in sorted(texts):
        if MIN_TEXTS <= len(texts[place]) <= MAX_TEXTS and len(reports[place]) >= MIN_REPORTS:
            words = f"the texts that {len(reports[place])} reports tell apart"
            check = Accepted(place[1], tuple(sorted(texts[place])))
            found[place[0]].append(DataTest(check, False, words))
    return {relation: tuple(tests) for relation, tests in found.items()}


def _asked(node: Rel) -> Iterator[tuple[Place, str]]:
    below = inputs(node)
    if len(below) != 1:
        return
    for expr in expressions(node):
        for at, text in _compared(parts(expr)):
            place = origin(below[0], at) if at < width(below[0]) else None
            if place is not None and text:
                yield place, text


def _compared(exprs: Iterable[Expr]) -> Iterator[tuple[int, str]]:
    for each in exprs:
        match each:
            case Call(op="eq", args=(Col(index=at), other)):
                if (text := known_text(other)) is not None:
                    yield at, text
            case _:
                pass
