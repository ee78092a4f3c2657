"""From a parsed statement to what its names mean: queries with inputs, outputs and CTEs.

One pass over the tree; nothing is copied or changed. What cannot be known is left open: stars
over unknown tables make a query incomplete, and `Query.find` says how certain each name is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from unwet.lineage import lookup
from unwet.lineage.inputs import Env, add_inputs, from_items, value_names
from unwet.lineage.moves import Move, moves, returned, written
from unwet.lineage.names import (
    INTO_VARIABLES,
    SELF_REFERENCE,
    deep_stack,
    folded,
    is_parameter,
    relation_name,
)
from unwet.lineage.parse import Statement
from unwet.lineage.patterns import matched
from unwet.lineage.pivots import pivoted
from unwet.lineage.scopes import BODIES, Input, Named, Output, Query, QueryKind, Ref
from unwet.lineage.stars import all_columns, set_outputs
from unwet.lineage.tables import Relations, Table
from unwet.lineage.targets import (
    assigned,
    base_relation,
    column_name,
    into_of,
    is_temporary,
    made_name,
    written_relation,
)

__all__ = ["Input", "Output", "Query", "Ref", "Resolved", "is_parameter", "resolve"]

NO_CTES: Env = MappingProxyType({})
NO_SCALARS: Mapping[str, Output] = MappingProxyType({})
Kind = Literal[
    "query",
    "ctas",
    "view",
    "insert",
    "select_into",
    "create_table",
    "drop",
    "truncate",
    "update",
    "delete",
    "merge",
    "other",
]


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """A statement with its names resolved.

    `query`: what it reads, None when it reads nothing that is understood. `target`: the relation
    it writes. `target_columns`: the columns it names there, None when it names none. `more`: what
    the same statement writes besides (see `moves`).
    """

    statement: Statement
    query: Query | None
    target: str | None
    target_columns: tuple[str, ...] | None
    kind: Kind
    temp: bool = False
    more: tuple["Resolved", ...] = ()

    def all(self) -> Iterator["Resolved"]:
        """Everything the statement writes."""
        yield self
        for each in self.more:
            yield from each.all()


def resolve(statement: Statement, catalog: Relations) -> Resolved:
    """Resolve one statement against the catalog; never raises for SQL it does not know."""
    with deep_stack():
        return _Resolver(statement, catalog).statement()


class _Resolver:
    """State of one statement: its dialect, and the catalog its tables are looked up in."""

    def __init__(self, statement: Statement, catalog: Relations) -> None:
        self.source = statement
        self.catalog = catalog
        self.dialect = statement.dialect
        self.variables = statement.variables | _arguments(statement.tree)
        self.spreads = "columns" in statement.text.lower()
        self.envs: dict[int, Env] = {}  # by id of the query node: where its sub-queries look
        self.beside: list[Resolved] = []  # what CTEs write
        self.scalars: dict[int, Mapping[str, Output]] = {}  # by id of the environment
        self.kept: list[Env] = []  # as long as their ids are keys

    # --- statements

    def statement(self) -> Resolved:
        tree = self.source.tree
        first = self._statement(tree)
        moved = [*moves(self, tree), *written(self, tree, first.target)]
        more = (*self.beside, *(self._moved(each) for each in moved))
        return replace(first, more=more) if more else first

    def _moved(self, move: Move) -> Resolved:
        if isinstance(move.target, str):
            return Resolved(self.source, move.query, move.target, None, "other")
        assert isinstance(move.target, exp.Expression)
        return self._made("other", move.target, move.query)

    def _statement(self, tree: exp.Expression) -> Resolved:
        match tree:
            case exp.Select() | exp.SetOperation() | exp.Subquery() | exp.Values() | exp.Pivot():
                return self._query_statement(tree)
            case exp.LockingStatement() if isinstance(tree.expression, exp.Expression):
                return self._statement(tree.expression)
            case exp.Create():
                return self._create(tree)
            case exp.Insert():
                return self._insert(tree, {})
            case exp.Update() | exp.Delete() | exp.Merge():
                return self._change(tree, {})
            case exp.Drop():
                dropped = tree.args.get("tables") or [tree.this]
                return self._made("drop", dropped[0])
            case exp.TruncateTable():
                return self._made("truncate", tree.expressions[0] if tree.expressions else None)
            case _:
                return self._made("other", None)

    def _made(
        self,
        kind: Kind,
        target: exp.Expression | None,
        query: Query | None = None,
        temp: bool = False,
    ) -> Resolved:
        columns: tuple[str, ...] | None = None
        if isinstance(target, exp.Schema):
            columns = tuple(column_name(each, self.dialect) for each in target.expressions)
            columns = tuple(name for name in columns if name) or None
            target = target.this
        name = made_name(self.source.tree, target, self.dialect)
        relation = self.table(name, writing=True)[0] if name else None
        return Resolved(self.source, query, relation, columns, kind, temp or name[:1] in ("#", "@"))

    def _query_statement(self, tree: exp.Expression) -> Resolved:
        query = self.query(tree, {}, None)
        into = into_of(tree)
        if into is None:
            return Resolved(self.source, query, None, None, "query")
        if self.dialect in INTO_VARIABLES:
            return Resolved(self.source, query, None, None, "other")
        return self._made("select_into", into.this, query, bool(into.args.get("temporary")))

    def _create(self, tree: exp.Create) -> Resolved:
        kind = str(tree.args.get("kind") or "").upper()
        temp = is_temporary(tree)
        body = tree.args.get("expression")
        if kind not in ("TABLE", "VIEW"):
            return self._made("other", None)
        clone = tree.args.get("clone")
        if clone is not None and isinstance(clone.this, exp.Table):
            return self._made("ctas", tree.this, self.whole(clone.this), temp)
        if not isinstance(body, BODIES):
            return self._made("create_table" if kind == "TABLE" else "view", tree.this, None, temp)
        query = self.body(tree, body)
        return self._made("ctas" if kind == "TABLE" else "view", tree.this, query, temp)

    def _insert(self, tree: exp.Insert, env: Env) -> Resolved:
        body = tree.args.get("expression")
        query = None
        if isinstance(body, BODIES):
            query = self.body(tree, body, env)
        elif isinstance(body, exp.Table):
            query = self.whole(body)
        return self._made("insert", tree.this, query)

    def whole(self, table: exp.Expression) -> Query:
        """A table read as it is: CLONE, INSERT INTO t TABLE s."""
        query = self.shell(table, None)
        add_inputs(self, query, [table], {})
        all_columns(query, table)
        return query

    def body(self, tree: exp.Expression, body: exp.Expression, env: Env = NO_CTES) -> Query:
        """The query that a statement is made of."""
        ctes: dict[str, Query] = {}
        query = self.query(body, self._ctes(tree, env, None, ctes), None)
        query.ctes = {**ctes, **query.ctes}
        return query

    def _change(self, tree: exp.Expression, env: Env) -> Resolved:
        """UPDATE, DELETE, MERGE: the target is the first input; outputs are what is assigned."""
        query = self.shell(tree, None)
        env = self._ctes(tree, env, None)
        self.envs[id(tree)] = env
        using = tree.args.get("using") or []
        extra = using if isinstance(using, list) else [using]
        add_inputs(self, query, [*from_items(tree), *extra], env)
        target = self._target(tree, query, env)
        query.outputs = tuple(assigned(tree, query))
        if isinstance(tree, exp.Update):
            self._split(query, target)
        return Resolved(self.source, query, target, None, _CHANGES[type(tree)])

    def _split(self, query: Query, target: str | None) -> None:
        """UPDATE a JOIN b SET a.x = ..., b.y = ... writes two relations."""
        others: dict[str, list[Output]] = {}
        for output in query.outputs:
            owner = written_relation(output, query)
            if owner and owner != target:
                others.setdefault(owner, []).append(output)
        for relation, outputs in others.items():
            part = replace(query, outputs=tuple(outputs), children={})
            self.beside.append(Resolved(self.source, part, relation, None, "update"))
        if others:
            moved = {id(output) for outputs in others.values() for output in outputs}
            query.outputs = tuple(o for o in query.outputs if id(o) not in moved)

    def _target(self, tree: exp.Expression, query: Query, env: Env) -> str | None:
        table = tree.this
        tables = tree.args.get("tables")
        if isinstance(tree, exp.Delete) and tables:
            add_inputs(self, query, [table], env)
            table = tables[0]
        if not isinstance(table, exp.Table):
            return None
        name = relation_name(table, self.dialect)
        named = [each for each in query.inputs if each.alias == name and not table.args.get("db")]
        if named and not table.alias:
            return named[0].relation or base_relation(named[0])  # UPDATE a ... FROM t AS a
        others = query.inputs
        query.inputs = ()
        add_inputs(self, query, [table], env)
        query.inputs += others
        return query.inputs[0].relation or base_relation(query.inputs[0])

    # --- queries

    def query(self, node: exp.Expression, env: Env, parent: Query | None) -> Query:
        """The query that a node stands for; `parent` is the one its free names belong to."""
        ctes: dict[str, Query] = {}
        outermost = node
        while isinstance(node, exp.Subquery) and not _has_modifiers(node):
            env = self._ctes(node, env, parent, ctes)
            node = node.this
        if node is not outermost and isinstance(node, exp.Subquery) and node.args.get("joins"):
            return self._joined(node, env, parent)
        env = self._ctes(node, env, parent, ctes)
        query = (
            self._spine(node, env, parent) if _is_setop(node) else self._simple(node, env, parent)
        )
        query.ctes = ctes
        return query

    def _joined(self, node: exp.Expression, env: Env, parent: Query | None) -> Query:
        """`((SELECT ...) AS a JOIN b ON ...) AS c`: all columns of what is joined."""
        query = self.shell(node, parent)
        self.envs[id(node)] = env
        add_inputs(self, query, [node], env)
        all_columns(query, node)
        return query

    def shell(self, node: exp.Expression, parent: Query | None, kind: QueryKind = "other") -> Query:
        """An empty query to fill."""
        return Query(node, kind, self.dialect, self, parent)

    def _simple(self, node: exp.Expression, env: Env, parent: Query | None) -> Query:
        match node:
            case exp.Select():
                query = self.shell(node, parent, "select")
                self.envs[id(node)] = env
                query.scalars = self.scalars.get(id(env), NO_SCALARS)
                add_inputs(self, query, from_items(node), env)
                if isinstance(match := node.args.get("match"), exp.MatchRecognize):
                    inner = self.shell(match, parent)
                    self.envs[id(match)] = env
                    query.inputs = (matched(inner, match, query.inputs),)
                set_outputs(query, node, self.spreads)
            case exp.Values():
                query = self.shell(node, parent, "values")
                self.envs[id(node)] = env
                _set_rows(query, node)
            case exp.Subquery() if isinstance(node.this, BODIES):
                query = self.shell(node, parent)
                self.envs[id(node)] = env
                query.branches = (self.query(node.this, env, parent),)
                _take_outputs(query, query.branches[0])
            case exp.Subquery() if isinstance(node.this, exp.Table):
                query = self.shell(node, parent)  # (a JOIN b ON ...) AS c
                self.envs[id(node)] = env
                add_inputs(self, query, [node.this], env)
                all_columns(query, node)
            case exp.Pivot():
                query = self.shell(node, parent)  # DuckDB: PIVOT t ON ...
                self.envs[id(node)] = env
                add_inputs(self, query, [node.this], env)
                query.inputs = (pivoted(self.shell(node, parent), node, query.inputs[0]),)
                all_columns(query, node)
            case _:
                query = self.shell(node, parent)
                query.complete = False
        return query

    def _spine(self, node: exp.Expression, env: Env, parent: Query | None) -> Query:
        """A set operation. Chains lean left and may be thousands long: walked, not recursed."""
        spine = _left_spine(node)
        query = self.query(spine[-1].this, env, parent)
        for each in reversed(spine):
            whole = self.shell(each, parent, "setop")
            self.envs[id(each)] = env
            _take_outputs(whole, query)
            whole.branches = (query, self.query(each.expression, env, parent))
            query = whole
        return query

    def ctes(self, node: exp.Expression) -> Env:
        """The CTEs in sight of a statement's own parts."""
        return self._ctes(node, {}, None)

    def _ctes(
        self,
        node: exp.Expression,
        env: Env,
        parent: Query | None,
        into: dict[str, Query] | None = None,
    ) -> Env:
        clause = node.args.get("with_")
        if clause is None:
            return env
        inner = dict(env)
        scalars = {
            (name := folded(cte.args.get("alias"), self.dialect)): Output(name, cte.this, None, cte)
            for cte in clause.expressions
            if cte.args.get("scalar")
        }
        if scalars:  # ClickHouse: WITH expression AS name
            self.scalars[id(inner)] = {**self.scalars.get(id(env), NO_SCALARS), **scalars}
            self.kept.append(inner)
        recursive = bool(clause.args.get("recursive"))
        for cte in clause.expressions:
            if cte.args.get("scalar"):
                continue
            name = folded(cte.args.get("alias"), self.dialect)
            # a copy: subqueries inside the body are resolved later, and see no later CTE
            inner[name] = self._cte(cte, name, dict(inner), parent, recursive)
            if into is not None:
                into[name] = inner[name]
        return inner

    def _cte(
        self, cte: exp.CTE, name: str, env: dict[str, Query], parent: Query | None, recursive: bool
    ) -> Query:
        body = cte.this
        alias = cte.args.get("alias")
        declared = alias.args.get("columns") or () if alias is not None else ()
        columns = [folded(each, self.dialect) for each in declared]
        if isinstance(body, _WRITES):
            return _renamed(self._written(body, env), columns)
        may_recurse = recursive or self.dialect in SELF_REFERENCE
        if may_recurse and _is_setop(body) and _reads_itself(body, name, self.dialect):
            return self._recursive(body, name, columns, env, parent)
        return _renamed(self.query(body, env, parent), columns)

    def _written(self, tree: exp.Expression, env: Env) -> Query:
        """A CTE that writes: its rows are those of RETURNING; what it writes is told beside."""
        made = self._insert(tree, env) if isinstance(tree, exp.Insert) else self._change(tree, env)
        self.beside.append(made)
        if made.target is None or not isinstance(tree.args.get("returning"), exp.Returning):
            return self.shell(tree, None)
        return returned(self, tree, made.target)

    def _recursive(
        self, body: exp.Expression, name: str, columns: list[str], env: Env, parent: Query | None
    ) -> Query:
        """The first branch names the columns; the others read the whole under its own name."""
        query = self.shell(body, parent, "setop")
        query.recursive = True
        env = self._ctes(body, env, parent)
        _take_outputs(query, self.query(_left_spine(body)[-1].this, env, parent))
        _renamed(query, columns)
        env = self.envs[id(body)] = {**env, name: query}
        query.branches = (
            self.query(body.this, env, parent),
            self.query(body.expression, env, parent),
        )
        return query

    # --- what queries and inputs ask for

    def table(self, name: str, writing: bool = False) -> tuple[str, Table | None]:
        """The relation a name means here, and what is known of it."""
        return self.catalog.find(name, self.source.path, self.source.index + writing)

    def nested(self, query: Query, node: exp.Expression) -> Query:
        """The query inside an expression of `query`, built once."""
        inner = query.children.get(id(node))
        if inner is None:
            env = self.envs.get(id(query.node), {})
            inner = query.children[id(node)] = self.query(node, env, query)
        return inner

    def uses(self, relation: str) -> Table | None:
        """Columns that an undeclared relation was seen with."""
        return self.catalog.uses(relation) if relation else None

    def row(self, name: str) -> Table | None:
        """The temporary table behind the variable of a loop."""
        table = self.table(name)[1]
        return table if table is not None and table.origin == "statement" else None

    def find(self, query: Query, column: Named, clause: str) -> Ref:
        """What a column means."""
        return lookup.find(query, column, clause)


