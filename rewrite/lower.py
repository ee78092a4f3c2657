"""From a resolved query to a plan. What is not understood becomes Opaque, with its reason.

The lowering is a closed world: a clause, join or setting that is not named here makes the whole
query Opaque (canonical text over its inputs), never a plan that forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.names import deep_stack, fold, folded, is_never_bare, is_token, relation_name
from unwet.lineage.resolve import Input, Query
from unwet.lineage.tables import Catalog
from unwet.lineage.trees import found_in
from unwet.rewrite.algebra import Col, Distinct, Plan, Rel, Scan, SetOp, Values, width
from unwet.rewrite.clauses import (
    all_by_number,
    first_columns,
    no_columns,
    only,
    order_items,
    orders_by_all,
    position,
    set_kind,
    skips,
    sort_key,
    trim,
)
from unwet.rewrite.from_clause import Frame
from unwet.rewrite.opaque import opaque
from unwet.rewrite.pivots import pivot_plan
from unwet.rewrite.references import free_outers, reads_outer_row
from unwet.rewrite.row_order import reads_order, sees_order
from unwet.rewrite.scalars import Unsupported, encode
from unwet.rewrite.select_block import (
    is_last,
    needs_order,
    ordered_plan,
    row_test,
    select_plan,
)
from unwet.rewrite.stars import REST, UNKNOWN, aligned, is_open
from unwet.rewrite.volatile import is_random_plan

__all__ = ["Env", "Lowerer", "lower", "trim"]

_SETOP: Final = frozenset(["with_", "this", "expression", "distinct", "order", "limit", "offset"])
_UPPER: Final = ("snowflake", "oracle")  # dialects that fold unquoted names to upper case


@dataclass(frozen=True, slots=True)
class Env:
    """What a query is read against: the catalog and the relations defined so far."""

    catalog: Catalog
    definitions: Mapping[str, Plan] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()  # tokens of driver-bound parameters, lower case
    presumed: set[str] = field(default_factory=set, compare=False)  # what lowering took for granted


def lower(query: Query, env: Env, lowerer: Lowerer | None = None) -> Plan:
    """The plan of a whole query; one Opaque node where anything in it is not understood.
    `lowerer`: one for this query and `env` that remembers the plans of its blocks."""
    try:
        _check_names(query)
        _check_order(query)
        with deep_stack():
            plan = (lowerer or Lowerer(env, query)).plan(query)
            return plan if plan.order else Plan(plan.names, trim(plan))
    except Unsupported as unsupported:
        return opaque(query, env.definitions, unsupported.in_words(query.dialect))
    except RecursionError:
        return opaque(query, env.definitions, "it is nested too deeply")


def _check_names(query: Query) -> None:
    """Where unquoted names fold to upper case, "id" is not id; folded they would be one."""
    if query.dialect in _UPPER:
        for name in query.node.find_all(exp.Identifier):
            text = name.name
            if name.args.get("quoted") and text == text.lower() != text.upper():
                if is_never_bare(text) and _is_of_table(name):
                    continue  # nothing without quotes could be it, and "A-B" is kept apart
                raise Unsupported(f'the quoted name "{text}"')
    if query.dialect != "bigquery":  # whose parser puts INFORMATION_SCHEMA.TABLES into one name
        names = (part for table in found_in(query.node, exp.Table) for part in table.parts)
        for part in names:
            if isinstance(part, exp.Identifier) and "." in part.name:
                raise Unsupported(f'the name "{part.name}", in which a dot is no end of a schema')


def _is_of_table(name: exp.Identifier) -> bool:
    """Whether it is a part of a table's name, or its other one, where it is read or before a
    column."""
    match name.parent:
        case exp.Table():
            return True
        case exp.TableAlias() as alias:
            return name.arg_key == "this" and isinstance(alias.parent, exp.Table)
        case exp.Column():
            return name.arg_key != "this"
        case _:
            return False


def _check_order(query: Query) -> None:
    """An order without limit is dropped, which nobody may notice; so is that before OFFSET 0."""
    dropped = [
        node
        for node in found_in(query.node, exp.Query)
        if order_items(node) and not (node.args.get("limit") or skips(node)) and not is_last(node)
    ]
    if not dropped or not reads_order(query.node, query.dialect):
        return
    if any(sees_order(query.node, node, query.dialect) for node in dropped):
        raise Unsupported("the order of a subquery may matter")


class Lowerer:
    """Lowers the blocks of one statement, each shared block once."""

    def __init__(self, env: Env, query: Query) -> None:
        self.env = env
        self.bound, self.presumed = env.bound, env.presumed
        self._root = query.node
        self._dialect = query.dialect
        self._used: tuple[str, ...] | None = None
        self._members: dict[int, tuple[str, ...]] = {}  # by the block's id
        self._done: dict[int, tuple[Query, Plan]] = {}
        self._read: set[int] = set()

    def plan(self, query: Query, outer: tuple[Frame, ...] = ()) -> Plan:
        """The plan of one block. ``outer`` are the frames of the enclosing queries. A plan that
        reads none of their rows is the same wherever the block is read."""
        known = self._done.get(id(query))
        if known is not None and known[0] is query:
            return known[1]
        plan = self._plan(query, outer)
        if not outer or not _reads_outer_rows(plan):
            self._done[id(query)] = (query, plan)
        return plan

    def some_row(self, query: Query, outer: tuple[Frame, ...]) -> Rel:
        """A relation that has rows where the query has."""
        if not query.complete:
            rel = row_test(self, query, outer)
            if rel is not None:
                return rel
        return trim(self.plan(query, outer))

    def _plan(self, query: Query, outer: tuple[Frame, ...]) -> Plan:
        if query.recursive:
            raise Unsupported("recursive query")
        match query.kind:
            case "select":
                return select_plan(self, query, outer)
            case "setop":
                return self._set_operation(query, outer)
            case "values":
                return self._values(query)
            case _ if isinstance(query.node, exp.Pivot) and len(query.inputs) == 1:
                base = query.inputs[0]
                rows = self.relation(base, outer)  # first: its columns are known then
                return pivot_plan(query, rows, self.columns(base), self.presumed)
            case _:
                raise Unsupported("a query that is no SELECT", query.node)

    def _set_operation(self, query: Query, outer: tuple[Frame, ...]) -> Plan:
        node = query.node
        only(node, _SETOP)
        branches = [self.plan(branch, outer) for branch in query.branches]
        rels = tuple(trim(plan) for plan in branches)
        if len({width(rel) for rel in rels}) != 1:
            raise Unsupported("branches of different width")
        if not aligned([plan.names for plan in branches]):
            raise Unsupported(UNKNOWN)
        kind, distinct = set_kind(node)
        rel: Rel = SetOp(kind, rels)
        if distinct:
            rel = Distinct(rel)
        names = tuple(output.name for output in query.outputs)
        if not names or is_open(branches[0].names):
            names = branches[0].names
        if not needs_order(query):
            return Plan(names, rel)
        items = order_items(node)
        if query.complete and orders_by_all(items, query.dialect):
            items = all_by_number(items[0], len(query.outputs))
        keys = [sort_key(item, Col(_output_of(query, item))) for item in items]
        return ordered_plan(query, names, rel, keys)

    def _values(self, query: Query) -> Plan:
        rel = _literal_rows(query.node)
        names = tuple(output.name for output in query.outputs)
        return Plan(names or tuple(f"col{i}" for i in range(rel.width)), rel)

    def relation(self, item: Input, outer: tuple[Frame, ...]) -> Rel:
        """The rows of one FROM item, its columns in the order of ``columns(item)``."""
        if item.query is not None:
            return self._query_rows(item, item.query, outer)
        if isinstance(item.node, exp.Values):
            return _literal_rows(item.node)
        if item.stored is None:
            raise Unsupported("rows in FROM that are not understood", item.node)
        self._presume(item.node, item.stored)
        defined = self.env.definitions.get(item.stored)
        if defined is not None:
            return trim(defined)
        return Scan(item.stored, self._own_columns(item))

    def _presume(self, node: exp.Expr, relation: str) -> None:
        """A schema that is a placeholder may be any: it is taken for the one that has the table."""
        written = relation_name(node, self._dialect) if isinstance(node, exp.Table) else ""
        asked = written.rpartition(".")[0]
        found = relation.rpartition(".")[0]
        if asked.lower() != found.lower() and any(map(is_token, asked.split("."))):
            where = f"{found}: only that has" if found else "the usual one, of"
            self.presumed.add(f"the schema {asked} is {where} the tables that are read from it")

    def _query_rows(self, item: Input, query: Query, outer: tuple[Frame, ...]) -> Rel:
        rel = self._with_members(query, self.plan(query, outer))
        if isinstance(item.node, exp.Table):  # a CTE: engines differ in how often it is evaluated
            if id(query) in self._read and is_random_plan(rel):
                raise Unsupported("a CTE of random values that is read twice")
            self._read.add(id(query))
        return rel

    def _with_members(self, query: Query, plan: Plan) -> Rel:
        """The rows of a block, and behind its outputs the columns that its stars may hold."""
        members = self._members.get(id(query), ())
        return first_columns(plan.rel, len(plan.names) + len(members))

    def keep_members(self, query: Query, names: tuple[str, ...]) -> None:
        """Note the columns behind a block's outputs that its stars may hold."""
        self._members[id(query)] = names

    @property
    def used(self) -> tuple[str, ...]:
        """Every column name of the statement, sorted."""
        if self._used is None:
            columns = found_in(self._root, exp.Column)  # s.p.q may be a field of a column s
            parts = [part for c in columns for part in c.parts]
            parts += (e for j in found_in(self._root, exp.Join) for e in j.args.get("using") or ())
            names = {folded(part, self._dialect) for part in parts}
            self._used = tuple(sorted(names - {REST, ""}))
        return self._used

    def columns(self, item: Input) -> tuple[str, ...]:
        """The names of an item's columns, its alias list applied."""
        if item.query is not None and item.columns is None:
            if self._alias_list(item) or id(item.query) not in self._done:
                raise Unsupported(f"the columns of {item.alias or 'a FROM item'} are not known")
            names = self._done[id(item.query)][1].names
            return (*names, *self._members.get(id(item.query), ()))
        if item.query is not None or isinstance(item.node, exp.Values):
            if item.columns is None:
                raise Unsupported(f"the columns of {item.alias or 'a FROM item'} are not known")
            return item.columns
        if isinstance(item.node, exp.Unnest):
            return self._element(item)
        own, listed = self._own_columns(item), self._alias_list(item)
        return (*listed, *own[len(listed) :])

    def _own_columns(self, item: Input) -> tuple[str, ...]:
        """The relation's own columns. One that nobody describes has every name its statement
        uses: too many do no harm, as columns that are not read are dropped from the plan."""
        defined = self.env.definitions.get(item.relation) if item.relation else None
        if defined is not None:
            return defined.names
        if item.relation is None:
            raise Unsupported(f"the columns of {item.alias or 'a FROM item'} are not known")
        if item.columns is not None and item.table is not None:
            return item.table.names
        if self._alias_list(item):
            raise Unsupported("a column list for a table that nobody describes")
        return (*sorted({*self.used, *item.index}), REST)

    def _element(self, item: Input) -> tuple[str, ...]:
        """The columns of an UNNEST: the element, and its position where that is asked for."""
        asked = item.node.args.get("offset")
        names = list(item.columns or ())
        if not names or (asked is not None and len(names) == 1):
            position = folded(asked, self._dialect) if isinstance(asked, exp.Identifier) else ""
            element = "" if position in names else (names or [""])[0]
            names = [element, *([position or "offset"] if asked is not None else [])]
        if len(names) != 1 + (asked is not None):
            raise Unsupported("UNNEST into several columns")
        return tuple(names)

    def shown(self, item: Input) -> tuple[int, ...]:
        """Which of ``columns(item)`` a star over the item stands for."""
        if isinstance(item.node, exp.Unnest):
            raise Unsupported("a star over the elements of an array")
        if item.query is not None and item.columns is None:
            return tuple(range(len(self._done[id(item.query)][1].names)))
        names = self.columns(item)
        if item.query is None and REST in names and item.relation not in self.env.definitions:
            return (names.index(REST),)
        return tuple(range(len(names)))

    def _alias_list(self, item: Input) -> tuple[str, ...]:
        alias = item.node.args.get("alias")
        listed = alias.args.get("columns") if isinstance(alias, exp.TableAlias) else None
        return tuple(folded(name, self._dialect) for name in listed or ())


