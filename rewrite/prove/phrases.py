"""What plans say, as SQL for readers, and where two plans part.

A plan is positions; a reader wants `amount >= 30`. Columns get the names of the base columns they
come from, and what is computed below is written out as long as it is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import SqlglotError

from unwet.lineage.names import is_parameter
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Node,
    Opaque,
    Outer,
    Over,
    Param,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Unnest,
    Values,
    Window,
    expressions,
    inputs,
    parts,
    walk,
)
from unwet.rewrite.decoding import decode
from unwet.rewrite.prove.opaque_words import readable
from unwet.rewrite.rules.shapes import UNORDERED

_LONGEST = 60  # of a computed column that is written out where it is used
_UNORDERED = UNORDERED | {"nullsafeeq", "nullsafeneq", "in"}
_SET_WORDS = {"union_all": "UNION ALL", "intersect_all": "INTERSECT ALL",
              "except_all": "EXCEPT ALL"}  # fmt: skip
_JOIN_WORDS = {"inner": "JOIN", "left": "LEFT JOIN", "full": "FULL JOIN",
               "semi": "EXISTS", "anti": "NOT EXISTS"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a plan. `kind`: value, select, where, join, group, sort, set, table or rows.

    `text`: SQL; `shape`: what it says whatever columns it is about, the same for all orders of
    AND, + and the like."""

    kind: str
    text: str
    shape: str
    node: Node


def spoken(node: Node, dialect: str = "") -> str:
    """A part of a plan by itself, which knows no names of columns: they are numbered from 1."""
    teller = Teller(dialect)
    match node:
        case Col() | Outer() | Lit() | Param() | Call() | Agg() | Over() | Subquery():
            seen = [i for part in parts(node) if isinstance(part, Col) for i in [part.index]]
            names = [exp.column(f"column_{i + 1}") for i in range(max(seen, default=-1) + 1)]
            return teller.sql(node, names)
        case SortKey(expr=expr, descending=descending):
            return spoken(expr, dialect) + (" DESC" if descending else "")
        case _ if isinstance(node, Rel):
            said = teller.clause(node)
            return said or _KINDS.get(type(node), "rows")
        case _:
            return "rows"


_KINDS: dict[type[Node], str] = {
    Aggregate: "an aggregate of all rows",
    Window: "window functions",
    Unnest: "the elements of an array",
    Values: "constant rows",
}


# --- what a plan says ---------------------------------------------------------------------------


def phrases(rel: Rel, dialect: str = "") -> list[Phrase]:
    """Every expression and every clause of a plan, inputs before what reads them."""
    teller = Teller(dialect)
    return [phrase for node in walk(rel) for phrase in teller.phrases(node)] + teller.outputs(rel)


