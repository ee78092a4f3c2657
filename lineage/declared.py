"""Values whose type is certain: from declarations and casts, through subqueries and CTEs.

A flag that is declared BOOLEAN makes `x = TRUE`, `x <> FALSE` and `x` one test; a column that is
declared DATE makes the text in `x >= '2024-01-31'` a date. Where no type is declared nothing is
said, and the wordings stay apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from sqlglot import exp

from unwet.lineage.scopes import Query, Ref
from unwet.lineage.tables import Table

Declared = Literal["boolean", "date", ""]

_DEEP: Final = 30  # subqueries that hand a column on
_KINDS: Final[dict[str, Declared]] = {"BOOLEAN": "boolean", "BOOL": "boolean", "DATE": "date"}
_PRINTED: Final = (exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.USERDEFINED)
_ISO: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_PREDICATES: Final = (exp.Predicate, exp.Not, exp.Connector, exp.Boolean)
# Where a date meets a text, another engine may compare texts, or read the text by its settings
# (SQLite has no dates; Oracle: NLS_DATE_FORMAT; Hive before 2.0 compares texts).
_OTHERWISE: Final = frozenset(
    {"sqlite", "oracle", "hive", "clickhouse", "trino", "presto", "athena"}
)
_ANY_NUMBER: Final = frozenset({"mysql", "sqlite"})  # in a BOOLEAN


def declared(query: Query, node: exp.Expr, clause: str) -> Declared:
    """The certain type of an expression in a clause of a query; "" where none is."""
    return Types().of(query, node, clause)


def output_types(query: Query, known: Types | None = None) -> tuple[str, ...]:
    """The certain types of a query's outputs, as a declaration says them; "" where none is.
    ``known``: what is known of those of other parts of the same statement."""
    types = known or Types()
    return tuple(types.of_output(query, at).upper() for at in range(len(query.outputs)))


def origin(ref: Ref) -> tuple[Query | Table, int] | None:
    """The query or the table that a column is handed on from as it is, and its position there."""
    item = ref.input
    if item is None or ref.path or ref.merged or ref.alias is not None:
        return None
    if item.node.args.get("pivots"):
        return None
    if item.query is not None:
        at = item.index.get(ref.column)
        return (item.query, at) if at is not None else None
    table = item.table
    at = table.index.get(ref.column) if table is not None else None
    if table is None or at is None or item.node.alias_column_names:
        return None  # t AS q (b, a): the names are those of other columns
    return table, at


class Types:
    """The types of the outputs of one statement's queries, each found out once. To be asked when
    the statement is resolved to the end."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Declared] = {}  # by query and position

    def of(self, query: Query, node: exp.Expr, clause: str, deep: int = _DEEP) -> Declared:
        """The certain type of an expression in a clause of a query; "" where none is."""
        match node:
            case exp.Paren():
                return self.of(query, node.this, clause, deep)
            case exp.Column():
                return self._of_column(query, query.find(node, clause), deep)
            case exp.Cast() if query.dialect == "tsql" and bit(node) is not None:
                return "boolean"
            case exp.Cast() if not node.args.get("format"):
                kind = _kind(node.to)
                return "" if kind == "boolean" and query.dialect in _ANY_NUMBER else kind
            case exp.Coalesce():
                parts = (node.this, *node.expressions)
                return _common(self.of(query, each, clause, deep) for each in parts)
            case exp.CurrentDate():
                return "date"
            case _:
                return "boolean" if isinstance(node, _PREDICATES) else ""

    def of_output(self, query: Query, at: int, deep: int = _DEEP) -> Declared:
        """The type of an output, by its position."""
        key = id(query), at
        if key not in self._known:
            self._known[key] = self._output(query, at, deep)
        return self._known[key]

    def _output(self, query: Query, at: int, deep: int) -> Declared:
        if query.branches:
            if not deep:
                return ""
            return _common(self.of_output(branch, at, deep - 1) for branch in query.branches)
        if at >= len(query.outputs) or query.recursive:
            return ""
        output = query.outputs[at]
        if output.star is not None:
            item, column = output.star
            ref = Ref(item, column, 0, "certain")
            return self._of_column(query, ref, deep) if not output.also else ""
        if output.expression is None or output.reads:
            return ""
        return self.of(query, output.expression, "select", deep - 1)

    def _of_column(self, query: Query, ref: Ref, deep: int) -> Declared:
        found = origin(ref) if deep and ref.certainty in ("certain", "inferred") else None
        if found is None:
            return ""
        source, at = found
        if isinstance(source, Query):
            return self.of_output(source, at, deep - 1)
        kind = _KINDS.get(source.columns[at].type.upper(), "")
        return "" if kind == "boolean" and query.dialect in _ANY_NUMBER else kind


