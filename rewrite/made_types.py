"""The types of the columns that CREATE TABLE ... AS SELECT makes, where they are certain.

A cast says its type, a declared column has its own, and so has what hands these on: subqueries,
CTEs, CASE and COALESCE of one type. COUNT, SUM, MIN, MAX, constants and predicates have the types
that the manuals give them (those named in `exact_numbers`; SQL Server, "Constants"; Snowflake,
"CREATE TABLE ... AS SELECT"). In PostgreSQL no function keeps the length of a text or the scale of
a number, in BigQuery no query does, and Spark and DuckDB know no longest texts. `arithmetic_types`
has sums, products and unions of exact numbers. Where the manuals say nothing no type is given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final

from sqlglot import exp
from sqlglot.errors import ParseError

from unwet.lineage.declared import origin
from unwet.lineage.scopes import Query, Ref
from unwet.rewrite.arithmetic_types import Operation, joined_type

_DEEP: Final = 30  # subqueries that hand a column on
_SPARK: Final = frozenset({"spark", "databricks"})
_TEXTS: Final = frozenset({exp.DType.TEXT, exp.DType.VARCHAR, exp.DType.CHAR, exp.DType.NCHAR,
                           exp.DType.NVARCHAR, exp.DType.BPCHAR})  # fmt: skip
_PLAIN: Final = frozenset({
    exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.DECIMAL,
    exp.DType.BIGDECIMAL, exp.DType.FLOAT, exp.DType.DOUBLE, exp.DType.BOOLEAN, exp.DType.BIT,
    exp.DType.DATE, exp.DType.DATETIME, exp.DType.DATETIME2, exp.DType.TIMESTAMP,
    exp.DType.TIMESTAMPTZ, exp.DType.TIMESTAMPNTZ, exp.DType.TIMESTAMPLTZ, exp.DType.UUID,
    *_TEXTS,
})  # fmt: skip
_INTEGERS: Final = frozenset({exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT,
                              exp.DType.BIGINT})  # fmt: skip
_COUNTS: Final = {
    **dict.fromkeys(("postgres", "duckdb", "spark", "databricks", "trino", "redshift"), "BIGINT"),
    "bigquery": "INT64",
    "tsql": "INT",
    "snowflake": "DECIMAL(18, 0)",
}  # and the dialects of which types are known
_SUMS: Final = {  # by dialect, of 32 and of 64 bits
    "postgres": ("BIGINT", "DECIMAL"),
    "redshift": ("BIGINT", "DECIMAL(38, 0)"),
    "bigquery": ("INT64", "INT64"),
    "tsql": ("INT", "BIGINT"),
    "trino": ("BIGINT", "BIGINT"),
    "spark": ("BIGINT", "BIGINT"),
    "databricks": ("BIGINT", "BIGINT"),
}
_WHOLE: Final = {
    **dict.fromkeys(("postgres", "duckdb", "spark", "databricks", "trino", "redshift", "tsql"),
                    "INT"),
    "bigquery": "INT64",
}  # fmt: skip
_FREE_TEXT: Final = {
    **dict.fromkeys(("postgres", "duckdb"), "TEXT"),
    **dict.fromkeys(("bigquery", "spark", "databricks"), "STRING"),
}
_LONGER: Final = frozenset({"tsql", "trino"})  # of several texts the longest one's length counts
_NUMBERED: Final = frozenset({"postgres", "duckdb", "tsql", "trino", "redshift"})
_PREDICATES: Final = (exp.Predicate, exp.Not, exp.Connector, exp.Boolean)
_NO_BOOLEANS: Final = frozenset({"tsql"})


def made_types(query: Query) -> tuple[str, ...]:
    """The certain types of a query's outputs as columns of a table; "" where one is not."""
    if query.dialect not in _COUNTS or not query.complete:
        return ()
    types = _Types(query.dialect)
    found = tuple(types.of_output(query, at, _DEEP) for at in range(len(query.outputs)))
    return found if any(found) else ()


