"""Where a part of a term stands in the SQL: the term may be spread over many query blocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.trees import is_inside
from unwet.rewrite.algebra import Expr
from unwet.rewrite.facts import Fact, Facts
from unwet.rewrite.terms import literals
from unwet.rewrite.tracing import Place


@dataclass(frozen=True, slots=True)
class Located:
    """A node of a fact's expression. `handed`: a column as another block gives it."""

    fact: Fact
    node: exp.Expression
    handed: bool = False

    @property
    def is_all(self) -> bool:
        """Whether the fact says nothing more than that column."""
        return self.handed and self.node is self.fact.node.unnest()

    @property
    def statement(self) -> Statement:
        """The statement that it stands in."""
        return self.fact.block.resolved.statement


class Whereabouts:
    """Finds the parts of the terms of one pile again."""

    def __init__(self, found: Facts) -> None:
        self._found, self._tracer, self._terms = found, found.tracer, found.tracer.terms
        self._said = {fact.place: fact for fact in found.facts if fact.place is not None}
        self._by_block: dict[int, set[tuple[Hashable, str]]] = defaultdict(set)
        for fact in found.facts:
            if not fact.is_bare:
                self._by_block[id(fact.block)].add((fact.slot, fact.value))

    def comes_from(self, fact: Fact, flagged: Container[Place | None]) -> bool:
        """Whether a fact is made of one of these outputs, directly or not."""
        stack, seen = list(fact.reads), set(fact.reads)
        while stack:
            place = stack.pop()
            if place in flagged:
                return True
            below = self._found.made_of.get(place, frozenset()) - seen
            seen |= below
            stack.extend(below)
        return False

    def located(
        self, fact: Fact, part: Expr, like: Fact | None = None, other: Expr | None = None
    ) -> Located | None:
        """Where a part of a fact's term stands, not as a part of `other`: in its expression, or in
        one that this is made of. Rather where the majority says it, in the expression with the
        slot of `like`; rather where something is made of it than where it is only handed on."""
        slot = like.slot if like is not None else None
        found = list(self._occurrences(fact, part, other))
        made = [each for each in found if not each.is_all]
        same = [each for each in made if each.fact.slot == slot]
        here = [each for each in found if not each.handed]
        role = [e for e in found if e.fact.slot == slot and like and self._share(e.fact, like)]
        ranked = [*same[:1], *here[:1], *role[:1], *made[:1], *found[:1]]
        return ranked[0] if ranked else None

    def _occurrences(self, fact: Fact, part: Expr, other: Expr | None) -> Iterator[Located]:
        """The nodes whose term is that part, in the fact's expression first."""
        todo, seen = [fact], {id(fact)}
        while todo:
            here = todo.pop()
            node = self._node(here, part, other)
            if node is not None:
                handed = here.is_bare or self._hands_on(here, node)
                yield Located(here, node, handed)
            below = [f for f in self._facts_below(here) if id(f) not in seen]
            seen |= {id(f) for f in below}
            todo.extend(reversed(below))

    def _share(self, one: Fact, other: Fact) -> bool:
        """Whether a block says most of what the other says."""
        wanted = {said for said in self._by_block[id(other.block)] if said[0] != other.slot}
        return 2 * len(wanted & self._by_block[id(one.block)]) >= max(1, len(wanted))

    def _facts_below(self, fact: Fact) -> Iterator[Fact]:
        """The outputs that a fact is made of, through branches and stars."""
        todo, seen = sorted(fact.reads), set(fact.reads)
        while todo:
            place = todo.pop(0)
            below = self._said.get(place)
            if below is not None:
                yield below
                continue
            more = sorted(self._found.made_of.get(place, frozenset()) - seen)
            seen.update(more)
            todo.extend(more)

    def _hands_on(self, fact: Fact, node: exp.Expression) -> bool:
        """Whether a node is a column that another block gives."""
        return isinstance(node, exp.Column) and any(
            self._tracer.reads(fact.block.query, node, fact.clause)
        )

    def _node(self, fact: Fact, part: Expr, other: Expr | None) -> exp.Expression | None:
        """The last and smallest node of a fact's expression whose term is that part."""
        found: exp.Expression | None = None
        wanted, masked = self._terms.masked(part), self._terms.masked(part) == part
        out = self._terms.masked(other) if other is not None else None
        todo: list[exp.Expr] = [fact.node]
        while todo:
            node = todo.pop()
            term = self._tracer.term(fact.block.query, node, fact.clause)
            said = self._terms.masked(term) if term is not None else None
            if said is not None and said == out and masked:
                continue
            if not isinstance(node, exp.Query):
                todo.extend(reversed(list(node.iter_expressions())))
            fits = said == wanted and term is not None
            if (
                fits
                and (masked or literals(term) == literals(part))
                and not _is_handed(node, found)
            ):
                found = node if isinstance(node, exp.Expression) else found
        return found


def _is_handed(node: exp.Expr, found: exp.Expression | None) -> bool:
    """Whether a node is only a column, and what was found beside it says it itself."""
    if found is None or isinstance(found, exp.Column) or not isinstance(node, exp.Column):
        return False
    return not is_inside(node, found)
