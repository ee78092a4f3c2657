"""From a resolved query to a plan. What is not understood becomes Opaque, with its reason.

The lowering is a closed world: a clause, join or setting that is not named here makes the whole
query Opaque (canonical text over its inputs), never a plan that forgets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.tables import Catalog
from unwet.lineage.names import folded
from unwet.lineage.resolve import Input, Query, Ref
from unwet.rewrite.aggregation import group
from unwet.rewrite.algebra import (
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Outer,
    Param,
    Plan,
    Project,
    Rel,
    Scan,
    SetKind,
    SetOp,
    Sort,
    SortKey,
    Subquery,
    Values,
    width,
)
from unwet.rewrite.opaque import opaque
from unwet.rewrite.scalars import Unsupported, encode

# Select arguments that this module gives a meaning to; any other one that is set is unsupported.
_UNDERSTOOD: Final = frozenset(
    "with_ expressions from_ joins where group having qualify distinct order limit offset into "
    "kind hint windows".split()
)
_SETOP_UNDERSTOOD: Final = frozenset("with_ this expression distinct order limit offset".split())
_JOIN_UNDERSTOOD: Final = frozenset("this side kind on using".split())


@dataclass(frozen=True, slots=True)
class Env:
    """What a query is read against: the catalog and the relations defined so far."""

    catalog: Catalog
    definitions: Mapping[str, Plan] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()  # tokens of driver-bound parameters, lower case


Frame = tuple[tuple[Input, int], ...]  # the inputs of one query block with their first positions


def lower(query: Query, env: Env) -> Plan:
    """The plan of a whole query; one Opaque node where anything in it is not understood."""
    try:
        return Lowerer(env, query).plan(query)
    except Unsupported as unsupported:
        return opaque(query, env.definitions, str(unsupported))


class Lowerer:
    """Lowers the blocks of one statement, each shared block once."""

    def __init__(self, env: Env, query: Query) -> None:
        self.env = env
        self._root = query.node
        self._dialect = query.dialect
        self._names: set[str] = set()
        self._done: dict[int, tuple[Query, Plan]] = {}

    def plan(self, query: Query, outer: tuple[Frame, ...] = ()) -> Plan:
        """The plan of one block. ``outer`` are the frames of the enclosing queries."""
        known = self._done.get(id(query))
        if known is not None and known[0] is query and not outer:
            return known[1]
        plan = self._plan(query, outer)
        if not outer:
            self._done[id(query)] = (query, plan)
        return plan

    def _plan(self, query: Query, outer: tuple[Frame, ...]) -> Plan:
        if query.recursive:
            raise Unsupported("recursive query")
        match query.kind:
            case "select":
                return _Select(self, query, outer).plan()
            case "setop":
                return self._set_operation(query, outer)
            case "values":
                return self._values(query)
            case kind:
                raise Unsupported(f"{query.node.key} query ({kind})")

    def _set_operation(self, query: Query, outer: tuple[Frame, ...]) -> Plan:
        node = query.node
        _only(node, _SETOP_UNDERSTOOD)
        branches = [self.plan(branch, outer) for branch in query.branches]
        rels = tuple(trim(plan) for plan in branches)
        if len({width(rel) for rel in rels}) != 1:
            raise Unsupported("branches of different width")
        kind, distinct = _set_kind(node)
        rel: Rel = SetOp(kind, rels)
        if distinct:
            rel = Distinct(rel)
        names = tuple(output.name for output in query.outputs) or branches[0].names
        return _ordered(query, names, rel, lambda item: _output_key(query, item))

    def _values(self, query: Query) -> Plan:
        rows = tuple(
            tuple(encode(cell, _no_columns) for cell in _cells(row))
            for row in query.node.expressions
        )
        wide = len(rows[0]) if rows else 0
        if any(len(row) != wide for row in rows):
            raise Unsupported("VALUES rows of different width")
        names = tuple(output.name for output in query.outputs)
        return Plan(names or tuple(f"col{i}" for i in range(wide)), Values(rows, wide))

    def relation(self, item: Input, outer: tuple[Frame, ...]) -> Rel:
        """The rows of one FROM item, its columns in the order of ``item.columns``."""
        if item.query is not None:
            return trim(self.plan(item.query, outer))
        if item.relation is None:
            raise Unsupported(f"{item.node.key} in FROM")
        defined = self.env.definitions.get(item.relation)
        if defined is not None:
            return trim(defined)
        return Scan(item.relation, self.columns(item))

    def columns(self, item: Input) -> tuple[str, ...]:
        """The item's columns. A base table that nobody describes has every name its statement
        uses: too many do no harm, as columns that are not read are dropped from the plan."""
        defined = self.env.definitions.get(item.relation) if item.relation else None
        if defined is not None:
            return defined.names
        if item.columns is not None:
            return item.columns
        if item.relation is None or item.query is not None:
            raise Unsupported(f"the columns of {item.alias or 'a FROM item'} are not known")
        if not self._names:
            dialect = self._dialect
            self._names = {folded(c.this, dialect) for c in self._root.find_all(exp.Column)}
        return tuple(sorted(self._names | set(item.index)))


def trim(plan: Plan) -> Rel:
    """The plan's rows without hidden order columns; an order without limit means nothing here."""
    if width(plan.rel) == len(plan.names):
        return plan.rel
    return Project(plan.rel, tuple(Col(i) for i in range(len(plan.names))))