class _Types:
    """The types of outputs and of expressions, in one dialect."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._known: dict[tuple[int, int], str] = {}  # by query and position

    def of_output(self, query: Query, at: int, deep: int) -> str:
        """The type of an output, by its position."""
        key = id(query), at
        if key not in self._known:
            self._known[key] = self._output(query, at, deep)
        return self._known[key]

    def _output(self, query: Query, at: int, deep: int) -> str:
        if not deep or query.recursive:
            return ""
        if query.branches:
            return self._of_branches([self.of_output(e, at, deep - 1) for e in query.branches])
        if at >= len(query.outputs):
            return ""
        output = query.outputs[at]
        if output.star is not None:
            item, column = output.star
            ref = Ref(item, column, 0, "certain")
            return self._of_column(ref, deep) if not output.also else ""
        if output.expression is None or output.reads:
            return ""
        return self._of(query, output.expression, deep - 1)

    def _of(self, query: Query, node: exp.Expr, deep: int) -> str:
        if not deep:
            return ""
        match node:
            case exp.Window(this=exp.RowNumber() | exp.Rank() | exp.DenseRank()):
                return "BIGINT" if self._dialect in _NUMBERED else ""
            case exp.Window(this=exp.Count() | exp.Sum() | exp.Min() | exp.Max()):
                return self._of(query, node.this, deep - 1)
            case exp.Paren() | exp.Alias() | exp.Filter():
                return self._of(query, node.this, deep - 1)
            case exp.Column():
                return self._of_column(query.find(node, "select"), deep)
            case exp.Cast() if not node.args.get("format"):
                return self._clean(node.to)
            case exp.Literal():
                return self._of_constant(node)
            case exp.National() if self._dialect == "tsql":
                return f"NVARCHAR({max(1, len(node.name))})"
            case exp.Case():
                parts = [each.args["true"] for each in node.args["ifs"]]
                return self._of_one(query, [*parts, node.args.get("default")], deep)
            case exp.If():
                parts = [node.args.get("true"), node.args.get("false")]
                return self._of_one(query, parts, deep)
            case exp.Coalesce() if not node.args.get("is_null"):
                return self._of_one(query, [node.this, *node.expressions], deep)
            case exp.Count():
                long = self._dialect == "tsql" and node.args.get("big_int")
                return "BIGINT" if long else _COUNTS[self._dialect]
            case exp.Sum():
                return self._of_sum(self._of(query, _first(node), deep - 1))
            case exp.Min() | exp.Max() if not node.expressions:
                return self._through(self._of(query, node.this, deep - 1))
            case exp.CurrentDate():
                return "DATE"
            case exp.Add() | exp.Sub() | exp.Mul():
                how: Operation = "mul" if isinstance(node, exp.Mul) else "add"
                sides = [self._of(query, each, deep - 1) for each in (node.this, node.expression)]
                return self._joined(sides[0], sides[1], how)
            case exp.Neg(this=exp.Literal()):
                return self._of(query, node.this, deep - 1)
            case _:
                plain = isinstance(node, _PREDICATES) and self._dialect not in _NO_BOOLEANS
                return "BOOLEAN" if plain and not isinstance(node, exp.Query) else ""

    def _of_column(self, ref: Ref, deep: int) -> str:
        found = origin(ref) if deep and ref.certainty == "certain" else None
        if found is None:
            return ""
        source, at = found
        if isinstance(source, Query):
            return self.of_output(source, at, deep - 1)
        return self._declared(source.columns[at].type) if source.origin in ("ddl", "schema") else ""

    def _declared(self, text: str) -> str:
        """The type of a column that is declared so."""
        kind = self._built(text)
        if kind is None or (self._dialect in _SPARK and kind.this in _TEXTS and kind.expressions):
            return ""  # whether a longest text is kept, no manual says
        return self._clean(kind)

    def _built(self, text: str) -> exp.DataType | None:
        try:
            return exp.DataType.build(text, dialect=self._dialect) if text else None
        except (ParseError, ValueError):
            return None

    def _clean(self, kind: exp.DataType) -> str:
        """The type of a column that is made of values of this type."""
        if kind.this not in _PLAIN or kind.args.get("nested") or kind.find(exp.Identifier):
            return ""
        free = _FREE_TEXT.get(self._dialect, "")
        if self._dialect in ("duckdb", *_SPARK) and kind.this in _TEXTS:
            return free
        if self._dialect == "bigquery" and kind.expressions:
            kind = exp.DataType(this=kind.this)
        return kind.sql(dialect=self._dialect).upper()

    def _of_constant(self, node: exp.Literal) -> str:
        text = str(node.this)
        if node.is_string:
            if self._dialect in _LONGER | {"snowflake"}:
                return f"VARCHAR({max(1, len(text))})"
            return _FREE_TEXT.get(self._dialect, "")
        plain = text.isdecimal() and int(text) < 1 << 31
        if plain and self._dialect == "snowflake":
            return f"DECIMAL({len(str(int(text)))}, 0)"
        return _WHOLE.get(self._dialect, "") if plain else ""

    def _of_one(self, query: Query, parts: Sequence[exp.Expr | None], deep: int) -> str:
        """Of what is one of several values; NULL, which nobody need say, is of the type of the
        others, but for its length."""
        told = [each for each in parts if each is not None]
        values = [each for each in told if not isinstance(each.unnest(), exp.Null)]
        found = self._one(self._of(query, each, deep - 1) for each in values)
        return found if len(values) == len(parts) else self._through(found)

    def _one(self, found: Iterable[str]) -> str:
        """The type that all have; the longest text, where a dialect says so."""
        kinds = {*found}
        if "" in kinds or not kinds:
            return ""
        if len(kinds) == 1:
            return kinds.pop()
        heads = {kind.partition("(")[0] for kind in kinds}
        if self._dialect not in _LONGER or heads not in ({"VARCHAR"}, {"NVARCHAR"}):
            return ""
        lengths = [kind.partition("(")[2].rstrip(")") for kind in kinds]
        if not all(each.isdigit() for each in lengths):
            return ""
        return f"{heads.pop()}({max(map(int, lengths))})"

    def _of_branches(self, found: Sequence[str]) -> str:
        """The type of a column of a UNION; of integers and decimals that of both."""
        same = self._one(found)
        return same or (reduce(lambda a, b: self._joined(a, b, "union"), found) if found else "")

    def _joined(self, one: str, other: str, how: Operation) -> str:
        kinds = self._built(one), self._built(other)
        if kinds[0] is None or kinds[1] is None:
            return ""
        return joined_type(kinds[0], kinds[1], how, self._dialect)

    def _of_sum(self, of: str) -> str:
        kind = self._built(of)
        sums = _SUMS.get(self._dialect)
        if kind is None or kind.this not in (*_INTEGERS, exp.DType.DECIMAL):
            return ""
        if kind.this in _INTEGERS:
            return (sums[kind.this is exp.DType.BIGINT]) if sums else ""
        return self._sum_of_decimals(kind)

    def _sum_of_decimals(self, kind: exp.DataType) -> str:
        digits = [each.name for each in kind.expressions]
        if self._dialect in ("postgres", "bigquery"):
            return "NUMERIC" if self._dialect == "bigquery" else "DECIMAL"
        if len(digits) != 2 or not all(each.isdigit() for each in digits):
            return ""
        if self._dialect in _SPARK:
            return f"DECIMAL({min(38, int(digits[0]) + 10)}, {digits[1]})"
        known = self._dialect in ("duckdb", "tsql", "trino", "redshift", "snowflake")
        return f"DECIMAL(38, {digits[1]})" if known else ""

    def _through(self, of: str) -> str:
        """Of the least and the greatest of such values, and of such values beside NULL."""
        if self._dialect != "postgres" or "(" not in of:
            return of
        kind = self._built(of)
        if kind is None or kind.this is not exp.DType.DECIMAL:
            return "TEXT" if kind is not None and kind.this is exp.DType.VARCHAR else ""
        return "DECIMAL"


def _first(node: exp.Expr) -> exp.Expr:
    """What is summed, also where each value counts once."""
    inner: exp.Expr = node.this
    if isinstance(inner, exp.Distinct) and len(inner.expressions) == 1:
        inner = inner.expressions[0]
    return inner