class Teller:
    """Writes parts of one plan."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._names: dict[bytes, list[exp.Expr]] = {}

    def phrases(self, node: Rel) -> list[Phrase]:
        below = self.seen(node)
        found = []
        for expr in expressions(node):
            for part in parts(expr):
                if isinstance(part, Call | Agg | Over):
                    found.append(Phrase("value", self._sql(part, below), shape(part), part))
        clause = self._clause(node, below)
        return [*found, clause] if clause is not None else found

    def sql(self, expr: Expr, below: Sequence[exp.Expr]) -> str:
        """An expression over columns of these names, as short as a name is."""
        return self._print(self._short(expr, below))

    def clause(self, node: Rel) -> str:
        """What a node says itself; empty where that is no clause."""
        found = self._clause(node, self.seen(node))
        return found.text if found is not None else ""

    def outputs(self, rel: Rel) -> list[Phrase]:
        """What the whole query puts out."""
        return [Phrase("select", f"SELECT {', '.join(self.columns(rel))}", "select", rel)]

    def columns(self, rel: Rel) -> list[str]:
        """What each of its columns is."""
        return [self._print(each) for each in self._outputs(rel)]

    def _clause(self, node: Rel, below: Sequence[exp.Expr]) -> Phrase | None:
        match node:
            case Project(exprs=exprs):
                text = "SELECT " + ", ".join(self._sql(each, below) for each in exprs)
                return Phrase("select", text, "select", node)
            case Filter(input=inner, conjuncts=conjuncts):
                text = "WHERE " + " AND ".join(self._sql(each, below) for each in conjuncts)
                where = f" {inner.kind}" if isinstance(inner, Join) else ""
                after = f" after {_JOIN_WORDS[inner.kind]}" if isinstance(inner, Join) else ""
                return Phrase(
                    "where", text + after, f"where{where} {_shapes(conjuncts, True)}", node
                )
            case Join(kind=kind, on=on):
                said = " AND ".join(self._sql(each, below) for each in on)
                text = f"{_JOIN_WORDS[kind]} ON {said}" if said else "CROSS JOIN"
                return Phrase("join", text, _join_shape(node), node)
            case Aggregate(keys=keys) if keys:
                text = "GROUP BY " + ", ".join(self._sql(key, below) for key in keys)
                return Phrase("group", text, f"group {_shapes(keys, True)}", node)
            case Distinct():
                return Phrase("group", "DISTINCT", "distinct", node)
            case Sort(keys=keys, limit=limit, offset=offset):
                text = self._order(keys, below)
                text += f" LIMIT {self._sql(limit, below)}" if limit is not None else ""
                text += f" OFFSET {self._sql(offset, below)}" if offset is not None else ""
                return Phrase("sort", text.strip(), _sort_shape(node), node)
            case SetOp(kind=kind, inputs=many):
                word = _SET_WORDS.get(kind, kind.upper())
                return Phrase("set", f"{word} of {len(many)} queries", f"{kind} {len(many)}", node)
            case Scan(table=table):
                return Phrase("table", table, table, node)
            case Values(rows=rows) if rows not in ((), ((),)):
                return Phrase("rows", f"{len(rows)} constant rows", f"rows {len(rows)}", node)
            case Opaque(text=text):
                return Phrase("rows", readable(node), text, node)
            case _:
                return None

    def _order(self, keys: Sequence[SortKey], below: Sequence[exp.Expr]) -> str:
        if not keys:
            return ""
        said = (self._sql(k.expr, below) + (" DESC" if k.descending else "") for k in keys)
        return "ORDER BY " + ", ".join(said)

    # --- names of columns

    def seen(self, node: Rel) -> list[exp.Expr]:
        """What the expressions of a node see."""
        return [name for each in inputs(node) for name in self._outputs(each)]

    def _outputs(self, rel: Rel) -> list[exp.Expr]:
        for each in walk(rel):  # inputs first: no recursion in deep plans
            if each.digest not in self._names:
                self._names[each.digest] = self._made(each)
        return self._names[rel.digest]

    def _made(self, rel: Rel) -> list[exp.Expr]:
        below = [name for each in inputs(rel) for name in self._names[each.digest]]
        match rel:
            case Scan(columns=columns):
                return [exp.column(name) for name in columns]
            case Project(exprs=exprs):
                return [self._short(each, below) for each in exprs]
            case Aggregate(keys=keys, aggs=aggs):
                return [self._short(each, below) for each in (*keys, *aggs)]
            case Window(functions=functions):
                return below + [self._short(each, below) for each in functions]
            case Unnest(ordinal=ordinal):
                more = ("element", "position") if ordinal else ("element",)
                return below + [exp.column(name) for name in more]
            case Join(kind="semi" | "anti", inputs=many):
                return self._names[many[0].digest]
            case SetOp(inputs=many):
                return self._names[many[0].digest]
            case Values(width=n) | Opaque(width=n):
                return [exp.column(f"column{i + 1}") for i in range(n)]
            case Filter() | Distinct() | Sort() | Join():
                return below

    def _short(self, expr: Expr, below: Sequence[exp.Expr]) -> exp.Expr:
        made = self._node(expr, below)
        if len(self._print(made)) <= _LONGEST:
            return made
        if isinstance(made, exp.Window):
            return exp.Var(this=f"{self._print(made.this)} OVER (...)")
        return exp.Var(this="...")

    # --- SQL

    def _sql(self, expr: Expr, below: Sequence[exp.Expr]) -> str:
        return self._print(self._node(expr, below))

    def _node(self, expr: Expr, below: Sequence[exp.Expr]) -> exp.Expr:
        def column(ref: Col | Outer) -> exp.Expr:
            if isinstance(ref, Outer) or ref.index >= len(below):
                return exp.Var(this="outer_column")
            named = below[ref.index].copy()
            return exp.paren(named) if isinstance(named, exp.Binary) else named

        return decode(expr, column, lambda _: exp.select(exp.Var(this="...")))

    def _print(self, node: exp.Expr) -> str:
        node = node.transform(_as_written)
        try:
            return node.sql(dialect=self._dialect or None)
        except (SqlglotError, AttributeError, LookupError, TypeError, ValueError):
            return node.sql()  # some printers need more than a part of a query


def _as_written(node: exp.Expr) -> exp.Expr:
    """Strings of bits as they are written; in the words of some dialects they would be numbers.
    A placeholder as `:name`, however the scripts say it: two of them may say it in two ways."""
    match node:
        case exp.Column() if is_parameter(node):
            return exp.Var(this=f":{node.name[len('p__') : -len('__p')]}")
        case exp.BitString(this=bits):
            return exp.Var(this=f"B'{bits}'")
        case exp.HexString(this=digits) if not node.args.get("is_integer"):
            return exp.Var(this=f"X'{digits}'")
        case _:
            return node


# --- shapes -------------------------------------------------------------------------------------


def shape(expr: Expr) -> str:
    """An expression with all columns masked; operands that have no order are sorted."""
    match expr:
        case Col() | Outer():
            return "_"
        case Lit(kind=kind, text=text):
            return f"{kind}:{text}"
        case Param(name=name):
            return f":{name}"
        case Call(op=op, args=args, shape=slots):
            return f"{op}{_shapes(args, op in _UNORDERED)}{_settings(slots)}"
        case Agg(op=op, args=args, shape=slots, distinct=distinct, where=where, order=order):
            said = "distinct " * distinct + _shapes(args) + _keys(order)
            return f"{op} {said}{_settings(slots)}" + (f" where {shape(where)}" if where else "")
        case Over(call=call, partition=partition, order=order, frame=frame):
            return f"{shape(call)} over {_shapes(partition, True)}{_keys(order)} {frame}"
        case Subquery(kind=kind, args=args, op=op):
            return f"{kind} {op}{_shapes(args)}"


def _shapes(exprs: Sequence[Expr], unordered: bool = False) -> str:
    said = [shape(each) for each in exprs]
    return f"({', '.join(sorted(said) if unordered else said)})"


def settings(node: Node) -> frozenset[str]:
    """All that an expression says apart from its operands."""
    if not isinstance(node, Call | Agg | Over):
        return frozenset()
    calls = (part for part in parts(node) if isinstance(part, Call | Agg))
    return frozenset(_settings(call.shape)[1:-1] for call in calls)


def _settings(slots: Sequence[str]) -> str:
    said = [s for s in slots if s not in ("this", "expression") and "*" not in s]
    return f"[{', '.join(said)}]" if said else ""


def _keys(keys: Sequence[SortKey]) -> str:
    return "".join(f" by {shape(k.expr)} {k.descending} {k.nulls_first}" for k in keys)


def _join_shape(join: Join) -> str:
    return f"{join.kind} {_shapes(join.on, True)}"


def _sort_shape(sort: Sort) -> str:
    bounds = (shape(each) if each is not None else "" for each in (sort.limit, sort.offset))
    return f"sort{_keys(sort.keys)} {' '.join(bounds)} {sort.ties}"