class _Select:
    """One SELECT block: FROM, WHERE, GROUP BY, HAVING, windows, DISTINCT, ORDER BY, LIMIT."""

    def __init__(self, lowerer: Lowerer, query: Query, outer: tuple[Frame, ...]) -> None:
        self.lowerer = lowerer
        self.query = query
        self.node = query.node
        self.outer = outer
        self.frame: list[tuple[Input, int]] = []
        self.wide = 0

    def plan(self) -> Plan:
        _only(self.node, _UNDERSTOOD)
        if not self.query.complete:
            raise Unsupported("a star over columns that are not known")
        rel = self._from()
        where = self.node.args.get("where")
        if where is not None:
            rel = Filter(rel, _conjuncts(self.scalar(where.this, "where")))
        outputs = [self._output(i) for i in range(len(self.query.outputs))]
        keys = [
            (self._order_expr(item), item) for item in _order_items(self.node)
        ]
        grouped = group(
            rel,
            keys=self._group_keys(outputs),
            outputs=outputs,
            having=self._clause("having"),
            qualify=self._clause("qualify"),
            order=tuple(expr for expr, _ in keys),
        )
        names = tuple(output.name for output in self.query.outputs)
        return self._finish(names, grouped.rel, grouped.outputs, grouped.order)

    # --- FROM

    def _from(self) -> Rel:
        rel: Rel | None = None
        for item in self.query.inputs:
            if item.group is not None:
                raise Unsupported("a join in parentheses")
            right = self.lowerer.relation(item, self.outer)
            if rel is None:
                rel = right
                self._enter(item, 0, width(right))
            else:
                rel = self._join(rel, item, right)
        return rel if rel is not None else Values(((),), 0)

    def _enter(self, item: Input, at: int, wide: int) -> None:
        self.frame.append((item, at))
        self.wide = at + wide

    def _join(self, left: Rel, item: Input, right: Rel) -> Rel:
        start, wide = self.wide, width(right)
        self._enter(item, start, wide)
        join = item.join
        if join is None:
            return Join("inner", (left, right))
        _only(join, _JOIN_UNDERSTOOD)
        on = self._join_condition(join, item)
        side, kind = (join.args.get("side") or "").upper(), (join.args.get("kind") or "").upper()
        match side, kind:
            case "", "" | "INNER" | "CROSS":
                return Join("inner", (left, right), on)
            case "LEFT", "" | "OUTER":
                return Join("left", (left, right), on)
            case "RIGHT", "" | "OUTER":
                return _swapped(left, right, on, start, wide)
            case "FULL", "" | "OUTER":
                return Join("full", (left, right), on)
            case _:
                raise Unsupported(f"{side} {kind} join".strip())

    def _join_condition(self, join: exp.Expression, item: Input) -> tuple[Expr, ...]:
        using = join.args.get("using") or []
        if join.args.get("method"):
            raise Unsupported(f"{join.args['method']} join")
        if using and len(self.frame) > 2:
            raise Unsupported("USING after another join")
        if using:
            return tuple(self._using(identifier.name) for identifier in using)
        on = join.args.get("on")
        return _conjuncts(self.scalar(on, "on")) if on is not None else ()

    def _using(self, name: str) -> Expr:
        (left, at), (right, after) = self.frame
        return Call(
            "eq",
            (Col(at + self._position(left, name)), Col(after + self._position(right, name))),
            ("this", "expression"),
        )

    # --- clauses

    def _output(self, index: int) -> Expr:
        output = self.query.outputs[index]
        if output.star is not None:
            item, column = output.star
            return self._column(item, column)
        if output.expression is None:
            raise Unsupported("a star over columns that are not known")
        return self.scalar(output.expression, "select")

    def _clause(self, name: str) -> tuple[Expr, ...]:
        node = self.node.args.get(name)
        return _conjuncts(self.scalar(node.this, name)) if node is not None else ()

    def _group_keys(self, outputs: Sequence[Expr]) -> tuple[Expr, ...] | None:
        node = self.node.args.get("group")
        if node is None:
            return None
        extra = [name for name, value in node.args.items() if value and name != "expressions"]
        if extra:
            raise Unsupported(f"GROUP BY {extra[0].upper().replace('_', ' ')}")
        keys = []
        for item in node.expressions:
            if isinstance(item, exp.Literal) and item.is_int:
                keys.append(_ordinal(outputs, item))
            elif isinstance(item, (exp.Tuple, exp.Cube, exp.Rollup, exp.GroupingSets)):
                raise Unsupported(f"GROUP BY {item.key}")
            else:
                keys.append(self.scalar(item, "group"))
        return tuple(dict.fromkeys(keys))

    def _order_expr(self, item: exp.Expression) -> Expr:
        node = item.this
        if isinstance(node, exp.Literal) and node.is_int:
            index = int(node.name) - 1
            if not 0 <= index < len(self.query.outputs):
                raise Unsupported("ORDER BY position out of range")
            return self._output(index)
        return self.scalar(node, "order")

    def _finish(
        self,
        names: tuple[str, ...],
        rel: Rel,
        outputs: tuple[Expr, ...],
        order: tuple[Expr, ...],
    ) -> Plan:
        distinct = self.node.args.get("distinct")
        hidden = tuple(dict.fromkeys(e for e in order if e not in outputs))
        if distinct is not None and (distinct.args.get("on") or hidden):
            raise Unsupported("DISTINCT ON" if distinct.args.get("on") else "ORDER BY past DISTINCT")
        if not _limited(self.node) and not _is_root(self.query):
            hidden = ()
        columns = outputs + hidden
        rel = Project(rel, columns)
        if distinct is not None:
            rel = Distinct(rel)
        place = {expr: i for i, expr in reversed(list(enumerate(columns)))}
        positions = iter([place.get(expr, -1) for expr in order])
        return _ordered(self.query, names, rel, lambda _item: next(positions))

    # --- scalars

    def scalar(self, node: exp.Expression, clause: str) -> Expr:
        """The expression over the positions of this block's FROM."""
        return encode(node, lambda part: self._leaf(part, clause))

    def _leaf(self, node: exp.Expression, clause: str) -> Expr | None:
        match node:
            case exp.Column():
                return self._reference(node, clause)
            case exp.Subquery() if isinstance(node.unnest(), exp.Query):
                return Subquery("scalar", self._nested(node.unnest()))
            case exp.Select() | exp.SetOperation():
                return Subquery("scalar", self._nested(node))
            case exp.Exists():
                inner = node.this.unnest() if isinstance(node.this, exp.Subquery) else node.this
                return Subquery("exists", self._nested(inner))
            case exp.In() if node.args.get("query") is not None:
                inner = node.args["query"]
                inner = inner.unnest() if isinstance(inner, exp.Subquery) else inner
                return Subquery("in", self._nested(inner), self._in_operands(node, clause))
            case exp.Any() | exp.All():
                raise Unsupported(f"{node.key} comparison")
            case _:
                return None

    def _in_operands(self, node: exp.In, clause: str) -> tuple[Expr, ...]:
        left = node.this.unnest()
        items = left.expressions if isinstance(left, exp.Tuple) else [left]
        return tuple(self.scalar(item, clause) for item in items)

    def _nested(self, node: exp.Expression) -> Rel:
        frame = tuple(self.frame)
        return trim(self.lowerer.plan(self.query.nested(node), (frame, *self.outer)))

    def _reference(self, node: exp.Column, clause: str) -> Expr:
        ref = self.query.find(node, clause)
        if ref.alias is not None:
            return self._alias(ref)
        if ref.merged:
            raise Unsupported("a column merged by a FULL JOIN USING")
        if ref.certainty == "ambiguous":
            raise Unsupported(f"column {ref.column} is ambiguous")
        if ref.path:
            raise Unsupported("a field of a struct")
        if ref.input is None:
            return self._parameter(node, ref)
        return self._column(ref.input, ref.column)

    def _alias(self, ref: Ref) -> Expr:
        for index, output in enumerate(self.query.outputs):
            if output is ref.alias:
                return self._output(index)
        raise Unsupported(f"alias {ref.column} is not one of this query's")

    def _parameter(self, node: exp.Column, ref: Ref) -> Expr:
        if ref.column.lower() in self.lowerer.env.bound:
            return Param(ref.column.lower())
        if ref.certainty == "certain":
            raise Unsupported("a placeholder that may stand for anything")
        raise Unsupported(f"column {node.sql()} is not known")

    def _position(self, item: Input, column: str) -> int:
        columns = self.lowerer.columns(item)
        if columns.count(column) != 1:
            raise Unsupported(f"column {column} of {item.alias or item.relation} is not known")
        return columns.index(column)

    def _column(self, item: Input, column: str) -> Expr:
        for level, frame in enumerate((tuple(self.frame), *self.outer)):
            for candidate, start in frame:
                if candidate is item:
                    at = start + self._position(item, column)
                    return Col(at) if level == 0 else Outer(level, at)
        raise Unsupported(f"column {column} of {item.alias or item.relation} is out of reach")


