"""What a statement does with a column where it reads it: the expression around the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from sqlglot import exp

from unwet.lineage.columns import Traced
from unwet.lineage.errors import RenderError
from unwet.lineage.findings import Span
from unwet.lineage.printing import render
from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.tracer import column_span

LONGEST = 200  # characters of a described expression
DESCRIBED = 3  # places of an edge, at most
# Source: OpenLineage's page of the facet: "`hash` for TRANSFORMATION and `count` for AGGREGATION".
_MASKING = frozenset({
    "approx_count_distinct", "approx_distinct", "checksum", "count", "count_big",
    "count_distinct", "count_if", "countif", "crc32", "farm_fingerprint", "hash", "hashbytes",
    "hll", "md5", "md5_digest", "md5_hex", "md5_number_lower64", "murmur_hash", "sha", "sha1",
    "sha1_digest", "sha1_hex", "sha2", "sha224", "sha256", "sha384", "sha512", "siphash64",
    "standard_hash", "xxhash64"
})  # fmt: skip


class Quote(Protocol):
    """A statement that reads something, as an event quotes it. `tables`: all that it reads, in the
    words of the source, those too of which no column is read."""

    @property
    def path(self) -> str: ...
    @property
    def dialect(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def tables(self) -> tuple[str, ...]: ...
    def description(self, at: Span) -> str: ...
    def masks(self, at: Span) -> bool: ...


@dataclass(frozen=True, slots=True)
class Quoted:
    """A quote without a tree: what was asked of one, kept."""

    path: str
    dialect: str
    query: str
    tables: tuple[str, ...]
    descriptions: Mapping[Span, str]
    masking: frozenset[Span]

    def description(self, at: Span) -> str:
        """As `Reads` gives it, where a column is read."""
        return self.descriptions.get(at, "")

    def masks(self, at: Span) -> bool:
        """As `Reads` gives it, where a column is read."""
        return at in self.masking


def quoted(resolved: Resolved, traced: Traced) -> Quoted | None:
    """All that events may quote of a statement; None when it reads nothing."""
    reads = Reads.of(resolved)
    if reads is None:
        return None
    edges = (*traced.direct, *traced.rows)
    described = {at: reads.description(at) for e in edges for at in e.spans[:DESCRIBED]}
    texts = {at: text for at, text in described.items() if text}
    places = {at for e in edges if e.type == "DIRECT" for at in e.spans}
    masking = frozenset(at for at in places if reads.masks(at))
    return Quoted(reads.path, reads.dialect, reads.query, reads.tables, texts, masking)


class Reads:
    """The places of one statement where a column is read; a `Quote` that looks when it is asked."""

    def __init__(self, resolved: Resolved, query: Query) -> None:
        self._statement = resolved.statement
        self._query = query
        self._texts: dict[int, str] = {}

    @classmethod
    def of(cls, resolved: Resolved) -> Reads | None:
        """The reads of a statement that has any."""
        return cls(resolved, resolved.query) if resolved.query is not None else None

    @property
    def path(self) -> str:
        """Of its source."""
        return self._statement.path

    @property
    def dialect(self) -> str:
        """In which it is written."""
        return self._statement.dialect

    @property
    def query(self) -> str:
        """Its text."""
        return self._statement.masked.restore(self._statement.text).strip()

    @property
    def tables(self) -> tuple[str, ...]:
        """Base tables, as the source calls them."""
        return tuple(map(self._statement.masked.restore, dict.fromkeys(_tables(self._query))))

    @cached_property
    def _nodes(self) -> dict[Span, exp.Expr]:
        nodes: dict[Span, exp.Expr] = {}
        for node in self._statement.tree.find_all(exp.Column):
            nodes.setdefault(column_span(self._statement, node), node)
        return nodes

    def description(self, at: Span) -> str:
        """The select item or the condition around a place, as one line of SQL; "" if unknown."""
        node = self._nodes.get(at)
        if node is None:
            return ""
        whole = _around(node).unalias()
        text = self._texts.get(id(whole))
        if text is None:
            text = self._texts[id(whole)] = self._text(whole)
        return text

    def masks(self, at: Span) -> bool:
        """Whether a hash or a count is all that is left of the value, in the query of the place."""
        node: exp.Expr | None = self._nodes.get(at)
        while node is not None and not isinstance(node, exp.Query):
            if isinstance(node, exp.Func) and _function(node) in _MASKING:
                return True
            node = node.parent
        return False

    def _text(self, node: exp.Expr) -> str:
        statement = self._statement
        if isinstance(node, exp.Column) and (written := _written(node)):
            return statement.masked.restore(statement.masked.text[written])
        try:
            text = render(node, statement.dialect, pretty=False, comments=False)
        except RenderError:  # the dialect has no words for it: the description is optional
            return ""
        text = statement.masked.restore(" ".join(text.split()))
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _tables(query: Query) -> Iterator[str]:
    """Base tables of a query and of all that it is made of; also those no column is read of."""
    seen: set[int] = set()
    waiting = [query]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield from (each.relation for each in one.inputs if each.relation)
        waiting += [each.query for each in one.inputs if each.query is not None]
        waiting += [*one.branches, *one.children.values()]


def _written(node: exp.Column) -> slice | None:
    """Where a column stands in the masked text; printing each of them anew costs a lot."""
    places = [part.meta for part in node.parts if "start" in part.meta]
    if not places or places[-1].get("end") is None:  # a joined name has no end
        return None
    return slice(places[0]["start"], places[-1]["end"] + 1)


def _around(node: exp.Expr) -> exp.Expr:
    """The largest expression around a node that is one item of its clause: a conjunct, a key."""
    clauses = (exp.Query, exp.Where, exp.Having, exp.Qualify, exp.Join, exp.Group, exp.Order)
    while (parent := node.parent) is not None and not isinstance(parent, clauses):
        if isinstance(parent, exp.And) and _is_condition(parent):
            break
        if isinstance(parent, exp.Update | exp.Delete | exp.Merge | exp.When | exp.Insert):
            break
        node = parent
    return node


def _is_condition(node: exp.Expr) -> bool:
    """Whether this AND is the top of a WHERE, HAVING or ON, not part of an expression."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Where | exp.Having | exp.Qualify | exp.Join)


def _function(node: exp.Func) -> str:
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    return node.sql_names()[0].lower() if node.sql_names() else ""
