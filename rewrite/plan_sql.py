"""A plan as SQL text that runs: one SELECT per node, tables ``t0 ...``, columns ``c0 ...``.

For laws, proofs and debugging; nobody reads it. A relation without columns has one dummy column
``z``, as SQL knows no rows without columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import assert_never

from sqlglot import exp

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Opaque,
    Outer,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Unnest,
    Values,
    Window,
    parts,
    width,
)
from unwet.rewrite.scalars import decode


def to_sql(rel: Rel | Plan, dialect: str = "duckdb") -> str:
    """SQL that returns the rows of a relation under the names c0, c1 ..., or those of a plan under
    its own names and in its order. Raises nothing of its own; the engine judges the rest."""
    writer = _Writer(dialect)
    if not isinstance(rel, Plan):
        return writer.select(rel, ())
    table = writer.table(rel.rel, ())
    outputs = [f"{table.name}.c{i} AS {_quoted(n)}" for i, n in enumerate(rel.names)]
    text = f"SELECT {', '.join(outputs) or '1 AS z'} FROM {table.sql}"
    return text + writer.order_by(rel.order, (table.columns,))


Columns = Sequence[str]  # the SQL of each column a node's expressions see
Scopes = tuple[Columns, ...]  # innermost first

_SET_WORDS = {
    "union_all": "UNION ALL",
    "intersect": "INTERSECT",
    "intersect_all": "INTERSECT ALL",
    "except": "EXCEPT",
    "except_all": "EXCEPT ALL",
}
_OUTER_WORDS = {"left": "LEFT JOIN", "full": "FULL JOIN"}


class _Table:
    """A relation in a FROM clause."""

    __slots__ = ("columns", "name", "sql")

    def __init__(self, name: str, body: str, size: int) -> None:
        self.name = name
        self.sql = f"({body}) AS {name}"
        self.columns = [f"{name}.c{i}" for i in range(size)]


class _Writer:
    """Writes one statement; numbers its tables. ``outer`` is the scopes of enclosing queries."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.numbers = count()

    def table(self, rel: Rel, outer: Scopes) -> _Table:
        name = f"t{next(self.numbers)}"
        return _Table(name, self.select(rel, outer), width(rel))

    def select(self, rel: Rel, outer: Scopes) -> str:
        match rel:
            case Scan(table=name, columns=columns):
                return f"SELECT {_named(map(_quoted, columns))} FROM {_table_name(name)}"
            case Values():
                return self.values(rel, outer)
            case Filter(input=inner, conjuncts=conjuncts):
                table = self.table(inner, outer)
                test = self.conjunction(conjuncts, (table.columns, *outer))
                return f"SELECT {_named(table.columns)} FROM {table.sql} WHERE {test}"
            case Project(input=Values(rows=((),)), exprs=exprs):
                return f"SELECT {_named(self.exprs(exprs, ((), *outer)))}"
            case Project(input=inner, exprs=exprs):
                table = self.table(inner, outer)
                outputs = self.exprs(exprs, (table.columns, *outer))
                return f"SELECT {_named(outputs)} FROM {table.sql}"
            case Join():
                return self.join(rel, outer)
            case Aggregate():
                return self.aggregate(rel, outer)
            case Window(input=inner, functions=functions):
                table = self.table(inner, outer)
                added = self.exprs(functions, (table.columns, *outer))
                return f"SELECT {_named([*table.columns, *added])} FROM {table.sql}"
            case Unnest():
                return self.unnest(rel, outer)
            case SetOp(kind=kind, inputs=inputs):
                return f" {_SET_WORDS[kind]} ".join(f"({self.select(i, outer)})" for i in inputs)
            case Distinct(input=inner):
                table = self.table(inner, outer)
                return f"SELECT DISTINCT {_named(table.columns)} FROM {table.sql}"
            case Sort():
                return self.sort(rel, outer)
            case Opaque():
                return self.opaque(rel, outer)
            case _:
                assert_never(rel)

    def unnest(self, rel: Unnest, outer: Scopes) -> str:
        """The element and its position, from lists that DuckDB unnests side by side."""
        table, row = self.table(rel.input, outer), f"t{next(self.numbers)}"
        (array,) = self.exprs((rel.array,), (table.columns, *outer))
        added = [f"{row}.e", *([f"{row}.i"] if rel.ordinal else [])]
        position = f", UNNEST(RANGE(LEN({array}))) AS i" if rel.ordinal else ""
        inner = f"SELECT UNNEST({array}) AS e{position}"
        join = "LEFT JOIN" if rel.outer else "JOIN"
        return (
            f"SELECT {_named([*table.columns, *added])} "
            f"FROM {table.sql} {join} LATERAL ({inner}) AS {row} ON TRUE"
        )

    def values(self, rel: Values, outer: Scopes) -> str:
        if not rel.rows:
            return f"SELECT {_named(['NULL'] * rel.width)} WHERE FALSE"
        rows = [f"SELECT {_named(self.exprs(row, ((), *outer)))}" for row in rel.rows]
        return " UNION ALL ".join(rows)

    def join(self, rel: Join, outer: Scopes) -> str:
        tables = [self.table(i, outer) for i in rel.inputs]
        columns = [c for t in tables for c in t.columns]
        on = self.conjunction(rel.on, (columns, *outer))
        match rel.kind:
            case "inner":
                sources = " CROSS JOIN ".join(t.sql for t in tables)
                return f"SELECT {_named(columns)} FROM {sources} WHERE {on}"
            case "left" | "full":
                left, right = tables
                word = _OUTER_WORDS[rel.kind]
                return f"SELECT {_named(columns)} FROM {left.sql} {word} {right.sql} ON {on}"
            case "semi" | "anti":
                left, right = tables
                word = "EXISTS" if rel.kind == "semi" else "NOT EXISTS"
                test = f"{word} (SELECT 1 FROM {right.sql} WHERE {on})"
                return f"SELECT {_named(left.columns)} FROM {left.sql} WHERE {test}"
            case _:
                assert_never(rel.kind)

    def aggregate(self, rel: Aggregate, outer: Scopes) -> str:
        table = self.table(rel.input, outer)
        outputs = self.exprs((*rel.keys, *rel.aggs), (table.columns, *outer))
        if not outputs:
            return f"SELECT 1 AS z FROM (SELECT COUNT(*) FROM {table.sql}) AS one"
        # by position: a literal key would otherwise be read as one
        keys = ", ".join(str(i + 1) for i in range(len(rel.keys)))
        group = f" GROUP BY {keys}" if keys else ""
        return f"SELECT {_named(outputs)} FROM {table.sql}{group}"

    def sort(self, rel: Sort, outer: Scopes) -> str:
        table = self.table(rel.input, outer)
        scopes = (table.columns, *outer)
        start = f"SELECT {_named(table.columns)} FROM {table.sql}"
        order = self.order_by(rel.keys, scopes)
        if rel.ties and rel.limit is not None:
            limit = self.expr(rel.limit, scopes)
            return f"{start} QUALIFY RANK() OVER ({order.strip()}) <= {limit}"
        limit = f" LIMIT {self.expr(rel.limit, scopes)}" if rel.limit is not None else ""
        offset = f" OFFSET {self.expr(rel.offset, scopes)}" if rel.offset is not None else ""
        return start + order + limit + offset

    def order_by(self, keys: Sequence[SortKey], scopes: Scopes) -> str:
        # a literal would be read as a position; a constant orders nothing
        items = [self.key(k, scopes) for k in keys if not _is_constant(k.expr)]
        return f" ORDER BY {', '.join(items)}" if items else ""

    def key(self, key: SortKey, scopes: Scopes) -> str:
        nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[key.nulls_first]
        return self.expr(key.expr, scopes) + (" DESC" if key.descending else "") + nulls

    def opaque(self, rel: Opaque, outer: Scopes) -> str:
        tables = [self.named_table(i, n, outer) for i, n in zip(rel.inputs, rel.names, strict=True)]
        body = re.sub(r"\$(\d+)", lambda m: tables[int(m.group(1))], rel.text)
        name = f"t{next(self.numbers)}"
        columns = ", ".join(f"c{i}" for i in range(rel.width)) or "z"
        return f"SELECT * FROM ({body}) AS {name}({columns})"

    def named_table(self, rel: Rel, names: Sequence[str], outer: Scopes) -> str:
        table = self.table(rel, outer)
        items = [f"{c} AS {_quoted(n)}" for c, n in zip(table.columns, names, strict=False)]
        return f"(SELECT {', '.join(items) or '1 AS z'} FROM {table.sql})"

    def conjunction(self, conjuncts: Sequence[Expr], scopes: Scopes) -> str:
        return " AND ".join(f"({self.expr(c, scopes)})" for c in conjuncts) or "TRUE"

    def exprs(self, exprs: Sequence[Expr], scopes: Scopes) -> list[str]:
        return [self.expr(e, scopes) for e in exprs]

    def expr(self, expr: Expr, scopes: Scopes) -> str:
        def query(rel: Rel) -> exp.Expr:
            return exp.Var(this=self.select(rel, scopes))

        return decode(expr, lambda ref: _column(ref, scopes), query).sql(self.dialect)


def _is_constant(expr: Expr) -> bool:
    return all(isinstance(p, Lit) or (isinstance(p, Call) and p.op == "neg") for p in parts(expr))


def _column(ref: Col | Outer, scopes: Scopes) -> exp.Expr:
    level = ref.level if isinstance(ref, Outer) else 0
    return exp.Var(this=scopes[level][ref.index])


def _named(items: Iterable[str]) -> str:
    return ", ".join(f"{t} AS c{i}" for i, t in enumerate(items)) or "1 AS z"


def _table_name(name: str) -> str:
    return ".".join(_quoted(part) for part in name.split("."))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