def _ordered(
    query: Query,
    names: tuple[str, ...],
    rel: Rel,
    position: Callable[[exp.Expression], int],
) -> Plan:
    keys = tuple(_sort_key(item, position(item)) for item in _order_items(query.node))
    limit, offset, ties = _bounds(query.node)
    if limit is None and offset is None:
        return Plan(names, rel, keys if _is_root(query) else ())
    return Plan(names, Sort(rel, keys, limit, offset, ties), keys if _is_root(query) else ())


def _sort_key(item: exp.Expression, position: int) -> SortKey:
    if position < 0:
        raise Unsupported("ORDER BY an expression that is not an output")
    if item.args.get("with_fill"):
        raise Unsupported("ORDER BY WITH FILL")
    return SortKey(Col(position), bool(item.args.get("desc")), item.args.get("nulls_first"))


def _bounds(node: exp.Expression) -> tuple[Expr | None, Expr | None, bool]:
    limit, offset = node.args.get("limit"), node.args.get("offset")
    if limit is None and offset is None:
        return None, None, False
    count, ties = _limit_count(limit)
    skip = encode(offset.expression, _no_columns) if offset is not None else None
    return count, skip, ties


def _limit_count(limit: exp.Expression | None) -> tuple[Expr | None, bool]:
    match limit:
        case None:
            return None, False
        case exp.Limit() if not limit.expressions and not limit.args.get("limit_options"):
            return encode(limit.expression, _no_columns), False
        case exp.Fetch():
            options = limit.args.get("limit_options")
            if options is not None and options.args.get("percent"):
                raise Unsupported("FETCH PERCENT")
            ties = bool(options is not None and options.args.get("with_ties"))
            return encode(limit.args["count"], _no_columns), ties
        case _:
            raise Unsupported("LIMIT with options")


