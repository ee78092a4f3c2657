"""What the query blocks of a pile say, as facts that can be compared: what an output is, which
rows are kept, how relations are joined, which filters lie on every reading of a relation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final, Literal

from sqlglot import exp

from unwet.lineage.names import deep_stack
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Input, Query, Resolved
from unwet.lineage.templating import restorer
from unwet.rewrite.algebra import Agg, Col, Expr, Lit, operands, parts
from unwet.rewrite.calendar_bounds import whole_months
from unwet.rewrite.grains import GrainKind, Said, named, said, united
from unwet.rewrite.joins_of import Joined, joined
from unwet.rewrite.predicates import (
    as_predicate,
    conjuncts,
    is_equation,
    items_of,
    predicate_slot,
)
from unwet.rewrite.reads import relations, subqueries
from unwet.rewrite.rules.shapes import conjuncts_of
from unwet.rewrite.tracing import Place, Tracer

MANY_READINGS: Final = 64  # of base relations below one block
FactKind = Literal["output", "predicate", "join"] | GrainKind


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A SELECT that a statement's result depends on. `root`: the statement's query, or the branch
    of its set operation, that it is part of."""

    resolved: Resolved
    query: Query
    root: Query
    relations: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Fact:
    """One thing that a block says.

    Facts with equal `slot` speak of the same thing, and contradict each other where `value`
    differs. `term` is what is said (None of a join and of rows, which `text` says instead).
    `reads` are the outputs that it is made of, `place` its own when it is an output, `keys` what
    it is grouped by.
    """

    kind: FactKind
    slot: Hashable
    value: str
    term: Expr | None
    block: Block
    node: exp.Expression
    clause: str
    name: str
    reads: frozenset[Place]
    place: Place | None = None
    text: str = ""
    keys: frozenset[str] = frozenset()

    @property
    def is_bare(self) -> bool:
        """Whether it is a base column as it is."""
        return isinstance(self.term, Col)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One reading of a relation, and the predicates that lie on it anywhere above, with the
    blocks from the reading outwards."""

    relation: str
    item: Input
    within: Block
    found: tuple[Fact, ...]
    way: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All facts of a pile, and the readings at the roots of its statements. `made_of`: which
    outputs an output is made of directly; `restore`: puts the placeholders of all scripts back."""

    facts: tuple[Fact, ...]
    readings: tuple[Reading, ...]
    made_of: Mapping[Place, frozenset[Place]]
    tracer: Tracer
    restore: Callable[[str], str]


def facts(pile: Pile) -> Facts:
    """The facts of all statements, in their order."""
    with deep_stack():
        collector = _Collector(Tracer(pile))
        used = _temporaries_read(pile)
        masks = {id(each.statement.masked): each.statement.masked for each in pile.resolved}
        for resolved in pile.resolved:
            if resolved.query is not None and not (resolved.temp and resolved.target in used):
                collector.statement(resolved, resolved.query)
        return Facts(
            tuple(collector.facts),
            tuple(collector.readings),
            collector.made_of,
            collector.tracer,
            restorer(place for each in masks.values() for place in each.placeholders),
        )


def _temporaries_read(pile: Pile) -> frozenset[str]:
    """The temporary tables that other statements read: these are parts of those."""
    temps = {each.target for each in pile.resolved if each.temp and each.target}
    found = {
        item.relation
        for each in pile.resolved
        if each.query is not None and temps
        for item in relations(each.query)
    }
    return frozenset(name for name in found & temps if name)


