"""Everything that a pile says in expressions, with the names that columns have where they are read,
and with what these are computed from.

Each expression is known as two terms over columns that are told apart by name only: ``written``,
with the names of its own block, and ``traced``, with base columns for whatever CTEs, subqueries
and other statements compute (``tracing``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from unwet.lineage.names import is_token
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.algebra import Col, Expr, Param
from unwet.rewrite.matching import ANY
from unwet.rewrite.predicates import conjuncts
from unwet.rewrite.reads import blocks
from unwet.rewrite.rules.refs import rebuild
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.terms import Terms
from unwet.rewrite.tracing import Tracer


@dataclass(frozen=True, slots=True, eq=False)
class Saying:
    """An expression in a clause of a query; ``name`` and ``at`` are those of an output."""

    resolved: Resolved
    query: Query
    node: exp.Expression
    clause: str
    label: str
    name: str = ""
    at: int = -1

    @property
    def is_bare(self) -> bool:
        """Whether it hands on a column as it is."""
        return isinstance(self.node, exp.Column)


def sayings(pile: Pile) -> Iterator[Saying]:
    """All outputs and conditions of all statements, in the order of the statements."""
    for resolved in pile.resolved:
        if resolved.query is None:
            continue
        labels = _labels(resolved, resolved.query)
        for query in blocks(resolved.query):
            label = labels.get(id(query), "")
            if query.branches:
                continue  # its branches say it
            for at, output in enumerate(query.outputs):
                if output.star is None and output.expression is not None:
                    node = output.expression
                    yield Saying(resolved, query, node, "select", label, output.name, at)
            for node, clause in conjuncts(query):
                yield Saying(resolved, query, node, clause, label)


def _labels(resolved: Resolved, root: Query) -> dict[int, str]:
    """What the blocks of a statement are called: its target, CTEs, aliases of subqueries."""
    restore = resolved.statement.masked.restore
    found: dict[int, str] = {}
    named: dict[int, str] = {}  # a CTE keeps its name, whatever its readers call it
    stack = [(root, restore(resolved.target or ""))]
    while stack:
        query, label = stack.pop()
        if id(query) in found:
            continue
        label = found[id(query)] = named.get(id(query), label)
        named |= {id(cte): restore(name) for name, cte in query.ctes.items()}
        stack += ((branch, label) for branch in query.branches)
        stack += ((cte, named[id(cte)]) for cte in query.ctes.values())
        stack += ((i.query, restore(i.alias)) for i in query.inputs if i.query is not None)
    return found


class Words:
    """The terms of one pile's sayings, over columns by name."""

    def __init__(self, pile: Pile) -> None:
        self.tracer = Tracer(pile)
        self.terms = Terms()
        self._renamed: dict[bytes, Expr] = {}
        self._marks = 0

    def plain(self, node: exp.Expr) -> Expr | None:
        """The term of an expression with its own names; None where it is not understood."""
        try:
            made = encode(node, self._leaf)
        except (Unsupported, RecursionError):
            return None
        return None if self.terms.is_large(made) else self.terms.spelled(made)

    def written(self, saying: Saying) -> Expr | None:
        """With the names of its own block."""
        return self.plain(saying.node)

    def base(self, saying: Saying) -> Expr | None:
        """Over base columns, which the tracer's terms know."""
        if saying.at >= 0:
            return self.tracer.output(saying.query, saying.at)
        return self.tracer.term(saying.query, saying.node, saying.clause)

    def traced(self, saying: Saying) -> Expr | None:
        """Over the names of base columns."""
        base = self.base(saying)
        return None if base is None else rebuild(base, self._by_name, self._renamed)

    def _by_name(self, part: Expr) -> Expr:
        if not isinstance(part, Col):
            return part
        return self.terms.column("", self.tracer.terms.names[part.index][1])

    def _leaf(self, node: exp.Expr) -> Expr | None:
        if isinstance(node, exp.Placeholder):
            self._marks += 1  # two of them may stand for two constants
            return Param(f"{ANY}{self._marks}")
        if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
            return None
        name = node.name.lower()
        return Param(name) if is_token(name) else self.terms.column("", name)
