"""Expressions traced down to base columns: through CTEs, subqueries, temporary tables, and the
tables and views that other statements of the pile make. So a definition is the same term whether
it stands in one query or is spread over five.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_token
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Input, Output, Query, Ref, Resolved
from unwet.rewrite.algebra import Call, Col, Expr, Lit, Param
from unwet.rewrite.macros import Macros
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.terms import Terms, union

MANY_WRITERS: Final = 12  # a table that more statements fill is taken as it is
_DATE: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?:[_-]?\d\d){0,2}(?!\d)")
_WRITES: Final = frozenset({"ctas", "view", "select_into", "insert"})

Place = tuple[int, int]  # number of a query, position of one of its outputs


def undated(relation: str) -> str:
    """A table's name without its date: pages_2023_07_01 and pages_2024_06_01 are copies."""
    return _DATE.sub("*", relation)


@dataclass(frozen=True, slots=True)
class Source:
    """One query that makes (a part of) what an item of FROM reads; `names` are its columns as
    the reader calls them, `resolved` is its statement when it is another one than the reader's."""

    query: Query
    names: tuple[str, ...]
    resolved: Resolved | None = None


class Tracer:
    """Traces the expressions of one pile."""

    def __init__(self, pile: Pile) -> None:
        self.terms = Terms()
        self.macros = Macros(pile)
        self._pile = pile
        self._writers = _writers(pile)
        self._sources: dict[str, tuple[Source, ...]] = {}
        self._outputs: dict[Place, tuple[Query, Expr]] = {}
        self._open: set[Place] = set()
        self._numbers: dict[int, int] = {}
        self._relations: dict[int, tuple[Query, frozenset[str]]] = {}

    def place(self, query: Query, at: int) -> Place:
        """An output as a value; queries are numbered as they are met, the same on every run."""
        return self._numbers.setdefault(id(query), len(self._numbers)), at

    # --- what is read

    def sources(self, item: Input) -> tuple[Source, ...]:
        """The queries behind an item of FROM; none for a base table."""
        if item.query is not None:
            known = item.columns or tuple(output.name for output in item.query.outputs)
            return (Source(item.query, known),)
        return self.writers(item.relation) if item.relation else ()

    def writers(self, relation: str) -> tuple[Source, ...]:
        """The queries of the pile that make a relation, unless they are too many to follow."""
        known = self._sources.get(relation)
        if known is None:
            found = self._writers.get(relation, [])
            made = [_written(resolved, found[0], self._pile) for resolved in found]
            known = tuple(made) if len(made) <= MANY_WRITERS else ()
            self._sources[relation] = known
        return known

    def relations(self, query: Query) -> frozenset[str]:
        """The base relations behind a query's FROM."""
        known = self._relations.get(id(query))
        if known is None:
            self._relations[id(query)] = (query, frozenset())  # one that reads itself
            found = [self.behind(item) for item in query.inputs]
            found += [self.relations(each) for each in self.parts(query)]
            called = self.macros.called(query)
            found += [frozenset([called])] if called is not None else []
            known = self._relations[id(query)] = (query, frozenset().union(*found))
        return known[1]

    def parts(self, query: Query) -> tuple[Query, ...]:
        """The branches of a set operation; the CTEs that a macro reads."""
        return (*query.branches, *self.macros.handed(query))

    def behind(self, item: Input) -> frozenset[str]:
        """The base relations behind one item of FROM."""
        sources = self.sources(item)
        if sources:
            return frozenset().union(*(self.relations(source.query) for source in sources))
        return frozenset([self.base(item.relation) if item.relation else f"({item.node.key})"])

    def base(self, relation: str) -> str:
        """What a base relation is called where copies are compared."""
        return undated(self.macros.relation(relation))

    # --- terms

    def term(self, query: Query, node: exp.Expr, clause: str) -> Expr | None:
        """The term of an expression in a clause of a query; None where it is not understood."""
        try:
            made = encode(node, lambda part: self._leaf(query, part, clause), query.dialect)
        except (Unsupported, RecursionError):
            return None
        return None if self.terms.is_large(made) else self.terms.spelled(made)

    def output(self, query: Query, at: int) -> Expr:
        """The term of an output of a query; a column of its own where it is not understood."""
        place = self.place(query, at)
        known = self._outputs.get(place)
        if known is None:
            made = None
            if place not in self._open:
                self._open.add(place)
                made = self._output(query, at)
                self._open.discard(place)
            if made is None:
                name = query.outputs[at].name if at < len(query.outputs) else str(at)
                made = self.terms.column(f"({len(self._outputs)})", name)
            known = self._outputs[place] = (query, made)
        return known[1]

    def is_instant(self, term: Expr) -> bool:
        """Whether a term is surely a point in time, not a day."""
        match term:
            case Col(index=at):
                relation, name = self.terms.names[at]
                kind = self._pile.catalog.type_of(relation, name)
                return kind.upper().startswith(("TIMESTAMP", "DATETIME"))
            case Call(op="cast" | "trycast", shape=(_, kind)):
                return kind.startswith(("to:timestamp", "to:datetime"))
            case Call(op="attimezone" | "currenttimestamp"):
                return True
            case _:
                return False

    def reads(self, query: Query, node: exp.Expr, clause: str) -> Iterator[Place]:
        """The outputs of other queries that an expression reads directly."""
        for column in node.find_all(exp.Column):
            ref = query.find(column, clause)
            for each in ref.merged or (ref,):
                if each.alias is not None and each.input is None:
                    if each.alias in query.outputs:
                        yield self.place(query, query.outputs.index(each.alias))
                elif each.input is not None:
                    yield from self._places(each.input, each.column)

    def passed(self, output: Output) -> Iterator[Place]:
        """What an output behind a star hands on."""
        if output.star is not None:
            yield from self._places(*output.star)

    def _places(self, item: Input, column: str) -> Iterator[Place]:
        for source in self.sources(item):
            if column in source.names:
                yield self.place(source.query, source.names.index(column))

    def _output(self, query: Query, at: int) -> Expr | None:
        if query.branches:
            made = [self.output(branch, at) for branch in query.branches]
            return self.terms.spelled(union(_united(made)))
        if at >= len(query.outputs):
            return None
        output = query.outputs[at]
        if output.star is not None:
            return self._column(*output.star)
        if output.expression is None or output.reads:
            return None
        return self.term(query, output.expression, "select")

    def _column(self, item: Input, column: str) -> Expr:
        sources = self.sources(item)
        made = [
            self.output(source.query, source.names.index(column))
            for source in sources
            if column in source.names
        ]
        if made:
            return made[0] if len(made) == 1 else union(_united(made))
        return self.terms.column(self._owner(item), column)

    def _owner(self, item: Input) -> str:
        """The relation that a column is of which no query behind an item is known to make."""
        if item.relation:
            return self.base(item.relation)
        called = item.query is not None and self.called(item.query)
        return called or f"({item.node.key} {item.alias})"

    def called(self, query: Query) -> str | None:
        """The macro that a query calls, or that it hands on the columns of as they are."""
        found = self.macros.called(query)
        if found is None and query.open and len(query.inputs) == 1:
            below = query.inputs[0].query
            return self.called(below) if below is not None else None
        return found

    def _leaf(self, query: Query, node: exp.Expr, clause: str) -> Expr | None:
        match node:
            case exp.Column():
                return self._reference(query, node, clause)
            case exp.Subquery() | exp.Exists() | exp.Query():
                return self._subquery(query, node, ())
            case exp.In() if node.args.get("query") is not None:
                tested = encode(node.this, lambda part: self._leaf(query, part, clause))
                return self._subquery(query, node, (tested,))
            case _:
                return None

    def _reference(self, query: Query, node: exp.Column, clause: str) -> Expr:
        ref = query.find(node, clause)
        if ref.alias is not None and ref.input is None and ref.alias in query.outputs:
            return self.output(query, query.outputs.index(ref.alias))
        if ref.merged:
            sides = [self._meant(each) for each in ref.merged]
            return Call("coalesce", tuple(sides), ("this", f"expressions*{len(sides) - 1}"))
        return self._meant(ref)

    def _meant(self, ref: Ref) -> Expr:
        if ref.input is None:  # a placeholder stands for a constant
            return Lit("string", ref.column) if is_token(ref.column) else Param(ref.column)
        found = self._column(ref.input, ref.column)
        return Call("field", (found,), ref.path) if ref.path else found

    def _subquery(self, query: Query, node: exp.Expr, tested: tuple[Expr, ...]) -> Expr:
        """A query inside an expression: by what it reads. Its own parts are compared apart."""
        inner = next((n for n in node.find_all(exp.Query) if not isinstance(n, exp.Subquery)), None)
        if inner is None or not isinstance(inner, exp.Expression):
            raise Unsupported(f"{node.key} over no query")
        nested = query.nested(inner)
        names = tuple(sorted(self.relations(nested)))
        first = (self.output(nested, 0),) if nested.outputs and node.key != "exists" else ()
        return Call("query", (*tested, *first), (node.key, *names))


def _united(terms: Iterable[Expr]) -> list[Expr]:
    """Branches of branches are branches."""
    found: list[Expr] = []
    for term in terms:
        found.extend(term.args if isinstance(term, Call) and term.op == "union" else (term,))
    return found


def _writers(pile: Pile) -> dict[str, list[Resolved]]:
    found: dict[str, list[Resolved]] = {}
    for resolved in pile.resolved:
        if resolved.kind in _WRITES and resolved.target and resolved.query is not None:
            found.setdefault(resolved.target, []).append(resolved)
    return found


def _written(resolved: Resolved, first: Resolved, pile: Pile) -> Source:
    """A statement's query under the names of the table that it fills, by position."""
    query = resolved.query
    assert query is not None
    own: Sequence[str] = [output.name for output in query.outputs]
    if resolved.target_columns is not None:
        own = resolved.target_columns
    elif resolved.kind == "insert":
        table = pile.catalog.get(resolved.target or "")
        if table is not None and table.closed:
            own = table.names
        elif first.query is not None:
            own = [output.name for output in first.query.outputs]
    return Source(query, tuple(own), resolved)