class _Collector:
    """Collects the facts of statement after statement."""

    def __init__(self, tracer: Tracer) -> None:
        self.tracer, self.terms = tracer, tracer.terms
        self.facts: list[Fact] = []
        self.readings: list[Reading] = []
        self.made_of: dict[Place, frozenset[Place]] = {}
        self._read: dict[int, tuple[Reading, ...]] = {}
        self._blocks: dict[int, Block] = {}
        self._united: dict[int, Query] = {}  # set operations by their first branch

    def statement(self, resolved: Resolved, query: Query) -> None:
        """A statement's blocks, and what it reads in the end."""
        stack = [(resolved, query)]
        while stack:
            owner, root = stack.pop()
            if root.branches:
                self._note_branches(root)
                stack.extend((owner, branch) for branch in reversed(root.branches))
                continue
            stack.extend(self._block_tree(owner, root))
            self.readings.extend(self._readings(root))

    def _block_tree(self, resolved: Resolved, root: Query) -> Iterator[tuple[Resolved, Query]]:
        """Takes in the blocks below a root; yields the queries inside their expressions."""
        todo, seen = [(resolved, root)], set[int]()
        while todo:
            owner, each = todo.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            below = [(made or owner, query) for item in each.inputs
                     for query, made in self._inside(item)]  # fmt: skip
            below += [(owner, part) for part in self.tracer.parts(each)]
            todo.extend(reversed(below))
            self._note_branches(each)
            if each.kind == "select" and id(each) not in self._blocks:
                block = Block(owner, each, root, self.tracer.relations(each))
                self._blocks[id(each)] = block
                self.facts.extend(self._facts(block))
                self.facts.extend(self._rows(block))
                yield from ((owner, nested) for nested in subqueries(each))

    def _inside(self, item: Input) -> list[tuple[Query, Resolved | None]]:
        """The queries behind an item that are the reader's own: CTEs, derived tables and
        temporary tables, these with their statements."""
        if item.query is not None:
            return [(item.query, None)]
        made = self.tracer.sources(item)
        return [(s.query, s.resolved) for s in made if s.resolved is not None and s.resolved.temp]

    def _note_branches(self, query: Query) -> None:
        if query.branches:
            self._united[id(query.branches[0])] = query
        for at in range(len(query.outputs) if query.branches else 0):
            below = frozenset(self.tracer.place(branch, at) for branch in query.branches)
            self.made_of[self.tracer.place(query, at)] = below

    # --- facts

    def _facts(self, block: Block) -> Iterator[Fact]:
        yield from self._outputs(block)
        predicates = [fact for fact, _ in self._predicates(block)]
        yield from predicates
        yield from self._joins(block)

    def _outputs(self, block: Block) -> Iterator[Fact]:
        query = block.query
        for at, output in enumerate(query.outputs):
            node, place = output.expression, self.tracer.place(query, at)
            if node is None or not isinstance(node, exp.Expression):
                self.made_of[place] = frozenset(self.tracer.passed(output))
                continue
            reads = frozenset(self.tracer.reads(query, node, "select"))
            self.made_of[place] = reads
            term = self.tracer.output(query, at)
            if isinstance(term, Lit) or not output.name:
                continue
            slot = ("output", output.name, block.relations)
            yield self._fact("output", slot, term, block, node, "select", output.name, reads,
                             place)  # fmt: skip

    def _predicates(self, block: Block) -> Iterator[tuple[Fact, tuple[Input, ...]]]:
        """The conjuncts of a block that are no join conditions, with the items they are about."""
        for node, clause in conjuncts(block.query):
            term = self.tracer.term(block.query, node, clause)
            if term is None:
                continue
            items = tuple(items_of(block.query, node, clause))
            for part in map(self._in_days, conjuncts_of(as_predicate(term, self.terms))):
                if is_equation(part) and len(items) > 1:
                    continue
                slot = predicate_slot(part, self.terms)
                if slot is not None:
                    reads = frozenset(self.tracer.reads(block.query, node, clause))
                    fact = self._fact("predicate", slot, part, block, node, clause, "", reads)
                    yield fact, items

    def _in_days(self, term: Expr) -> Expr:
        """A bound in days in its usual form; of points in time every form says something else."""
        instants = any(self.tracer.is_instant(part) for part in operands(term))
        return term if instants else whole_months(term)

    def _joins(self, block: Block) -> Iterator[Fact]:
        for join in joined(block.query):
            slot = self._join_slot(block.query, join)
            if slot is not None:
                yield Fact("join", slot, join.kind, None, block, join.node, "on", "",
                           frozenset())  # fmt: skip

    def _join_slot(self, query: Query, join: Joined) -> Hashable:
        """(what is joined, the columns on both sides)"""
        columns: set[int] = set()
        for node, clause in join.conditions:
            term = self.tracer.term(query, node, clause)
            if term is not None:
                columns |= self.terms.bases(term)
        behind = frozenset().union(*(self.tracer.behind(item) for item in join.items))
        return ("join", behind, frozenset(columns)) if columns else None

    def _rows(self, block: Block) -> Iterator[Fact]:
        """What a block says of its rows; its set operation, if it is the first branch of one."""
        found = [
            *said(block.query, self.tracer, block.relations),
            *named(block.query, block.relations),
        ]
        above = self._united.pop(id(block.query), None)
        if above is not None:
            found.extend(united(above, self.tracer.relations(above)))
        yield from (_of_rows(each, block) for each in found)

    def _fact(
        self,
        kind: FactKind,
        slot: Hashable,
        term: Expr,
        block: Block,
        node: exp.Expression,
        clause: str,
        name: str,
        reads: frozenset[Place],
        place: Place | None = None,
    ) -> Fact:
        value = self.terms.masked(term).digest.hex()
        return Fact(kind, slot, value, term, block, node, clause, name, reads, place)

    # --- readings

    def _readings(self, query: Query) -> tuple[Reading, ...]:
        """The readings of relations below a query, with what lies on each of them."""
        known = self._read.get(id(query))
        if known is None:
            self._read[id(query)] = ()  # one that reads itself
            parts = self.tracer.parts(query)
            if parts:
                found = tuple(chain.from_iterable(map(self._readings, parts)))
            else:
                found = self._own_readings(query)
            known = self._read[id(query)] = found[:MANY_READINGS]
        return known

    def _own_readings(self, query: Query) -> tuple[Reading, ...]:
        block = self._blocks.get(id(query))
        if block is None:
            return ()
        predicates = list(self._predicates(block))
        found: list[Reading] = []
        for item in query.inputs:
            own = [fact for fact, items in predicates if items == (item,)]
            for reading in self._below(item, block):
                about = [f for f in own if self._is_about(f, reading)]
                found.append(
                    Reading(
                        reading.relation,
                        reading.item,
                        reading.within,
                        (*reading.found, *about),
                        (*reading.way, block),
                    )
                )
        return tuple(found)

    def _below(self, item: Input, block: Block) -> tuple[Reading, ...]:
        inside = self._inside(item)
        called = item.query is not None and self.tracer.macros.called(item.query)
        own = (Reading(called, item, block, (), ()),) if called else ()
        if inside:
            return (*own, *chain.from_iterable(self._readings(query) for query, _ in inside))
        if item.relation is None:
            return ()
        return (Reading(self.tracer.base(item.relation), item, block, (), ()),)

    def _is_about(self, fact: Fact, reading: Reading) -> bool:
        """Whether a predicate tests columns of that relation and of no other."""
        assert fact.term is not None
        if any(isinstance(part, Agg) for part in parts(fact.term)):
            return False
        relations = self.terms.relations(fact.term)
        return relations == {reading.relation} or relations <= self.tracer.behind(reading.item)


def _of_rows(each: Said, block: Block) -> Fact:
    return Fact(each.kind, each.slot, each.value, None, block, each.node, "rows", "", frozenset(),
                text=each.text, keys=each.keys)  # fmt: skip