def _set_kind(node: exp.Expression) -> tuple[SetKind, bool]:
    distinct = node.args.get("distinct") is not False
    match node:
        case exp.Union():
            return "union_all", distinct
        case exp.Intersect():
            return ("intersect" if distinct else "intersect_all"), False
        case exp.Except():
            return ("except" if distinct else "except_all"), False
        case _:
            raise Unsupported(node.key)


def _swapped(left: Rel, right: Rel, on: tuple[Expr, ...], start: int, wide: int) -> Rel:
    """RIGHT JOIN as the LEFT JOIN of its inputs in the other order, columns put back."""
    from unwet.rewrite.columns import remap  # positions of ON move with the inputs

    move = {**{i: i + wide for i in range(start)}, **{start + i: i for i in range(wide)}}
    flipped = Join("left", (right, left), tuple(remap(e, move) for e in on))
    back = tuple(Col(move[i]) for i in range(start + wide))
    return Project(flipped, back)


def _output_key(query: Query, item: exp.Expression) -> int:
    node = item.this
    if isinstance(node, exp.Literal) and node.is_int:
        return int(node.name) - 1
    names = [output.name.lower() for output in query.outputs]
    if isinstance(node, exp.Column) and not node.table and names.count(node.name.lower()) == 1:
        return names.index(node.name.lower())
    return -1


def _ordinal(outputs: Sequence[Expr], item: exp.Expression) -> Expr:
    index = int(item.name) - 1
    if not 0 <= index < len(outputs):
        raise Unsupported("GROUP BY position out of range")
    return outputs[index]


def _conjuncts(expr: Expr) -> tuple[Expr, ...]:
    match expr:
        case Call(op="and", args=args):
            return args
        case _:
            return (expr,)


def _cells(row: exp.Expression) -> Iterable[exp.Expression]:
    return row.expressions if isinstance(row, exp.Tuple) else [row]


def _order_items(node: exp.Expression) -> list[exp.Expression]:
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []


def _limited(node: exp.Expression) -> bool:
    return bool(node.args.get("limit") or node.args.get("offset"))


def _is_root(query: Query) -> bool:
    """Whether this block's order is the order of the statement's result."""
    return isinstance(query.node.parent, (exp.Create, exp.Insert)) is False and (
        query.node.parent is None
    )


def _no_columns(node: exp.Expression) -> Expr | None:
    if isinstance(node, (exp.Column, exp.Query)):
        raise Unsupported(f"{node.key} where a constant is expected")
    return None


def _only(node: exp.Expression, understood: frozenset[str]) -> None:
    for name, value in node.args.items():
        if value and name not in understood:
            raise Unsupported(f"{node.key} with {name.strip('_').replace('_', ' ')}")