def _arguments(tree: exp.Expression) -> frozenset[str]:
    """The names of a function's own arguments, in lower case."""
    routine = tree.this if isinstance(tree, exp.Create) else None
    listed = routine.expressions if isinstance(routine, exp.UserDefinedFunction) else ()
    return frozenset(each.name.lower() for each in listed)


_WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)
_CHANGES: dict[type[exp.Expression], Kind] = {
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
}
_MODIFIERS = (
    "limit",
    "offset",
    "order",
    "where",
    "group",
    "having",
    "qualify",
    "joins",
    "laterals",
)


def _is_setop(node: object) -> bool:
    return isinstance(node, exp.SetOperation)


def _has_modifiers(node: exp.Expression) -> bool:
    """Whether a parenthesised query carries clauses of its own (`(select ...) limit 3`)."""
    return not isinstance(node.this, exp.Query) or any(node.args.get(key) for key in _MODIFIERS)


def _take_outputs(query: Query, first: Query) -> None:
    """A set operation is named by its first branch."""
    query.complete = first.complete
    if first.kind == "setop":
        query.outputs = first.outputs
        return
    query.outputs = tuple(Output(output.name, None, None, output.node) for output in first.outputs)


def _set_rows(query: Query, node: exp.Expression) -> None:
    rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in node.expressions]
    for i, name in enumerate(value_names(node)):
        cells = [row[i] for row in rows if i < len(row)]
        query.outputs += (
            Output(name, cells[0] if cells else None, None, node, reads=tuple(cells[1:])),
        )


def _renamed(query: Query, columns: list[str]) -> Query:
    """Apply the column list of a CTE: it may be shorter than the outputs."""
    if columns:
        query.outputs = tuple(
            Output(
                columns[i] if i < len(columns) else o.name,
                o.expression,
                o.star,
                o.node,
                o.also,
                o.reads,
            )
            for i, o in enumerate(query.outputs)
        )
        query.aliases = None
    return query


def _left_spine(node: exp.Expression) -> list[exp.Expression]:
    spine = [node]
    while _is_setop(spine[-1].this) and not spine[-1].this.args.get("with_"):
        spine.append(spine[-1].this)
    return spine


def _reads_itself(body: exp.Expression, name: str, dialect: str) -> bool:
    """Whether any branch but the first reads a table of that name."""
    return any(
        table.args.get("db") is None and relation_name(table, dialect) == name
        for each in _left_spine(body)
        for table in each.expression.find_all(exp.Table)
    )
