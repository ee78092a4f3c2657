"""Reading an expression: which columns it takes, and as what (value, condition, window...)."""

from collections.abc import Callable, Iterator
from typing import Protocol

from sqlglot import exp

from unwet.lineage.flows import AGGREGATION, IDENTITY, ROW_COUNT, TRANSFORMATION, Flows, Op, merge
from unwet.lineage.names import folded, position
from unwet.lineage.resolve import Query
from unwet.lineage.scopes import Input, Named
from unwet.lineage.structs import built, field_value

Part = tuple[exp.Expr, Op]
CONDITIONAL: Op = ("INDIRECT", "CONDITIONAL")
WINDOW: Op = ("INDIRECT", "WINDOW")
SORT: Op = ("INDIRECT", "SORT")


class Reader(Protocol):
    """What the walk asks of the tracer."""

    def output(self, query: Query, at: int) -> Flows: ...
    def rows(self, query: Query) -> Flows: ...
    def members(self, query: Query) -> Flows: ...
    def member(
        self,
        owner: Query,
        each: Input,
        name: str,
        path: tuple[str, ...],
        rank: int,
        node: exp.Expression,
    ) -> Flows: ...
    def column(self, query: Query, node: Named, clause: str, path: tuple[str, ...]) -> Flows: ...


class Walker:
    """Walks expressions of one statement with an explicit stack, so that depth is no limit."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def identity(self, query: Query, node: exp.Expr) -> Flows | None:
        """Flows of an expression that is nothing but a column, shared; else None."""
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return self._reader.column(query, node, "select", ())
        return None

    def add(self, query: Query, root: exp.Expr, op: Op, clause: str, into: Flows) -> None:
        """Add everything that `root`, read under `op` in a clause of `query`, takes."""
        stack: list[Part] = [(root, op)]
        while stack:
            node, op = stack.pop()
            kind = type(node)
            if kind in _SKIPPED:
                continue
            if kind is exp.Column or kind is exp.Parameter:
                self._column(query, node, op, clause, into)
            elif kind in _QUERIES:
                self._nested(query, node, op, into)
            elif kind is exp.Dot:
                stack.extend(self._dot(query, node, op, clause, into))
            elif kind is exp.Star:
                if node is not root and not isinstance(node.parent, exp.Column):
                    self._all_columns(query, op, into)
            elif kind is exp.Count and _counts_rows(node):
                merge(into, self._reader.members(query), _only_indirect(op))
            elif kind in _HANDLERS:
                stack.extend(_HANDLERS[kind](node, op, query))
            else:
                _push_children(stack, node, kind, op)

    def _column(self, query: Query, node: exp.Expr, op: Op, clause: str, into: Flows) -> None:
        assert isinstance(node, exp.Column | exp.Parameter)
        if isinstance(node, exp.Column) or (query.dialect == "snowflake" and position(node)):
            merge(into, self._reader.column(query, node, clause, ()), op)

    def _all_columns(self, query: Query, op: Op, into: Flows) -> None:
        """`object_construct(*)`, `hash(*)`: every column of every input."""
        for each in query.inputs:
            merge(into, self._reader.member(query, each, "*", (), 0, each.node), op)

    def _dot(self, query: Query, node: exp.Expr, op: Op, clause: str, into: Flows) -> list[Part]:
        """`column.field.field`, also through array positions: the fields are part of the name."""
        path: list[str] = []
        inner: exp.Expr = node
        while isinstance(inner, exp.Dot | exp.Bracket | exp.Paren):
            if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Identifier):
                path.append(folded(inner.expression, query.dialect))
            elif isinstance(inner, exp.Dot):
                return [(inner.this, _valued(op)), (inner.expression, _valued(op))]
            inner = inner.this
        if not isinstance(inner, exp.Column):
            chosen = _of_field(inner, path[-1], op, query.dialect) if path else None
            return chosen or [(inner, _valued(op))]
        merge(into, self._reader.column(query, inner, clause, tuple(reversed(path))), op)
        return []

    def _nested(self, query: Query, node: exp.Expr, op: Op, into: Flows) -> None:
        """A subquery: its columns are the value (unless EXISTS), its rows a condition."""
        inner = query.nested(node)  # type: ignore[arg-type]
        if not isinstance(node.parent, exp.Exists):
            for at in range(len(inner.outputs)):
                merge(into, self._reader.output(inner, at), _valued(op))
        merge(into, self._reader.rows(inner), op)


_LEAVES = frozenset(
    {
        exp.Literal,
        exp.Identifier,
        exp.Boolean,
        exp.Null,
        exp.DataType,
        exp.Var,
        exp.Placeholder,
        exp.JSONPath,
        exp.TableAlias,
        exp.Table,
    }
)
_SKIPPED: frozenset[type] = _LEAVES | {str, bool, int, type(None)}
_QUERIES = frozenset({exp.Subquery, exp.Select, exp.Union, exp.Except, exp.Intersect})
# Window functions that hand a row's value on: no aggregation.
_POSITIONAL = (exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue)


def _valued(op: Op) -> Op:
    return TRANSFORMATION if op == IDENTITY else op


def _of_field(node: exp.Expr, name: str, op: Op, dialect: str) -> list[Part] | None:
    """A field of a struct that is built here: its own value, and what chooses among structs."""
    found = built(node) if isinstance(node, exp.Expression) else None
    value = field_value(found.struct, name, dialect) if found is not None else None
    if found is None or value is None:
        return None
    parts: list[Part] = [(value, _aggregated(op) if found.is_chosen else op)]
    for each in found.around:
        parts.extend((child, _condition(op, SORT)) for child in children(each)
                     if child is not each.this)  # fmt: skip
    return parts


def _only_indirect(op: Op) -> Op:
    return op if op[0] == "INDIRECT" else ROW_COUNT


def _counts_rows(node: exp.Expr) -> bool:
    inner = node.this
    return inner is None or isinstance(inner, exp.Star | exp.Literal)


def _condition(op: Op, inside: Op) -> Op:
    """A condition inside a condition stays what the outer one is (CASE in WHERE: FILTER)."""
    return op if op[0] == "INDIRECT" else inside


def _push_children(stack: list[Part], node: exp.Expr, kind: type[exp.Expr], op: Op) -> None:
    """The parts of an expression without rules of its own (the hot path: most nodes)."""
    if kind not in _TRANSPARENT:
        op = _aggregated(op) if _aggregates(kind) else _valued(op)
    for value in node.args.values():
        if type(value) is list:
            for each in value:
                if type(each) not in _SKIPPED and isinstance(each, exp.Expr):
                    stack.append((each, op))
        elif type(value) not in _SKIPPED and isinstance(value, exp.Expr):
            stack.append((value, op))


def children(node: exp.Expr) -> Iterator[exp.Expr]:
    """Child nodes in the order of the text, roughly."""
    for value in node.args.values():
        if isinstance(value, list):
            yield from (each for each in value if isinstance(each, exp.Expr))
        elif isinstance(value, exp.Expr):
            yield value


def _aggregated(op: Op) -> Op:
    return AGGREGATION if op[0] == "DIRECT" else op


_KINDS: dict[type[exp.Expr], bool] = {}


def _aggregates(kind: type[exp.Expr]) -> bool:
    """Whether a class of nodes aggregates; asked once per class, issubclass is not free."""
    known = _KINDS.get(kind)
    if known is None:
        known = _KINDS[kind] = issubclass(kind, exp.AggFunc)
    return known


_TRANSPARENT = frozenset(
    {
        exp.Paren,
        exp.Alias,
        exp.Tuple,
        exp.Group,
        exp.Ordered,
        exp.Where,
        exp.Having,
        exp.Qualify,
        exp.PivotAlias,
    }
)


def _case(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """CASE: operand and conditions decide, results are the value."""
    if node.this is not None:
        yield node.this, _condition(op, CONDITIONAL)
    for branch in node.args.get("ifs") or ():
        yield branch.this, _condition(op, CONDITIONAL)
        yield branch.args["true"], _valued(op)
    if node.args.get("default") is not None:
        yield node.args["default"], _valued(op)


def _if(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    yield node.this, _condition(op, CONDITIONAL)
    for key in ("true", "false"):
        if node.args.get(key) is not None:
            yield node.args[key], _valued(op)


def _decode(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """DECODE(operand, search, result, ..., default)."""
    operand, *rest = node.expressions
    yield operand, _condition(op, CONDITIONAL)
    for i, each in enumerate(rest):
        searched = i % 2 == 0 and i + 1 < len(rest)
        yield each, _condition(op, CONDITIONAL) if searched else _valued(op)


def _filtered(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """sum(x) FILTER (WHERE c) is sum(CASE WHEN c THEN x END): c touches one column, no rows."""
    yield node.this, op
    yield node.expression, _condition(op, CONDITIONAL)


def _comprehension(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """[f(x) FOR x IN list IF p(x)]: x is the list's element, not a column."""
    yield node.args["iterator"], _valued(op)
    bound = folded(node.expression, query.dialect)
    for key, below in (("this", _valued(op)), ("condition", _condition(op, CONDITIONAL))):
        part = node.args.get(key)
        for column in part.find_all(exp.Column) if isinstance(part, exp.Expr) else ():
            if column.args.get("table") is not None or folded(column.this, query.dialect) != bound:
                yield column, below


