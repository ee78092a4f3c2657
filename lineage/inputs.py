"""What a FROM clause offers: base tables, CTEs, derived tables, unnested values, pivots."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from sqlglot import exp

from unwet.lineage.names import folded, relation_name
from unwet.lineage.scopes import NO_INDEX, Input, Output, Query
from unwet.lineage.stars import all_columns
from unwet.lineage.tables import Table

Env = Mapping[str, Query]  # the CTEs in sight


class Builder(Protocol):
    """What this module needs from `resolve`: sub-queries, and the catalog."""

    dialect: str

    def query(self, node: exp.Expression, env: Env, parent: Query | None) -> Query: ...
    def shell(self, node: exp.Expression, parent: Query | None) -> Query: ...
    def table(self, name: str) -> tuple[str, Table | None]: ...


def add_inputs(build: Builder, query: Query, items: list[exp.Expression], env: Env) -> None:
    """Append the inputs of FROM items and of the joins and laterals below them, left to right."""
    for item in items:
        _add(build, query, item, env, None, None)


def from_items(node: exp.Expression) -> list[exp.Expression]:
    """FROM, JOIN and LATERAL VIEW items of a statement or SELECT, in order."""
    source = node.args.get("from_")
    items = [source.this] if source is not None else []
    return [*items, *(node.args.get("joins") or ()), *(node.args.get("laterals") or ())]


def _add(
    build: Builder,
    query: Query,
    item: exp.Expression,
    env: Env,
    join: exp.Join | None,
    group: exp.Expression | None,
) -> None:
    if isinstance(item, exp.Join):
        first = len(query.inputs)
        _add(build, query, item.this, env, item, group)
        _merge(query, item, first)
        return
    if _is_grouped_join(item):
        _add(build, query, item.this, env, join, item)
        _add_below(build, query, item, env, group)
        return
    query.inputs += (_input(build, query, item, env, join, group),)
    _add_below(build, query, item, env, group)


def _is_grouped_join(item: exp.Expression) -> bool:
    """`(a JOIN b ON ...)` without an alias: its tables are seen from outside."""
    grouped = isinstance(item, exp.Subquery | exp.Paren) and isinstance(item.this, exp.Table)
    return grouped and item.args.get("alias") is None


def _add_below(
    build: Builder, query: Query, item: exp.Expression, env: Env, group: exp.Expression | None
) -> None:
    for key in ("joins", "laterals"):
        for below in item.args.get(key) or ():
            _add(build, query, below, env, None, group)


def _input(
    build: Builder,
    query: Query,
    item: exp.Expression,
    env: Env,
    join: exp.Join | None,
    group: exp.Expression | None,
) -> Input:
    pivots = item.args.get("pivots")
    if pivots:
        return _pivoted(build, query, item, env, join, group)
    function = _called(item)
    if isinstance(item, exp.Table) and function is None:
        made = _table(build, item, env)
    elif function is not None and (known := _known_function(build, item, function)) is not None:
        made = known
    elif isinstance(item, exp.Subquery):
        made = derived(item, build.query(item, env, query.parent), build.dialect)
    elif isinstance(item, exp.Lateral) and isinstance(item.this, exp.Subquery):
        made = derived(item, build.query(item.this, env, query), build.dialect)
    else:
        made = _function(item, build.dialect)
    return Input(
        made.alias,
        item,
        made.relation,
        made.query,
        made.columns,
        join,
        made.table,
        made.index,
        group,
        made.named,
    )


def _table(build: Builder, item: exp.Table, env: Env) -> Input:
    dialect = build.dialect
    name = relation_name(item, dialect)
    alias = _alias(item, dialect)
    renamed = _alias_columns(item, dialect)
    if item.args.get("db") is None and name in env:
        return _over(item, alias or name, env[name], renamed, named=bool(alias))
    relation, table = build.table(name)
    short = alias or name.rpartition(".")[2]
    if table is None or not table.closed:
        made = table is not None and table.origin == "statement"
        columns, index = None, table.index if table is not None and made else NO_INDEX
    else:
        columns = _rename(table.names, renamed)
        index = table.index if columns == table.names else _index(columns)
    return Input(short, item, relation, None, columns, None, table, index, None, bool(alias))


def derived(item: exp.Expression, inner: Query, dialect: str) -> Input:
    """A query in FROM, under its alias."""
    return _over(item, _alias(item, dialect), inner, _alias_columns(item, dialect), named=True)


def _over(item: exp.Expression, alias: str, inner: Query, renamed: list[str], named: bool) -> Input:
    columns = _rename(tuple(output.name for output in inner.outputs), renamed)
    known = columns if inner.complete else None
    return Input(alias, item, None, inner, known, None, None, _index(columns), None, named)


def proposed(item: exp.Expression, inner: Query, names: tuple[str, ...], alias: str) -> Input:
    """The rows that an INSERT has at hand, under the names of the columns they are for."""
    return _over(item, alias, inner, list(names), named=True)


def _rename(columns: tuple[str, ...], renamed: list[str]) -> tuple[str, ...]:
    return (*renamed, *columns[len(renamed) :]) if renamed else columns


def _index(columns: tuple[str, ...]) -> dict[str, int]:
    index: dict[str, int] = {}
    for i, column in enumerate(columns):
        index.setdefault(column, i)
    return index


def _alias(item: exp.Expression, dialect: str) -> str:
    alias = item.args.get("alias")
    if isinstance(alias, exp.TableAlias):
        alias = alias.args.get("this")
    return folded(alias, dialect) if alias is not None else ""


def _alias_columns(item: exp.Expression, dialect: str) -> list[str]:
    alias = item.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    return [_declared(column, dialect) for column in alias.args.get("columns") or ()]


def _declared(column: exp.Expression, dialect: str) -> str:
    """A name in an alias column list, which may carry a type (`AS t(a int)`)."""
    return folded(column.this if isinstance(column, exp.ColumnDef) else column, dialect)


# --- values and functions


def _function(item: exp.Expression, dialect: str) -> Input:
    """UNNEST, LATERAL, VALUES, a table function: named columns, or an element named as itself."""
    alias = _alias(item, dialect)
    columns = _alias_columns(item, dialect)
    if isinstance(item, exp.Values) and not columns:
        columns = value_names(item)
    if isinstance(item, exp.Alias | exp.Column):
        columns = [alias or folded(item.this, dialect)]  # ClickHouse: ARRAY JOIN arr AS x
    offset = item.args.get("offset")
    if isinstance(offset, exp.Identifier):
        columns = [*columns, folded(offset, dialect)]
    if not alias and len(columns) >= 1 and isinstance(item, exp.Unnest):
        alias = columns[0]  # BigQuery: UNNEST(x) AS item names the element
    if not columns and alias and isinstance(item, exp.Unnest):
        columns = [alias]
    known = tuple(columns) if columns else None
    return Input(
        alias or _function_name(item, dialect),
        item,
        None,
        None,
        known,
        None,
        None,
        _index(tuple(columns)),
        None,
        True,
    )


def _called(item: exp.Expression) -> exp.Func | None:
    """The function that a FROM item calls: f(1), TABLE(f(1))."""
    if isinstance(item, exp.Table | exp.TableFromRows) and isinstance(item.this, exp.Func):
        return item.this
    return None


def _known_function(build: Builder, item: exp.Expression, function: exp.Func) -> Input | None:
    """A function that reads a file is that file; one that the pile makes is its result."""
    alias = _alias(item, build.dialect)
    place = _file_read(function)
    if place:
        return Input(alias or place, item, place, None, None, named=bool(alias))
    if not isinstance(function, exp.Anonymous):
        return None
    schema = folded(item.args.get("db"), build.dialect)
    name = function.name.lower()
    relation, table = build.table(f"{schema}.{name}" if schema else name)
    if table is None or table.origin != "statement":
        return None
    columns = table.names if table.closed else None
    return Input(
        alias or name, item, relation, None, columns, None, table, table.index, None, bool(alias)
    )


_READERS = frozenset(
    {"read_csv_auto", "read_json", "read_json_auto", "read_ndjson", "read_text", "read_blob"}
    | {"parquet_scan", "iceberg_scan", "delta_scan", "read_files", "read_xlsx", "st_read"}
)


def _file_read(function: exp.Func) -> str:
    """The file that a table function reads: the first text it is given."""
    reads = isinstance(function, exp.ReadCSV | exp.ReadParquet) or (
        isinstance(function, exp.Anonymous) and function.name.lower() in _READERS
    )
    first = next(function.find_all(exp.Literal), None) if reads else None
    return str(first.this) if first is not None and first.is_string else ""


def _function_name(item: exp.Expression, dialect: str) -> str:
    inner = item.args.get("this")
    return folded(inner, dialect) if isinstance(inner, exp.Expression) else ""


def value_names(values: exp.Expression) -> list[str]:
    """Names of the columns of VALUES without an alias list."""
    rows = values.expressions
    width = len(rows[0].expressions) if rows and isinstance(rows[0], exp.Tuple) else 1
    return [f"column{i + 1}" for i in range(width)]


# --- USING and NATURAL


def _merge(query: Query, join: exp.Join, first: int) -> None:
    """Record the columns that this join makes one of; its right side starts at input `first`."""
    left, right = query.inputs[:first], query.inputs[first:]
    if not right:
        return
    for name in _shared(query, join, left, right):
        before = query.merged.get(name) or tuple(_holders(name, left)[:1])
        query.merged[name] = (*before, *_holders(name, right)[:1])


def _shared(
    query: Query, join: exp.Join, left: tuple[Input, ...], right: tuple[Input, ...]
) -> Iterator[str]:
    for each in join.args.get("using") or ():
        yield folded(each.this if isinstance(each, exp.Column) else each, query.dialect)
    if str(join.args.get("method") or "").upper() == "NATURAL":
        known = {name for each in left for name in each.index}
        yield from (name for each in right for name in each.index if name in known)


def _holders(name: str, inputs: tuple[Input, ...]) -> list[Input]:
    """Inputs that have the column, else those that may have it, else all of them."""
    having = [each for each in inputs if name in each.index]
    return having or [each for each in inputs if each.columns is None] or list(inputs)


# --- PIVOT and UNPIVOT: one more query between the item and its reader


def _pivoted(
    build: Builder,
    query: Query,
    item: exp.Expression,
    env: Env,
    join: exp.Join | None,
    group: exp.Expression | None,
) -> Input:
    pivots = item.args["pivots"]
    base = _unpivoted_input(build, query, item, env)
    for pivot in pivots:
        inner = build.shell(pivot, query.parent)
        inner.inputs = (base,)
        _set_pivot_outputs(inner, pivot, base)
        alias = _alias(pivot, build.dialect) or base.alias
        base = _over(item, alias, inner, _alias_columns(pivot, build.dialect), named=True)
    return Input(
        base.alias, item, None, base.query, base.columns, join, None, base.index, group, True
    )


def _unpivoted_input(build: Builder, query: Query, item: exp.Expression, env: Env) -> Input:
    if isinstance(item, exp.Table):
        return _table(build, item, env)
    if isinstance(item, exp.Subquery):
        return derived(item, build.query(item, env, query.parent), build.dialect)
    return _function(item, build.dialect)


def _set_pivot_outputs(inner: Query, pivot: exp.Expression, base: Input) -> None:
    dialect = inner.dialect
    all_columns(inner, pivot)
    used = {folded(column.this, dialect) for column in pivot.find_all(exp.Column)}
    kept = [output for output in inner.outputs if output.name not in used]
    made = _melted(pivot, dialect) if pivot.args.get("unpivot") else _spread(pivot, dialect)
    inner.outputs = (*kept, *made)


def _spread(pivot: exp.Expression, dialect: str) -> list[Output]:
    """PIVOT: every aggregate once for each value; `columns` names them value by value."""
    aggregates = [each.this if isinstance(each, exp.Alias) else each for each in pivot.expressions]
    columns = pivot.args.get("columns") or []
    return [
        Output(folded(name, dialect), aggregates[i % len(aggregates)], None, pivot)
        for i, name in enumerate(columns)
        if aggregates
    ]


def _melted(pivot: exp.Expression, dialect: str) -> list[Output]:
    """UNPIVOT: a column of names, and value columns that read the melted ones."""
    outputs: list[Output] = []
    melted: list[exp.Expression] = []
    for each in pivot.args.get("fields") or ():
        melted.extend(each.expressions)
        outputs.append(Output(folded(each.this, dialect), None, None, pivot))
    for value in pivot.expressions:
        for name in value.expressions if isinstance(value, exp.Tuple) else [value]:
            outputs.append(Output(folded(name, dialect), None, None, pivot, reads=tuple(melted)))
    return outputs