def _reads_outer_rows(plan: Plan) -> bool:
    return bool(free_outers(plan.rel)) or any(reads_outer_row(k.expr) for k in plan.order)


def _output_of(query: Query, item: exp.Expr) -> int:
    """The output that an ORDER BY item of a set operation names."""
    if not query.complete:
        raise Unsupported(UNKNOWN)
    node, names = item.this.unnest(), [output.name for output in query.outputs]
    index = position(node)
    if index is not None and 0 <= index < len(names):
        return index
    if isinstance(node, exp.Column) and not node.table:
        name = fold(node.name, bool(node.this.args.get("quoted")), query.dialect)
        if names.count(name) == 1:
            return names.index(name)
    raise Unsupported("ORDER BY an expression that is not an output")


def _literal_rows(node: exp.Expr) -> Values:
    only(node, frozenset({"expressions", "alias"}))
    rows = tuple(
        tuple(encode(cell, no_columns) for cell in _cells(row)) for row in node.expressions
    )
    wide = len(rows[0]) if rows else 0
    if any(len(row) != wide for row in rows):
        raise Unsupported("VALUES rows of different width")
    return Values(rows, wide)


def _cells(row: exp.Expr) -> Iterable[exp.Expr]:
    return row.expressions if isinstance(row, exp.Tuple) else [row]