class FlagTest(NamedTuple):
    """`tested` is said to be `value`; `null`: what the test is for NULL, None for NULL itself."""

    tested: exp.Expr
    value: bool
    null: bool | None = None


def bit(node: exp.Expr) -> bool | None:
    """Which flag CAST(0 AS BIT) or CAST(1 AS BIT) is, where these are flags; None for others."""
    match node:
        case exp.Cast(this=exp.Literal(this="0" | "1" as digit), to=exp.DataType(this=kind)):
            plain = kind == exp.DType.BIT and not node.this.is_string
            return digit == "1" if plain else None
        case _:
            return None


def flag_test(node: exp.Expr, dialect: str = "") -> FlagTest | None:
    """x = TRUE, x <> TRUE, NOT x, x IS NOT TRUE ... where x is no predicate; in T-SQL, which has no
    words for flags, x = 1 and the like."""
    if dialect == "tsql" and (found := _bit_test(node)) is not None:
        return found
    match node:
        case exp.Not(this=exp.Is(this=tested, expression=exp.Boolean(this=value))):
            found = FlagTest(tested, not value, True)
        case exp.Is(this=tested, expression=exp.Boolean(this=value)):
            found = FlagTest(tested, bool(value), False)
        case exp.NullSafeEQ(this=tested, expression=exp.Boolean(this=value)):
            found = FlagTest(tested, bool(value), False)
        case exp.NullSafeNEQ(this=tested, expression=exp.Boolean(this=value)):
            found = FlagTest(tested, not value, True)
        case exp.Not(this=tested):
            found = FlagTest(tested, False)
        case exp.EQ(this=tested, expression=exp.Boolean(this=value)):
            found = FlagTest(tested, bool(value))
        case exp.EQ(this=exp.Boolean(this=value), expression=tested):
            found = FlagTest(tested, bool(value))
        case exp.NEQ(this=tested, expression=exp.Boolean(this=value)):
            found = FlagTest(tested, not value)
        case exp.NEQ(this=exp.Boolean(this=value), expression=tested):
            found = FlagTest(tested, not value)
        case _:
            return None
    tested = found.tested.unnest()
    return None if isinstance(tested, _PREDICATES) else found._replace(tested=tested)


def _bit_test(node: exp.Expr) -> FlagTest | None:
    """x = 1, x <> 1, NOT x = 1 ...: if x is a flag, it is 0, 1 or NULL."""
    match node:
        case exp.Not(this=inner):
            found = _bit_test(inner.unnest())
            return found._replace(value=not found.value) if found is not None else None
        case exp.EQ() | exp.NEQ():
            for tested, digit in ((node.this, node.expression), (node.expression, node.this)):
                if isinstance(digit, exp.Literal) and digit.this in ("0", "1"):
                    value = (digit.this == "1") is isinstance(node, exp.EQ)
                    tested = tested.unnest()
                    plain = not digit.is_string and not isinstance(tested, _PREDICATES)
                    return FlagTest(tested, value) if plain else None
    return None


def is_tested(node: exp.Column) -> bool:
    """Is the column a condition by itself?"""
    parent: exp.Expr | None = node.parent
    child: exp.Expr = node
    while isinstance(parent, exp.Paren):
        child, parent = parent, parent.parent
    match parent:
        case exp.And() | exp.Or() | exp.Where() | exp.Having() | exp.Qualify():
            return True
        case exp.If():
            return parent.this is child and not (
                isinstance(parent.parent, exp.Case) and parent.parent.this is not None
            )
        case exp.Join():
            return parent.args.get("on") is child
        case _:
            return False


def is_date_text(query: Query, node: exp.Literal, clause: str) -> bool:
    """Is it the text of a day that is compared with a date?"""
    if query.dialect in _OTHERWISE or not node.is_string or not _ISO.fullmatch(node.this):
        return False
    return any(declared(query, each, clause) == "date" for each in _compared_with(node))


def _compared_with(node: exp.Expr) -> tuple[exp.Expr, ...]:
    parent = node.parent
    match parent:
        case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            return (parent.expression if parent.this is node else parent.this,)
        case exp.Between() if node is not parent.this:
            return (parent.this,)
        case exp.In() if node is not parent.this and not parent.args.get("unnest"):
            return (parent.this,)
        case _:
            return ()


def _common(found: Iterable[Declared]) -> Declared:
    """The type that all have."""
    kinds = {*found}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind(to: exp.DataType) -> Declared:
    # most are of other kinds, and printing them is slow
    return _KINDS.get(to.sql().upper(), "") if to.this in _PRINTED else ""
