"""In which order scripts run: creators before writers before readers of the same relation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from sqlglot import exp

from unwet.lineage.parse import Script
from unwet.rewrite.prove.adapt import name_parts, relations
from unwet.rewrite.prove.places import target


def in_order(
    scripts: Sequence[Script],
) -> tuple[tuple[Script, ...], tuple[tuple[str, ...], ...]]:
    """Creators before writers before readers, otherwise as given; and the cycles, cut open."""
    touched = [Touched(script) for script in scripts]
    creators, writers = _index(touched, "created"), _index(touched, "written")
    needs: dict[int, set[int]] = {}
    for place, one in enumerate(touched):
        made = {w for name in one.read for w in _lookup(writers, name)}
        made |= {c for name in one.written for c in _lookup(creators, name)}
        # two that create the same relation do not wait for each other
        needs[place] = {m for m in made if m != place and not one.created & touched[m].created}
    cycles: list[tuple[str, ...]] = []
    while True:
        try:
            order = list(TopologicalSorter({k: sorted(v) for k, v in needs.items()}).static_order())
            break
        except CycleError as error:
            ring = error.args[1]
            cycles.append(tuple(scripts[place].source.path for place in ring))
            needs[ring[1]].discard(ring[0])
    return tuple(scripts[place] for place in order), tuple(cycles)


class Touched:
    """Relations that a script creates, writes (creates included) and reads, without temporaries.

    `filled`: those it puts rows into: a bare CREATE TABLE does not, nor what only changes rows or
    takes them away (`changed`).
    """

    def __init__(self, script: Script) -> None:
        self.created: set[tuple[str, ...]] = set()
        self.changed: set[tuple[str, ...]] = set()
        self.filled: set[tuple[str, ...]] = set()
        self.written: set[tuple[str, ...]] = set()
        self.read: set[tuple[str, ...]] = set()
        for statement in script.statements:
            self._add(statement.tree)
        self.read -= self.written

    def _add(self, tree: exp.Expr) -> None:
        targets = list(_targets(tree))
        for table in targets:
            self.written.add(_folded(table))
            if _brings_rows(tree):
                self.filled.add(_folded(table))
            elif not isinstance(tree, exp.Create):
                self.changed.add(_folded(table))
            if isinstance(tree, exp.Create | exp.Select | exp.SetOperation):
                self.created.add(_folded(table))
        if not isinstance(tree, exp.Drop):
            found = (t for t in relations(tree) if not any(t is one for one in targets))
            self.read |= {_folded(table) for table in found if not _is_temporary(table)}


def _targets(tree: exp.Expr) -> Iterator[exp.Table]:
    """Permanent tables that a statement fills or changes."""
    if isinstance(tree, exp.Drop):
        return
    table: object = None
    if isinstance(tree, exp.Query):
        into = into_of(tree)
        table = into.this if into is not None else None
    elif isinstance(tree, exp.Create | exp.Insert | exp.Update | exp.Delete | exp.Merge):
        table = tree.this
    if isinstance(table, exp.Schema):
        table = table.this
    if isinstance(table, exp.Table) and name_parts(table) and not _is_temporary(table):
        yield table


def _brings_rows(tree: exp.Expr) -> bool:
    if isinstance(tree, exp.Create):
        return isinstance(tree.expression, exp.Query)
    if isinstance(tree, exp.Merge):
        return any(
            isinstance(each.args.get("then"), exp.Insert) for each in tree.find_all(exp.When)
        )
    return not isinstance(tree, exp.Update | exp.Delete)


def into_of(tree: exp.Query) -> exp.Into | None:
    """INTO of a query, which in a set operation stands in the first branch."""
    node: exp.Expr | None = tree
    while isinstance(node, exp.SetOperation | exp.Subquery):
        node = node.this
    into = node.args.get("into") if isinstance(node, exp.Select) else None
    return into if isinstance(into, exp.Into) else None


def _is_temporary(table: exp.Table) -> bool:
    return name_parts(table)[-1].startswith("#")


def _folded(table: exp.Table) -> tuple[str, ...]:
    return tuple(part.lower() for part in target(name_parts(table)))


def _index(touched: Sequence[Touched], what: str) -> dict[tuple[str, ...], list[int]]:
    index: dict[tuple[str, ...], list[int]] = {}
    for place, one in enumerate(touched):
        for name in sorted(getattr(one, what)):
            index.setdefault(name, []).append(place)
            index.setdefault(("", name[-1]), []).append(place)
    return index


def _lookup(index: Mapping[tuple[str, ...], list[int]], name: tuple[str, ...]) -> list[int]:
    """Whoever has exactly that name, else that table name in any schema."""
    return index.get(name) or index.get(("", name[-1]), [])
