"""From a parsed statement to what its names mean: what it reads, and what it writes where."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from sqlglot import exp

from unwet.lineage.budget import BUDGET, Budget
from unwet.lineage.inputs import Env, add_inputs, from_items
from unwet.lineage.moves import Move, moves, outputs_into, returned
from unwet.lineage.names import INTO_VARIABLES, deep_stack, folded, is_parameter, relation_name
from unwet.lineage.parse import Statement
from unwet.lineage.queries import Queries
from unwet.lineage.scopes import BODIES, Input, Output, Query, Ref
from unwet.lineage.tables import Relations, tail
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


def resolve(statement: Statement, catalog: Relations, budget: Budget = BUDGET) -> Resolved:
    """Resolve one statement against the catalog; never raises for SQL it does not know."""
    with deep_stack():
        return _Resolver(statement, catalog, budget).statement()


class _Resolver(Queries):
    """What one statement reads and writes."""

    def __init__(self, statement: Statement, catalog: Relations, budget: Budget) -> None:
        super().__init__(statement, catalog, budget)
        self.beside: list[Resolved] = []  # what CTEs write

    def statement(self) -> Resolved:
        tree = self.source.tree
        first = self._statement(tree)
        moved = [*moves(self, tree), *outputs_into(self, tree, first.target)]
        more = (*self.beside, *(self._moved(each) for each in moved))
        return replace(first, more=more) if more else first

    def _each(self, kind: Kind, tables: list[exp.Expression]) -> Resolved:
        """DROP TABLE a, b and TRUNCATE a, b."""
        self.beside += (self._made(kind, each) for each in tables[1:])
        return self._made(kind, tables[0] if tables else None)

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
            case exp.Cache() if isinstance(tree.args.get("expression"), BODIES):
                query = self.body(tree, tree.args["expression"])
                return self._made("ctas", tree.this, query, temp=True)
            case exp.Insert():
                return self._insert(tree, {})
            case exp.Update() | exp.Delete() | exp.Merge():
                return self._change(tree, {})
            case exp.Drop():
                return self._each("drop", tree.args.get("tables") or [tree.this])
            case exp.TruncateTable():
                return self._each("truncate", tree.expressions)
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
        relation = self.written_name(name) if name else None
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
        if isinstance(tree, exp.Delete):
            self._deleted_besides(tree, query)
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

    def _deleted_besides(self, tree: exp.Delete, query: Query) -> None:
        """DELETE a, b FROM ... and DELETE FROM a, b USING ... (MySQL): rows of all of them go."""
        tables = tree.args.get("tables")
        others = tables[1:] if tables else [e.this for e in tree.this.args.get("joins") or ()]
        for each in others if tables or tree.args.get("using") else ():
            name = folded(each.this, self.dialect)
            item = next(
                (e for e in query.inputs if name in (e.alias, tail(e.relation or ""))), None
            )
            relation = item.relation or base_relation(item) if item is not None else None
            part = replace(query, outputs=(), children={})
            self.beside.append(Resolved(self.source, part, relation, None, "delete"))

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

    def written(self, tree: exp.Expression, env: Env) -> Query:
        """A CTE that writes: its rows are those of RETURNING; what it writes is told beside."""
        made = self._insert(tree, env) if isinstance(tree, exp.Insert) else self._change(tree, env)
        self.beside.append(made)
        if made.target is None or not isinstance(tree.args.get("returning"), exp.Returning):
            return self.shell(tree, None)
        return returned(self, tree, made.target)


_CHANGES: dict[type[exp.Expression], Kind] = {
    exp.Update: "update",
    exp.Delete: "delete",
    exp.Merge: "merge",
}
