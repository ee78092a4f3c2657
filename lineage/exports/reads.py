"""What a statement does with a column where it reads it: the expression around the place."""

from __future__ import annotations

from sqlglot import exp

from unwet.lineage.errors import RenderError
from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement, render
from unwet.lineage.tracer import column_span

LONGEST = 200  # characters of a described expression
# Source: OpenLineage's page of the facet: "`hash` for TRANSFORMATION and `count` for AGGREGATION".
_MASKING = frozenset({
    "approx_count_distinct", "approx_distinct", "checksum", "count", "count_big",
    "count_distinct", "count_if", "countif", "crc32", "farm_fingerprint", "hash", "hashbytes",
    "hll", "md5", "md5_digest", "md5_hex", "md5_number_lower64", "murmur_hash", "sha", "sha1",
    "sha1_digest", "sha1_hex", "sha2", "sha224", "sha256", "sha384", "sha512", "siphash64",
    "standard_hash", "xxhash64"
})  # fmt: skip


class Reads:
    """The places of one statement where a column is read."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._nodes: dict[Span, exp.Expr] = {}
        for node in statement.tree.find_all(exp.Column):
            self._nodes.setdefault(column_span(statement, node), node)
        self._texts: dict[int, str] = {}

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
