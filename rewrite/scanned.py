"""What the blocks of a tree mean, found out once for all trees that say the same.

A round of a run looks at the trees that the last one has looked at, and a definition is looked at
before and after each column that it gets. What a tree means rests on what it says and on what is
known of the relations that it reads, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from unwet.lineage.declared import Types, output_types
from unwet.lineage.resolve import Query
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.trees import found_in
from unwet.rewrite.algebra import Opaque, Plan, Rel
from unwet.rewrite.lower import Env, Lowerer, lower, trim
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.numbered import Numbers
from unwet.rewrite.reads import blocks
from unwet.rewrite.same_rows import SameRows
from unwet.rewrite.scalars import Unsupported
from unwet.rewrite.shapes import Survey
from unwet.rewrite.stars import is_open


@dataclass(frozen=True, slots=True, eq=False)
class Meant:
    """A block: the normal form of its rows, its columns, what each of these is made of, their
    certain types, and the shape of its text, if it is in no leaf of the tree."""

    rel: Rel
    names: tuple[str, ...]
    terms: tuple[bytes, ...]
    types: tuple[str, ...]
    shape: bytes | None


Meanings = Sequence[Meant | None]  # of a query, outermost first; None: nobody's copy

_Key = tuple[object, ...]


@dataclass
class Scans:
    """What is known of trees. ``rows`` are compared with one another, in all rounds."""

    rows: SameRows = field(default_factory=SameRows)
    numbers: Numbers = field(default_factory=Numbers)
    _known: dict[_Key, Meanings | None] = field(default_factory=dict)
    _rows: dict[_Key, Rel | None] = field(default_factory=dict)  # of those asked for no more
    _tables: dict[Table, int] = field(default_factory=dict)
    _asked: dict[int, tuple[Table, int]] = field(default_factory=dict)  # by identity

    def of(
        self, query: Query, catalog: Catalog, plans: Mapping[str, Plan], normalizer: Normalizer
    ) -> Meanings | None:
        """The blocks of a query; None where it is not understood. ``plans``: what stands behind
        tokens; ``catalog``: what is known of all relations."""
        key = self._key(query, catalog.tables, plans)
        if key not in self._known:
            self._known[key] = self._found(query, Env(catalog, plans), normalizer)
        return self._known[key]

    def outermost(
        self, query: Query, catalog: Catalog, plans: Mapping[str, Plan], normalizer: Normalizer
    ) -> Rel | None:
        """The rows of a query alone; None where they are not known."""
        key = self._key(query, catalog.tables, plans)
        if key in self._known:
            found = self._known[key]
            return found[0].rel if found is not None and found[0] is not None else None
        if key not in self._rows:
            self._rows[key] = _rows(query, Env(catalog, plans), normalizer)
        return self._rows[key]

    def _found(self, query: Query, env: Env, normalizer: Normalizer) -> Meanings | None:
        lowerer = _lowered(query, env)
        if lowerer is None:
            return None
        types, survey = Types(), Survey(query.node)
        return [self._meant(lowerer, block, types, survey, normalizer) for block in blocks(query)]

    def _meant(
        self, lowerer: Lowerer, block: Query, known: Types, survey: Survey, normalizer: Normalizer
    ) -> Meant | None:
        plan = _plan(lowerer, block, normalizer)
        if plan is None:
            return None  # nothing is known of its rows, so it is nobody's copy
        names, rel = plan.names, plan.rel
        types = output_types(block, known) if block.complete else ()
        shape = survey.digest(block.node) if survey.has(block.node) else None
        return Meant(rel, names, self.rows.terms(rel), types, shape)

    def _key(self, query: Query, tables: Mapping[str, Table], plans: Mapping[str, Plan]) -> _Key:
        """The tree, and what is known of what it reads."""
        read = sorted({table.name for table in found_in(query.node, exp.Table)})
        words = dict.fromkeys(word for name in read for word in (name, name.lower()))
        known = [
            (word, self._table(tables.get(word)), plan.digest if plan is not None else b"")
            for word in words
            for plan in (plans.get(word),)
        ]
        return (self.numbers.of(query.node)[id(query.node)], query.dialect, *known)

    def _table(self, table: Table | None) -> int:
        """The number of what is known of a table."""
        if table is None:
            return -1
        if id(table) not in self._asked:
            number = self._tables.setdefault(table, len(self._tables))
            self._asked[id(table)] = table, number
        return self._asked[id(table)][1]


def _rows(query: Query, env: Env, normalizer: Normalizer) -> Rel | None:
    lowerer = _lowered(query, env)
    plan = _plan(lowerer, query, normalizer) if lowerer is not None else None
    return plan.rel if plan is not None else None


def _lowered(query: Query, env: Env) -> Lowerer | None:
    """What remembers the plans of a query's blocks; None where the query is not understood."""
    lowerer = Lowerer(env, query)
    return None if isinstance(lower(query, env, lowerer).rel, Opaque) else lowerer


def _plan(lowerer: Lowerer, block: Query, normalizer: Normalizer) -> Plan | None:
    """A block's columns, and its rows in normal form; None where they are not known."""
    try:
        plan = lowerer.plan(block)
    except Unsupported:
        return None
    names = tuple(name.lower() for name in plan.names)
    rel = normalizer.run(trim(plan))[0]
    return None if len(set(names)) != len(names) or is_open(names) else Plan(names, rel)