def _ordered(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """array_agg(x ORDER BY y): x is the value; an ORDER BY clause has no value."""
    if node.this is not None:
        yield node.this, op
    yield from ((each, _condition(op, SORT)) for each in node.expressions)


def _within_group(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """f(x) WITHIN GROUP (ORDER BY y): y is the value of a percentile, else the order of x."""
    yield node.this, op
    of_order = isinstance(node.this, exp.PercentileCont | exp.PercentileDisc | exp.Mode)
    below = _aggregated(op) if of_order else _condition(op, SORT)
    for each in node.expression.expressions:
        yield each, below


def _window(node: exp.Expr, op: Op, query: Query) -> Iterator[Part]:
    """f(x) OVER (...): x is the value, partition and order are WINDOW."""
    function = node.this
    while isinstance(function, exp.IgnoreNulls | exp.RespectNulls):
        function = function.this
    if isinstance(function, _POSITIONAL):
        yield from ((child, _valued(op)) for child in children(function))
    else:
        yield function, op
    for part in (node, _named_window(node, query)):
        if part is not None:
            yield from (
                (each, _condition(op, WINDOW)) for each in part.args.get("partition_by") or ()
            )
            if part.args.get("order") is not None:
                yield part.args["order"], _condition(op, WINDOW)


def _named_window(node: exp.Expr, query: Query) -> exp.Expr | None:
    name = node.args.get("alias")
    if name is None:
        return None
    wanted = folded(name, query.dialect)
    for window in query.node.args.get("windows") or ():
        if folded(window.this, query.dialect) == wanted:
            return window  # type: ignore[no-any-return]
    return None


_HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr, Op, Query], Iterator[Part]]] = {
    exp.Case: _case,
    exp.If: _if,
    exp.Nvl2: _if,
    exp.DecodeCase: _decode,
    exp.Comprehension: _comprehension,
    exp.Filter: _filtered,
    exp.Window: _window,
    exp.Order: _ordered,
    exp.WithinGroup: _within_group,
}
