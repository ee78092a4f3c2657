"""What statements move besides their one query: copies, renames, several targets, RETURNING.

A statement that fills more than one relation, or fills one without a query of its own, gives a
`Move` for each: COPY, UNLOAD, EXPORT and LOAD (files are relations named by their place), RENAME
and SWAP, multi-table INSERT of Hive, Oracle and Snowflake, CTEs that write (PostgreSQL),
OUTPUT ... INTO (T-SQL), and the target behind a materialized view (ClickHouse).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from sqlglot import exp

from unwet.lineage.inputs import Env, add_inputs, derived, from_items, proposed
from unwet.lineage.names import folded, place_name, table_part
from unwet.lineage.scopes import BODIES, Input, Output, Query, QueryKind
from unwet.lineage.stars import all_columns, set_outputs
from unwet.lineage.tables import Table
from unwet.lineage.targets import column_name, function_query, new_name, renamed_by_text

_OUTPUT = frozenset({"tsql", "fabric"})  # where `inserted` and `deleted` name the written rows


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """Rows of `query` that a statement puts into `target`: a table (or its Schema, which names
    columns), or the name of a place outside of the database."""

    target: exp.Expr | str
    query: Query


class Builder(Protocol):
    """What this module needs from `resolve`."""

    dialect: str
    envs: dict[int, Env]

    def query(self, node: exp.Expression, env: Env, parent: Query | None) -> Query: ...
    def shell(self, node: exp.Expression, parent: Query | None, kind: QueryKind = ...) -> Query: ...
    def table(self, name: str) -> tuple[str, Table | None]: ...
    def body(self, tree: exp.Expression, body: exp.Expression) -> Query: ...
    def whole(self, table: exp.Expression) -> Query: ...
    def ctes(self, node: exp.Expression) -> Env: ...


def moves(build: Builder, tree: exp.Expression) -> Iterator[Move]:
    """The moves of a statement, in the order of the text."""
    match tree:
        case exp.MultitableInserts():
            yield from _multitable(build, tree)
        case exp.Copy():
            yield from _copied(build, tree)
        case exp.Export() if isinstance(tree.this, BODIES):
            target = _option(tree, "uri")
            if target:
                yield Move(target, build.body(tree, tree.this))
        case exp.LoadData():
            yield from _loaded(build, tree)
        case exp.Alter():
            yield from _renamed(build, tree)
        case exp.Create():
            yield from _forwarded(build, tree)
            yield from _table_function(build, tree)
        case exp.Insert():
            yield from _inserted(build, tree)
        case exp.Command() | exp.Execute():
            for old, new, keeps in renamed_by_text(tree, build.dialect):
                yield Move(new, build.whole(old))
                if keeps:
                    yield Move(old, build.whole(new))


# --- several targets --------------------------------------------------------------------------


def _multitable(build: Builder, tree: exp.Expression) -> Iterator[Move]:
    """FROM s INSERT ... SELECT ... INSERT ... (Hive); INSERT ALL ... SELECT (Oracle, Snowflake).

    The source is read once: all branches share its input.
    """
    source = tree.args.get("source")
    if not isinstance(source, exp.Expression):
        return
    env = build.ctes(tree)
    common = build.shell(tree, None)
    build.envs[id(tree)] = env
    if isinstance(source, exp.Subquery | exp.Table):
        add_inputs(build, common, [source], env)
    else:
        common.inputs = (derived(source, build.query(source, env, None), build.dialect),)
    for each in tree.expressions:
        insert = each.this if isinstance(each, exp.ConditionalInsert) else each
        body = insert.args.get("expression")
        node = body if isinstance(body, exp.Select) else each
        query = build.shell(node, None, "select" if node is body else "other")
        query.inputs = common.inputs
        build.envs[id(node)] = env
        _fill(query, body)
        yield Move(insert.this, query)


def _fill(query: Query, body: exp.Expression | None) -> None:
    """The outputs of one branch: its SELECT list, its VALUES, or all the source has."""
    match body:
        case exp.Select():
            set_outputs(query, body)
        case exp.Values(expressions=[exp.Tuple(expressions=cells), *_]):
            query.outputs = tuple(
                Output(f"_col_{i}", cell, None, cell) for i, cell in enumerate(cells)
            )
        case _:
            all_columns(query, query.node)


def _inserted(build: Builder, tree: exp.Insert) -> Iterator[Move]:
    """INSERT into a folder; what ON CONFLICT and ON DUPLICATE KEY change instead."""
    body, conflict = tree.args.get("expression"), tree.args.get("conflict")
    folder = place_name(tree.this) if isinstance(tree.this, exp.Directory) else ""
    if folder and isinstance(body, BODIES):
        yield Move(folder, build.body(tree, body))
    if not isinstance(conflict, exp.OnConflict) or not conflict.expressions:
        return
    table = table_part(tree.this)
    query = build.shell(conflict, None)
    add_inputs(build, query, [table], {})
    query.outputs = tuple(
        Output(
            column_name(each.this, build.dialect),
            each.expression,
            None,
            each,
            reads=tuple(_values_called(each.expression)),
        )
        for each in conflict.expressions
        if isinstance(each, exp.EQ)
    )
    if isinstance(body, BODIES):
        new = build.body(tree, body)
        listed = tree.this.expressions if isinstance(tree.this, exp.Schema) else ()
        names = tuple(column_name(each, build.dialect) for each in listed)
        alias = folded(body.args.get("alias"), build.dialect) or "excluded"
        query.inputs += (proposed(body, new, names, alias),)
    yield Move(table, query)


def _values_called(value: exp.Expression) -> Iterator[exp.Expression]:
    """MySQL's VALUES(b), the proposed value of b, as the column it is."""
    for call in value.find_all(exp.Anonymous):
        if call.name.upper() == "VALUES" and len(call.expressions) == 1:
            name = call.expressions[0]
            name = name.this if isinstance(name, exp.Column) else name
            column = exp.column(name.copy(), table="excluded")
            yield column if call is value else exp.Anonymous(this="values", expressions=[column])


