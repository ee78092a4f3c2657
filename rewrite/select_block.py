"""One SELECT block as a plan: FROM, WHERE, GROUP BY, HAVING, windows, DISTINCT, ORDER BY, LIMIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Final, Protocol

from sqlglot import exp

from unwet.lineage.declared import bit, declared, flag_test, is_date_text, is_tested
from unwet.lineage.names import folded, is_parameter
from unwet.lineage.resolve import Input, Output, Query, Ref
from unwet.lineage.trees import is_inside
from unwet.rewrite.aggregation import group
from unwet.rewrite.algebra import (
    Agg,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Lit,
    Over,
    Param,
    Plan,
    Project,
    Rel,
    Sort,
    SortKey,
    Subquery,
    operands,
    parts,
    width,
)
from unwet.rewrite.clauses import (
    all_by_number,
    bounds,
    conjuncts,
    is_all,
    is_limited,
    nth,
    only,
    order_items,
    orders_by_all,
    position,
    sort_key,
    trim,
)
from unwet.rewrite.from_clause import Frame, From, first_of
from unwet.rewrite.group_all import READ_IN
from unwet.rewrite.grouping_sets import sets_of
from unwet.rewrite.null_order import with_nulls_said
from unwet.rewrite.scalars import Unsupported, cast_to, encode, null
from unwet.rewrite.stars import REST, UNKNOWN, Named, Stars, check_stars, is_open, of_one, row_value
from unwet.rewrite.volatile import is_random

# Arguments of a Select that are given a meaning here; any other one that is set is unsupported.
_LARGEST: Final = 2_000  # nodes of an expression that an alias stands for
_UNDERSTOOD: Final = frozenset(
    {"with_", "expressions", "from_", "joins", "where", "group", "having", "qualify",
     "distinct", "order", "limit", "offset", "into", "hint", "windows", "kind"}
)  # fmt: skip
_TRUE: Final = Lit("boolean", "true")
_FALSE: Final = Lit("boolean", "false")
_BOTH: Final = ("this", "expression")
_ROWS_ONLY: Final = frozenset(["with_", "expressions", "from_", "joins", "where", "order", "hint"])


class Blocks(Protocol):
    """What a block needs from the lowering of its statement."""

    bound: frozenset[str]
    presumed: set[str]  # in words

    def plan(self, query: Query, outer: tuple[Frame, ...] = ()) -> Plan: ...
    def some_row(self, query: Query, outer: tuple[Frame, ...]) -> Rel: ...
    def relation(self, item: Input, outer: tuple[Frame, ...]) -> Rel: ...
    def columns(self, item: Input) -> tuple[str, ...]: ...
    def shown(self, item: Input) -> tuple[int, ...]: ...
    def keep_members(self, query: Query, names: tuple[str, ...]) -> None: ...
    @property
    def used(self) -> tuple[str, ...]: ...


def select_plan(blocks: Blocks, query: Query, outer: tuple[Frame, ...]) -> Plan:
    """The plan of a SELECT block. Raises Unsupported."""
    return _Select(blocks, query, outer).plan()


def row_test(blocks: Blocks, query: Query, outer: tuple[Frame, ...]) -> Rel | None:
    """The rows of a SELECT block without any output, for EXISTS, whose query may have a star over
    columns that nobody knows; None when its outputs could decide how many rows there are."""
    if query.kind != "select" or any(v for k, v in query.node.args.items() if k not in _ROWS_ONLY):
        return None
    if any(node.find(exp.AggFunc, exp.Anonymous, exp.UDTF) for node in query.node.expressions):
        return None
    return _Select(blocks, query, outer).rows()


class _Select:
    """The state of one block: its FROM clause, against which all its expressions are read."""

    def __init__(self, blocks: Blocks, query: Query, outer: tuple[Frame, ...]) -> None:
        self.blocks = blocks
        self.query = query
        self.node = query.node
        self.outer = outer
        self.source = From(blocks, query, outer, self.scalar)
        self.whole_item: exp.Expr | None = None  # the ORDER BY item that is being read
        self._outputs: dict[int, Expr] = {}  # by id: an alias may be read many times
        self._sizes: dict[bytes, int] = {}

    def plan(self) -> Plan:
        only(self.node, _UNDERSTOOD)
        rel = self.rows()
        shown, members = self._columns()
        outputs = tuple(expr for _, expr in shown)
        grouped = group(
            rel,
            keys=self._group_keys(outputs),
            outputs=(*outputs, *(expr for _, expr in members)),
            having=self._clause("having"),
            qualify=self._clause("qualify"),
            order=tuple(self._order(item, outputs) for item in self._ordered()),
        )
        names = tuple(name for name, _ in shown)
        if self.node.args.get("kind"):
            return self._as_struct(
                self._as_written(names), grouped.rel, grouped.outputs[: len(names)]
            )
        self.blocks.keep_members(self.query, tuple(name for name, _ in members))
        return self._finish(names, grouped.rel, grouped.outputs, grouped.order)

    def _as_struct(self, names: tuple[str, ...], rel: Rel, outputs: tuple[Expr, ...]) -> Plan:
        """SELECT AS STRUCT: one column that holds the others by their names."""
        kind, more = str(self.node.args["kind"]).upper(), ("distinct", "order", "limit", "offset")
        if kind != "STRUCT" or any(map(self.node.args.get, more)) or not _is_value(self.node):
            raise Unsupported(f"SELECT AS {kind}")
        return Plan(("_struct",), Project(rel, (Call("as_struct", outputs, names),)))

    def _as_written(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The names of outputs with the letters that they are written in, as a struct has them."""
        written = {each.name: each.node.alias_or_name for each in self.query.outputs}
        found = ((name, written.get(name, name)) for name in names)
        return tuple(said if said.lower() == name.lower() else name for name, said in found)

    def _columns(self) -> tuple[Sequence[Named], Sequence[Named]]:
        """The outputs, and the columns behind them that stars over unknown columns may hold."""
        check_stars(self.query)
        if self.query.complete:
            return [(each.name, self._output(each)) for each in self.query.outputs], ()
        if self.node.args.get("group"):
            raise Unsupported(UNKNOWN)
        read = lambda node: self.scalar(node, "select")  # noqa: E731
        stars = Stars(self.query, self.source, read, self._output, self._struct)
        shown = stars.shown()
        if self.node.args.get("distinct") or is_root(self.query):
            return shown, ()  # a column more would make other rows equal, or is read by nobody
        return shown, tuple(stars.members(self.blocks.used, (name for name, _ in shown)))

    def rows(self) -> Rel:
        """FROM and WHERE."""
        rel, where = self.source.rel(), self.node.args.get("where")
        if where is None:
            return rel
        return Filter(rel, conjuncts(_per_row(self.scalar(where.this, "where"), "WHERE")))

    # --- clauses

    def _output(self, output: Output) -> Expr:
        known = self._outputs.get(id(output))
        if known is None:
            known = self._outputs[id(output)] = self._read_output(output)
        return known

    def _read_output(self, output: Output) -> Expr:
        if isinstance(output.node, exp.Columns) and not isinstance(output.node.this, exp.Star):
            raise Unsupported("COLUMNS by a pattern")
        if output.star is not None:
            if isinstance(output.star[0].node, exp.Unnest) and self.query.dialect == "bigquery":
                raise Unsupported("a star over the elements of an array")  # fields, if structs
            merged = self.source.column(*output.star)
            for also in output.also:
                merged = first_of(merged, self.source.column(*also))
            return merged
        if output.expression is None:
            raise Unsupported("a star over columns that are not known")
        return self.scalar(output.expression, "select")

    def _clause(self, name: str) -> tuple[Expr, ...]:
        node = self.node.args.get(name)
        return conjuncts(self.scalar(node.this, name)) if node is not None else ()

    def _group_keys(self, outputs: tuple[Expr, ...]) -> tuple[Expr, ...] | None:
        node = self.node.args.get("group")
        if node is None:
            return None
        extra = [name for name, value in node.args.items() if value and name != "expressions"]
        if extra == ["all"] and not node.expressions:
            return self._all_keys(outputs)
        sets = sets_of(self.node)
        items = sets[0] if sets is not None and len(sets) == 1 else node.expressions
        if extra or not items:
            what = (extra or ["grouping_sets"])[0]
            raise Unsupported(f"GROUP BY {what.upper().replace('_', ' ')}")
        keys = [_per_row(self._group_key(item, outputs), "GROUP BY") for item in items]
        return tuple(dict.fromkeys(keys))

    def _all_keys(self, outputs: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """The keys of GROUP BY ALL. Raises Unsupported where engines may differ about them."""
        items, read = self.node.expressions, [frozenset(map(type, parts(e))) for e in outputs]
        if self.query.dialect not in READ_IN or any(item.find(exp.UDTF) for item in items):
            raise Unsupported("GROUP BY ALL")
        windows = self.query.dialect != "bigquery" and any(Over in kinds for kinds in read)
        if windows or any(Subquery in kinds for kinds in read):
            raise Unsupported("GROUP BY ALL with windows or queries")
        plain = [e for e, kinds in zip(outputs, read, strict=True) if not kinds & {Agg, Over}]
        keys = tuple(dict.fromkeys(e for e in plain if any(isinstance(p, Col) for p in parts(e))))
        if not keys or any(map(is_random, plain)):
            raise Unsupported("GROUP BY ALL without columns")
        if any(isinstance(p, Call) and p.op == "anonymous" for e in plain for p in parts(e)):
            raise Unsupported("GROUP BY ALL with a function that may be an aggregate")
        if self.query.dialect != "bigquery":
            return keys
        columns = {key for key in keys if isinstance(key, Col)}  # what follows from them is no key
        return tuple(k for k in keys if k in columns or not _columns_in(k) <= columns)

    def _group_key(self, item: exp.Expr, outputs: tuple[Expr, ...]) -> Expr:
        index = position(item)
        if index is not None:
            if self.query.dialect in ("tsql", "oracle"):
                raise Unsupported("GROUP BY a number")  # a constant there, or an error
            return nth(outputs, index, "GROUP BY")
        if isinstance(item.unnest(), (exp.Tuple, exp.Cube, exp.Rollup, exp.GroupingSets, exp.Var)):
            raise Unsupported("GROUP BY with several groupings", item)
        return self.scalar(item, "group")

    def _ordered(self) -> list[exp.Expr]:
        items = order_items(self.node)
        if self.query.complete and orders_by_all(items, self.query.dialect):
            return all_by_number(items[0], len(self.query.outputs))
        return items

    def _order(self, item: exp.Expr, outputs: tuple[Expr, ...]) -> Expr:
        index = position(item.this)
        if index is not None:
            if not self.query.complete:
                raise Unsupported(UNKNOWN)
            return nth(outputs, index, "ORDER BY")
        if is_all(item.this):
            raise Unsupported("ORDER BY ALL")
        self.whole_item = item.this.unnest()
        return self.scalar(item.this, "order")

    def _finish(
        self, names: tuple[str, ...], rel: Rel, outputs: tuple[Expr, ...], order: tuple[Expr, ...]
    ) -> Plan:
        """``outputs``: those that have names, and behind them what stars may hold."""
        distinct, ordered = self.node.args.get("distinct"), needs_order(self.query)
        if ordered and any(map(is_random, order)):
            raise Unsupported("ORDER BY a random value")
        pairs = zip(self._ordered(), order, strict=True) if ordered else ()
        keys = with_nulls_said([sort_key(item, value) for item, value in pairs])
        hidden = tuple(dict.fromkeys(key.expr for key in keys if key.expr not in outputs))
        rel = Project(rel, outputs + hidden)
        if distinct is not None:
            if distinct.args.get("on") and not self._is_of_all(distinct, names, outputs):
                raise Unsupported("DISTINCT ON")
            if hidden:
                raise Unsupported("ORDER BY past DISTINCT")
            rel = Distinct(rel)
        if not ordered:
            return Plan(names, rel)
        place = {expr: i for i, expr in reversed(list(enumerate(outputs + hidden)))}
        placed = [replace(key, expr=Col(place[key.expr])) for key in keys]
        return ordered_plan(self.query, names, rel, placed)

    def _is_of_all(
        self, distinct: exp.Expr, names: tuple[str, ...], outputs: tuple[Expr, ...]
    ) -> bool:
        """DISTINCT ON (e, ...) e, ... -> DISTINCT e, ...: rows that are equal there are one row.

        Not where an output has the name of a key and is something else: engines do not agree
        which of them is meant; nor where a value is another one each time it is asked for."""
        if any(map(is_random, outputs)):
            return False
        named = dict(zip((name.lower() for name in names), outputs, strict=False))
        keys = distinct.args["on"].expressions
        if len(names) != len(outputs) or any(position(key) is not None for key in keys):
            return False
        said = [self.scalar(key, "select") for key in keys]
        bare = [(key.name.lower(), value) for key, value in zip(keys, said, strict=True)
                if isinstance(key, exp.Column)]  # fmt: skip
        return {*said} == {*outputs} and all(named.get(n, v) == v for n, v in bare)

    # --- scalars

    def scalar(self, node: exp.Expr, clause: str) -> Expr:
        """The expression over the positions of this block's FROM."""
        found = encode(node, lambda part: self._leaf(part, clause), self.query.dialect)
        return _per_row(found, "ON") if clause == "on" else found

    def _leaf(self, node: exp.Expr, clause: str) -> Expr | None:
        match node:
            case exp.Pseudocolumn():
                raise Unsupported(f"pseudo-column {node.name}")
            case exp.Column() if node.args.get("join_mark"):
                raise Unsupported("an outer join by (+)")
            case exp.Column():
                return self._tested(node, clause, self._reference(node, clause))
            case exp.EQ() | exp.NEQ() | exp.Not() | exp.Is() | exp.NullSafeEQ() | exp.NullSafeNEQ():
                return self._flag(node, clause)
            case exp.Cast() if self.query.dialect == "tsql" and (flag := bit(node)) is not None:
                return _TRUE if flag else _FALSE
            case exp.Literal() if is_date_text(self.query, node, clause):
                return cast_to(Lit("string", node.this), "date")
            case exp.Dot(expression=exp.Identifier() as name) if not _is_word(node.this):
                return field(self.scalar(node.this, clause), folded(name, self.query.dialect))
            case exp.Subquery() if not isinstance(node.parent, exp.Array):
                return Subquery("scalar", self._nested(node, 1))
            case exp.Array(expressions=[exp.Select() | exp.SetOperation() as inner]):
                return Subquery("array", self._nested(inner, 1))
            case exp.Query():  # what else makes one value of many rows
                above = node.parent.key if node.parent is not None else ""
                raise Unsupported(f"{above} over a query")
            case exp.Exists():
                return Subquery("exists", self._exists(node))
            case exp.In() if node.args.get("query") is not None:
                only(node, frozenset({"this", "query"}))
                left = node.this.unnest()
                items = left.expressions if isinstance(left, exp.Tuple) else [left]
                operands = tuple(self.scalar(item, clause) for item in items)
                return Subquery(
                    "in", self._nested(_inside(node.args["query"]), len(items)), operands
                )
            case exp.Any() | exp.All():
                raise Unsupported(
                    "a comparison with all rows of a query, or any", node.parent or node
                )
            case _:
                return None

    def _flag(self, node: exp.Expr, clause: str) -> Expr | None:
        """x = TRUE, x <> FALSE and x are one test where x is declared BOOLEAN; so are x = FALSE,
        x <> TRUE and NOT x. IS TRUE and the like also say what is for NULL."""
        found = flag_test(node, self.query.dialect)
        if found is None or declared(self.query, found.tested, clause) != "boolean":
            return None
        value = self.scalar(found.tested, clause)
        test = Call("eq", (value, _TRUE if found.value else _FALSE), _BOTH)
        if found.null is None:
            return test
        known = Call("is", (value, null()), _BOTH if found.null else (*_BOTH, "negate=True"))
        return Call("or" if found.null else "and", (test, known))

    def _tested(self, node: exp.Column, clause: str, value: Expr) -> Expr:
        """A flag that is a condition by itself."""
        if not is_tested(node) or declared(self.query, node, clause) != "boolean":
            return value
        return Call("eq", (value, _TRUE), _BOTH)

    def _exists(self, node: exp.Exists) -> Rel:
        only(node, frozenset({"this"}))
        inner = _inside(node.this)
        if not isinstance(inner, (exp.Select, exp.SetOperation, exp.Subquery)):
            raise Unsupported("EXISTS over a value")
        outer = (self.source.frame, *self.outer)
        return self.blocks.some_row(self.query.nested(inner), outer)

    def _nested(self, node: exp.Expr, columns: int) -> Rel:
        outer = (self.source.frame, *self.outer)
        assert isinstance(node, exp.Expression)
        plan = self.blocks.plan(self.query.nested(node), outer)
        if is_open(plan.names):
            raise Unsupported(UNKNOWN)
        rel = trim(plan)
        if width(rel) != columns:
            raise Unsupported(f"a subquery of {width(rel)} columns for {columns}")
        return rel

    def _reference(self, node: exp.Column, clause: str) -> Expr:
        ref = self.query.find(node, clause)
        if ref.alias is not None:
            return self._alias(node, ref, clause)
        if self.query.dialect == "clickhouse" and not node.table:
            self._no_alias_before(node, ref)
        return self._input_column(node, ref)

    def _struct(self, node: exp.Column) -> Expr:
        """The value of a column of structs; an alias cannot be meant."""
        ref = self.query.find(node, "no alias is seen here")
        return self._input_column(node, ref)

    def _input_column(self, node: exp.Column, ref: Ref) -> Expr:
        if ref.path:
            return self._field(node, ref)
        if ref.merged:
            return self._merged(ref)
        if ref.certainty == "ambiguous":
            return self._of_one(ref)
        if ref.column != "*" and ref.column != folded(node.this, self.query.dialect):
            raise Unsupported("a quoted name in another case, or a column by its position")
        if ref.input is None:
            return self._parameter(node, ref)
        found = self._at(ref.input, ref.column)
        is_row = ref.column == REST and not isinstance(node.this, exp.Star)
        return row_value(found, folded(node.this, self.query.dialect)) if is_row else found

    def _of_one(self, ref: Ref) -> Expr:
        """A column that one of the items has whose columns nobody knows: which one it is, their
        tables decide, and its value their rows. Where two had it, engines refuse the query.
        BigQuery shows the fields of an array's elements like columns of a table."""
        entered = [item for item, _ in self.source.frame]
        arrays = [item for item in entered if isinstance(item.node, exp.Unnest)]
        unknown = [item for item in entered if item.columns is None and item not in arrays]
        told = any(ref.column in item.index for item in entered)
        if self.outer or told or any(e not in (*unknown, *arrays) for e in ref.candidates):
            raise Unsupported(f"column {ref.column} is ambiguous")
        rows = [self.source.column(item, REST) for item in unknown]
        elements = [self.source.column(item, self.blocks.columns(item)[0]) for item in arrays]
        return of_one([*rows, *elements], ref.column)

    def _at(self, item: Input, column: str) -> Expr:
        """A column of an item; of an array the element, its position, or a field of an element
        without a name."""
        if not isinstance(item.node, exp.Unnest):
            return self.source.column(item, column)
        names = self.blocks.columns(item)
        if column in names:
            return self.source.column(item, column)
        if column == "*" or names[0]:
            raise Unsupported(f"column {column} of the elements of an array")
        return field(self.source.column(item, names[0]), column)

    def _field(self, node: exp.Column, ref: Ref) -> Expr:
        """A field of a struct, or of a struct in a struct: `s.p.q` over the column s."""
        if ref.merged or ref.certainty == "ambiguous" or ref.input is None:
            raise Unsupported(f"column {node.sql()} is ambiguous or not known")
        value = self._at(ref.input, ref.column)
        for name in ref.path:
            value = field(value, name)
        return value

    def _merged(self, ref: Ref) -> Expr:
        """A column that FULL JOIN USING merged: the first of those that are there."""
        inputs = [each.input for each in ref.merged if each.input is not None]
        sides = {each.join.side for each in inputs[1:] if each.join is not None}
        if len(inputs) < len(ref.merged) or (len(inputs) > 2 and sides != {"FULL"}):
            raise Unsupported("a column merged by joins of several kinds")
        return reduce(first_of, (self.source.column(each, ref.column) for each in inputs))

    def _alias(self, node: exp.Column, ref: Ref, clause: str) -> Expr:
        found = [self._output(each) for each in self.query.outputs if each.name == ref.column]
        if ref.alias not in self.query.outputs or not found:
            raise Unsupported(f"alias {ref.column} is not one of this query's")
        if len(set(found)) > 1:
            raise Unsupported(f"alias {ref.column} is given twice")
        if self._size(found[0]) > _LARGEST:
            raise Unsupported(f"alias {ref.column} stands for too long an expression")
        if clause not in ("group", "order") and is_random(found[0]):
            raise Unsupported("a random value under an alias")
        if clause == "order" and node is not self.whole_item:
            self._no_column_behind(node, found[0])
        self._presume(ref)
        return found[0]

    def _presume(self, ref: Ref) -> None:
        """An alias is meant only if no relation has a column of its name, where the column wins."""
        value = ref.alias.expression if ref.alias is not None else None
        if isinstance(value, exp.Column) and folded(value.this, self.query.dialect) == ref.column:
            return  # it is that column
        for each in ref.candidates:
            table = self.query.binder.uses(each.relation or "", decides=False)
            if table is not None and ref.column in table.index:
                raise Unsupported(f"{ref.column} is an alias, and a column of {each.relation}")
        self.blocks.presumed.update(
            f"{each.relation or each.alias} has no column {ref.column}: "
            "the alias is meant where a query reads that name"
            for each in ref.candidates
        )

    def _no_alias_before(self, node: exp.Column, ref: Ref) -> None:
        """Raises where an alias may be meant that name resolution did not follow: ClickHouse sees
        those further to the right as well, and one that hides the column it is made of."""
        for each in self.query.outputs:
            named = isinstance(each.node, exp.Alias) and each.name == ref.column
            if named and each.expression is not node and not is_inside(node, each.node):
                raise Unsupported(f"alias {ref.column} hides a column")

    def _size(self, expr: Expr) -> int:
        """How many nodes an expression has when it is written out; aliases of aliases double it."""
        known = self._sizes.get(expr.digest)
        if known is None:
            known = self._sizes[expr.digest] = 1 + sum(map(self._size, operands(expr)))
        return known

    def _no_column_behind(self, node: exp.Column, value: Expr) -> None:
        """Inside an ORDER BY expression, dialects differ on whether alias or column is meant; in
        BigQuery it is the alias (its reference, query syntax, "ambiguity between a FROM clause
        column and an alias")."""
        if self.query.dialect == "bigquery":
            return
        ref = self.query.find(node, "no alias is seen here")
        if ref.input is not None and ref.level == 0 and self._input_column(node, ref) != value:
            raise Unsupported(f"alias {ref.column} hides a column")

    def _parameter(self, node: exp.Column, ref: Ref) -> Expr:
        if ref.column.lower() in self.blocks.bound:
            return Param(ref.column.lower())
        if is_parameter(node) and isinstance(node.parent, _COMPUTING):
            return Param(ref.column.lower())  # one value: the judgement says what that assumes
        if is_parameter(node):
            raise Unsupported("a placeholder that may stand for anything")
        raise Unsupported(f"column {node.sql()} is not known")


# What a text put in for a placeholder is an operand of, or the name it gets: it is a value then.
_COMPUTING = (
    exp.Alias,
    exp.Predicate,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.Mod,
    exp.Cast,
    exp.Func,
)


def ordered_plan(query: Query, names: tuple[str, ...], rel: Rel, keys: list[SortKey]) -> Plan:
    """The plan with the block's LIMIT, and its order where that is the statement's."""
    limit, offset, ties = bounds(query.node)
    final = tuple(keys) if is_root(query) else ()
    if limit is None and offset is None:
        return Plan(names, rel, final)
    return Plan(names, Sort(rel, tuple(keys), limit, offset, ties), final)


def needs_order(query: Query) -> bool:
    """Whether the block's ORDER BY has an effect on the statement's result."""
    return is_limited(query.node) or is_root(query)


def is_root(query: Query) -> bool:
    """Whether this block's order is the order of the statement's result."""
    return is_last(query.node)


def is_last(query: exp.Expr) -> bool:
    """Whether this query's order is the order of the statement's result."""
    parent = query.parent
    while isinstance(parent, exp.Subquery):
        parent = parent.parent
    return parent is None


def field(value: Expr, name: str) -> Expr:
    """A field of a struct value, as the parser's own Dot would be."""
    return Call("dot", (value,), ("this", f"expression:id {name}"))


def _is_value(node: exp.Expr) -> bool:
    """Whether a query stands as a value in an expression; elsewhere its struct is many columns."""
    above = node.parent.parent if isinstance(node.parent, exp.Subquery) else None
    return above is not None and not isinstance(above, exp.From | exp.Join | exp.CTE | exp.Query)


def _columns_in(expr: Expr) -> set[Expr]:
    """The columns that an expression reads."""
    return {part for part in parts(expr) if isinstance(part, Col)}


def _is_word(node: exp.Expr) -> bool:
    """Whether a name stands there that is no value, as before a function in a namespace."""
    return isinstance(node, exp.Identifier | exp.Var)


def _inside(node: exp.Expr) -> exp.Expr:
    """Without one pair of parentheses that belongs to EXISTS or IN, not to the query."""
    bare = isinstance(node, exp.Subquery) and not any(
        value for name, value in node.args.items() if name != "this"
    )
    return node.this if bare else node


def _per_row(expr: Expr, clause: str) -> Expr:
    """The expression, which stands where no group is formed yet."""
    if any(isinstance(part, (Agg, Over)) for part in parts(expr)):
        raise Unsupported(f"an aggregate or window function in {clause}")
    return expr
