"""What it takes for granted to read the old scripts as plans: which table a name means, and that a
temporary table which is read again is the same query again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_token, relation_name
from unwet.rewrite.definitions import Definition
from unwet.rewrite.reads import relations
from unwet.rewrite.unfolding import orders_rows

_SHOWN: Final = 5  # names that are told
_TOLD_APART: Final = frozenset({"mysql", "singlestore"})
"""Where two tables may differ in the case of their names (MySQL, "Identifier Case Sensitivity": as
the file system has it). Where they do differ, rewrite/names_apart.py tells them apart."""


def presumed(definitions: Iterable[Definition], default_schema: str = "") -> frozenset[str]:
    """In words, for people. ``default_schema``: that of names without one, where somebody says."""
    known = tuple(definitions)
    told = (*_names(known, default_schema), *_spellings(known), *_read_again(known))
    return frozenset(told)


def _names(definitions: Sequence[Definition], default_schema: str) -> Iterator[str]:
    """A name may lack its schema, or have more of it than the pile says elsewhere."""
    found = set[tuple[str, str]]()
    for part in (p for each in definitions for d in _all(each) for p in d.parts):
        for item in relations(part.query) if part.query is not None else ():
            if not isinstance(item.node, exp.Table) or item.relation is None:
                continue
            written = relation_name(item.node, part.statement.dialect)
            if item.relation == f"{written}@{part.statement.path}":
                continue  # one of a name that other scripts have for one of theirs
            if written != item.relation and f"{default_schema}.{written}" != item.relation:
                found.add((written, item.relation))
    plain = sorted(pair for pair in found if not any(map(is_token, ".".join(pair).split("."))))
    if plain:
        told = ", ".join(f"{written} is {relation}" for written, relation in plain[:_SHOWN])
        more = f", and {len(plain) - _SHOWN} more" if len(plain) > _SHOWN else ""
        yield f"a name means the one table of the pile that ends like it: {told}{more}"


def _spellings(definitions: Sequence[Definition]) -> Iterator[str]:
    """Names of tables that differ in capitals are taken for one table."""
    found = defaultdict[str, set[str]](set)
    for part in (p for each in definitions for d in _all(each) for p in d.parts):
        if part.statement.dialect not in _TOLD_APART or part.query is None:
            continue
        for item in relations(part.query):
            if isinstance(item.node, exp.Table) and item.relation is not None:
                found[item.relation].add(".".join(each.name for each in item.node.parts))
    for names in found.values():
        alike = defaultdict[str, set[str]](set)
        for name in names:
            alike[name.lower()].add(name)
        yield from (f"{' and '.join(sorted(same))} are one table"
                    for same in alike.values() if len(same) > 1)  # fmt: skip


def _read_again(definitions: Sequence[Definition]) -> Iterator[str]:
    """Temporary tables that are read more than once become a query each time: one that numbers rows
    may number those with equal keys otherwise there."""
    every = {id(d): d for each in definitions for d in _all(each)}
    temps = {id(read): read for d in every.values() for read in d.reads if read.temp}
    times = Counter[int]()
    for each in every.values():
        mentions = Counter(
            item.relation
            for part in each.parts
            if part.query is not None
            for item in relations(part.query)
        )
        for read in each.reads:
            times[id(read)] += max(1, mentions[read.relation])
    for key, temp in temps.items():
        if times[key] > 1 and temp.plan is not None and orders_rows(temp.plan):
            name = temp.relation
            yield f"the query of {name} orders rows with equal keys alike wherever it stands"


def _all(definition: Definition) -> Iterator[Definition]:
    """A definition, and the temporary tables that it is made of, each once."""
    seen, waiting = set[int](), [definition]
    while waiting:
        each = waiting.pop()
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [read for read in each.reads if read.temp]