def _table_function(build: Builder, tree: exp.Create) -> Iterator[Move]:
    """A function that is one query: its rows are a relation under its name."""
    body = function_query(tree)
    if body is not None:
        yield Move(tree.this.this, build.body(tree, body))


def outputs_into(build: Builder, tree: exp.Expression, relation: str | None) -> Iterator[Move]:
    """OUTPUT ... INTO log: `inserted` and `deleted` are the rows of the written relation."""
    returning = tree.args.get("returning")
    into = returning.args.get("into") if isinstance(returning, exp.Returning) else None
    if not isinstance(into, exp.Expression) or not relation:
        return
    query = returned(build, tree, relation)
    match into:
        case exp.Table() | exp.Schema():
            yield Move(into, query)
        case exp.Identifier() | exp.Parameter():
            yield Move(exp.Table(this=into), query)
        case exp.Anonymous():
            names = [exp.to_identifier(folded(each, build.dialect)) for each in into.expressions]
            log = exp.Table(this=exp.to_identifier(into.name))
            yield Move(exp.Schema(this=log, expressions=names), query)


def returned(build: Builder, tree: exp.Expression, relation: str) -> Query:
    """What RETURNING or OUTPUT of a statement gives: columns of the rows it wrote."""
    returning = tree.args["returning"]
    query = build.shell(returning, None)
    table = table_part(tree.this)
    add_inputs(build, query, [table], {})
    rows = replace(query.inputs[0], relation=relation)
    transient = ("inserted", "deleted") if build.dialect in _OUTPUT else ()
    query.inputs = (rows, *(replace(rows, alias=name, named=True) for name in transient))
    if not transient:
        add_inputs(build, query, from_items(tree), {})
    set_outputs(query, returning)
    return query


# --- files ------------------------------------------------------------------------------------


def _copied(build: Builder, tree: exp.Copy) -> Iterator[Move]:
    """COPY and UNLOAD in both directions."""
    table, files = tree.this, tree.args.get("files") or []
    outward = not tree.args.get("kind")
    if outward or place_name(table):
        sources = [table] if outward else files
        target = next((name for each in files if (name := place_name(each))), "")
        target = target if outward else place_name(table)
        for each in sources if target else ():
            yield Move(target, _content(build, tree, each))
        return
    for each in files:
        if isinstance(each, BODIES):
            yield Move(table, build.body(tree, each))
        elif place_name(each):
            yield Move(table, _file(build, each, table))


def _content(build: Builder, tree: exp.Expression, source: exp.Expression) -> Query:
    """What COPY ... TO takes: a query, a table, or some of its columns."""
    if isinstance(source, BODIES):
        return build.body(tree, source)
    if not isinstance(source, exp.Schema):
        return build.whole(source)
    query = build.whole(source.this)
    names = [column_name(each, build.dialect) for each in source.expressions]
    query.outputs = tuple(Output(n, None, (query.inputs[0], n), source) for n in names)
    query.complete, query.open = True, ()
    return query


def _loaded(build: Builder, tree: exp.LoadData) -> Iterator[Move]:
    path = tree.args.get("inpath")
    if isinstance(path, exp.Expression):
        yield Move(tree.this, _file(build, path, tree.this))
    uris = tree.args.get("files")
    for each in uris.find_all(exp.Literal) if isinstance(uris, exp.Expression) else ():
        yield Move(tree.this, _file(build, each, tree.this))


def _file(build: Builder, place: exp.Expression, table: exp.Expression) -> Query:
    """A file as a relation of unknown columns; the target's list says how many there are."""
    query = build.shell(place, None)
    file = Input("", place, place_name(place), None, None)
    query.inputs = (file,)
    if isinstance(table, exp.Schema):
        names = [column_name(each, build.dialect) for each in table.expressions]
        query.outputs = tuple(Output(name, None, (file, "*"), place) for name in names)
    else:
        all_columns(query, place)
    return query


def _option(tree: exp.Expression, name: str) -> str:
    """The value of an option of EXPORT."""
    options = tree.args.get("options")
    for each in options.expressions if isinstance(options, exp.Expression) else ():
        if isinstance(each, exp.Property) and each.name.lower() == name:
            return str(each.args["value"].name)
    return ""


# --- renames ----------------------------------------------------------------------------------


def _renamed(build: Builder, tree: exp.Alter) -> Iterator[Move]:
    """RENAME: the new name holds what the old one held. SWAP: each holds what the other held."""
    for action in tree.args.get("actions") or ():
        other = action.this
        if not isinstance(other, exp.Table) or not isinstance(tree.this, exp.Table):
            continue
        if isinstance(action, exp.AlterRename):
            yield Move(new_name(tree.this, other, build.dialect), build.whole(tree.this))
        elif isinstance(action, exp.SwapTable):
            yield Move(other, build.whole(tree.this))
            yield Move(tree.this, build.whole(other))


def _forwarded(build: Builder, tree: exp.Create) -> Iterator[Move]:
    """CREATE MATERIALIZED VIEW v TO t (ClickHouse): the rows of v are put into t."""
    properties = tree.args.get("properties")
    view = table_part(tree.this)
    for each in properties.expressions if properties is not None else ():
        if isinstance(each, exp.ToTableProperty) and isinstance(each.this, exp.Table):
            yield Move(each.this, build.whole(view))
