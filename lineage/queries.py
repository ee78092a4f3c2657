"""Queries with inputs, outputs and CTEs, built from syntax trees.

One pass over the tree; nothing is copied or changed. What cannot be known is left open: stars
over unknown tables make a query incomplete, and `Query.find` says how certain each name is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from sqlglot import exp

from unwet.lineage import lookup
from unwet.lineage.budget import Budget
from unwet.lineage.inputs import Env, add_inputs, from_items, value_names
from unwet.lineage.names import SELF_REFERENCE, folded, relation_name
from unwet.lineage.parse import Statement
from unwet.lineage.patterns import matched
from unwet.lineage.pivots import pivoted
from unwet.lineage.scopes import BODIES, Named, Output, Query, QueryKind, Ref
from unwet.lineage.stars import all_columns, set_outputs
from unwet.lineage.tables import Relations, Table

NO_CTES: Env = MappingProxyType({})
NO_SCALARS: Mapping[str, Output] = MappingProxyType({})
WRITES = (exp.Insert, exp.Update, exp.Delete, exp.Merge)


class Queries(ABC):
    """Builds the queries of one statement; its tables are looked up in a catalog.

    Also what those queries ask later: their nested queries, and what a name means.
    """

    def __init__(self, statement: Statement, catalog: Relations, budget: Budget) -> None:
        self.source = statement
        self.budget = budget
        self.catalog = catalog
        self.dialect = statement.dialect
        self.variables = statement.variables | _arguments(statement.tree)
        self.text = statement.text.lower()
        self.spreads = "columns" in self.text
        self.envs: dict[int, Env] = {}  # by id of the query node: where its sub-queries look
        self.scalars: dict[int, Mapping[str, Output]] = {}  # by id of the environment
        self.kept: list[Env] = []  # as long as their ids are keys

    @abstractmethod
    def written(self, tree: exp.Expression, env: Env) -> Query:
        """The rows of a CTE that writes: those of its RETURNING."""

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
            if each.args.get("by_name"):
                _take_missing(whole)
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
        inner = self._inside(env)
        scalars = {
            (name := folded(cte.args.get("alias"), self.dialect)): Output(name, cte.this, None, cte)
            for cte in clause.expressions
            if cte.args.get("scalar")
        }
        if scalars:  # ClickHouse: WITH expression AS name
            self._name_scalars(inner, {**self.scalars.get(id(env), NO_SCALARS), **scalars})
        recursive = bool(clause.args.get("recursive"))
        for cte in clause.expressions:
            if cte.args.get("scalar"):
                continue
            name = folded(cte.args.get("alias"), self.dialect)
            # a copy: subqueries inside the body are resolved later, and see no later CTE
            inner[name] = self._cte(cte, name, self._inside(inner), parent, recursive)
            if into is not None:
                into[name] = inner[name]
        return inner

    def _inside(self, env: Env) -> dict[str, Query]:
        """A copy of an environment, with the scalars it has in sight."""
        inner = dict(env)
        if id(env) in self.scalars:
            self._name_scalars(inner, self.scalars[id(env)])
        return inner

    def _name_scalars(self, env: Env, scalars: Mapping[str, Output]) -> None:
        self.scalars[id(env)] = scalars
        self.kept.append(env)

    def _cte(
        self, cte: exp.CTE, name: str, env: dict[str, Query], parent: Query | None, recursive: bool
    ) -> Query:
        body = cte.this
        alias = cte.args.get("alias")
        declared = alias.args.get("columns") or () if alias is not None else ()
        columns = [folded(each, self.dialect) for each in declared]
        if isinstance(body, WRITES):
            return _renamed(self.written(body, env), columns)
        may_recurse = recursive or self.dialect in SELF_REFERENCE
        if (
            may_recurse
            and _is_setop(body)
            and self.text.count(name) not in (1, 2)  # where it is made, and where it is read
            and _reads_itself(body, name, self.dialect)
        ):
            return self._recursive(body, name, columns, env, parent)
        return _renamed(self.query(body, env, parent), columns)

    def _recursive(
        self, body: exp.Expression, name: str, columns: list[str], env: Env, parent: Query | None
    ) -> Query:
        """The first branch names the columns; the others read the whole under its own name."""
        query = self.shell(body, parent, "setop")
        query.recursive = True
        env = self._ctes(body, env, parent)
        _take_outputs(query, self.query(_left_spine(body)[-1].this, env, parent))
        _renamed(query, columns)
        inner = self._inside(env)
        inner[name] = query
        env = self.envs[id(body)] = inner
        query.branches = (
            self.query(body.this, env, parent),
            self.query(body.expression, env, parent),
        )
        return query

    # --- what queries and inputs ask for

    def table(self, name: str) -> tuple[str, Table | None]:
        """The relation a name means here, and what is known of it."""
        return self.catalog.find(name, self.source.path, self.source.index)

    def written_name(self, name: str) -> str:
        """The relation a name means once the statement is done; its columns are not asked for."""
        return self.catalog.relation(name, self.source.path, self.source.index + 1)

    def nested(self, query: Query, node: exp.Expression) -> Query:
        """The query inside an expression of `query`, built once."""
        inner = query.children.get(id(node))
        if inner is None:
            env = self.envs.get(id(query.node), {})
            inner = query.children[id(node)] = self.query(node, env, query)
        return inner

    def uses(self, relation: str, decides: bool = True) -> Table | None:
        """Columns that an undeclared relation was seen with; `decides`: a name's meaning depends
        on them, else they are evidence only."""
        return self.catalog.uses(relation, decides) if relation else None

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


def _take_missing(query: Query) -> None:
    """UNION BY NAME has the columns of both sides."""
    left, right = query.branches
    known = {output.name for output in query.outputs}
    missing = (output for output in right.outputs if output.name not in known)
    query.outputs += tuple(Output(each.name, None, None, each.node) for each in missing)
    query.complete = left.complete and right.complete


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
