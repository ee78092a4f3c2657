"""What a FROM clause offers: base tables, CTEs, derived tables, unnested values, pivots."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from sqlglot import exp

from unwet.lineage.names import alias_columns, alias_of, folded, relation_name
from unwet.lineage.pivots import pivoted
from unwet.lineage.scopes import NO_INDEX, Input, Query, index_of, over, renamed_columns
from unwet.lineage.tables import CALLED, Table

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
    if not isinstance(item, exp.Subquery | exp.Paren) or item.args.get("alias") is not None:
        return False
    inner = item.this
    if isinstance(inner, exp.Subquery) and (inner.args.get("joins") or inner.args.get("alias")):
        return True
    return isinstance(inner, exp.Table) or _is_grouped_join(inner)


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
    bare = item.this if isinstance(item, exp.Final | exp.Stream) else item
    while isinstance(bare, exp.Subquery) and isinstance(bare.this, exp.Table) and bare is not item:
        bare = bare.this
    made = _plain(build, query, bare, env)
    for pivot in item.args.get("pivots") or ():
        made = pivoted(build.shell(pivot, query.parent), pivot, made)
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


def _plain(build: Builder, query: Query, item: exp.Expression, env: Env) -> Input:
    """An item without its pivots and its join."""
    function = _called(item)
    if (name := _named_by_text(item)) is not None:
        return _relation(build, item, name)
    if isinstance(item, exp.Table) and function is None:
        return _table(build, item, env)
    if function is not None and (known := _known_function(build, item, function)) is not None:
        return known
    if isinstance(item, exp.Subquery):
        return derived(item, build.query(item, env, query.parent), build.dialect)
    if isinstance(item, exp.Lateral) and isinstance(item.this, exp.Subquery):
        return derived(item, build.query(item.this, env, query), build.dialect)
    return _function(item, build.dialect)


def _named_by_text(item: exp.Expression) -> str | None:
    """The table that TABLE('s') and IDENTIFIER('s') name."""
    inner = item.this if isinstance(item, exp.Table | exp.TableFromRows) else None
    if isinstance(inner, exp.DynamicIdentifier):
        inner = inner.this
    elif isinstance(item, exp.Table):
        return None
    text = str(inner.this) if isinstance(inner, exp.Literal) and inner.is_string else ""
    return text.replace('"', "").lower() or None


def _table(build: Builder, item: exp.Table, env: Env) -> Input:
    dialect = build.dialect
    name = relation_name(item, dialect)
    alias = alias_of(item, dialect)
    renamed = alias_columns(item, dialect)
    if item.args.get("db") is None and name in env:
        return over(item, alias or name, env[name], renamed, named=bool(alias))
    return _relation(build, item, name)


def _relation(build: Builder, item: exp.Expression, name: str) -> Input:
    alias = alias_of(item, build.dialect)
    renamed = alias_columns(item, build.dialect)
    relation, table = build.table(name)
    short = alias or name.rpartition(".")[2]
    if table is None or not table.closed:
        made = table is not None and table.origin == "statement"
        columns, index = None, table.index if table is not None and made else NO_INDEX
    else:
        columns = renamed_columns(table.names, renamed)
        index = table.index if columns == table.names else index_of(columns)
    return Input(short, item, relation, None, columns, None, table, index, None, bool(alias))


def derived(item: exp.Expression, inner: Query, dialect: str) -> Input:
    """A query in FROM, under its alias."""
    return over(item, alias_of(item, dialect), inner, alias_columns(item, dialect), named=True)


def proposed(item: exp.Expression, inner: Query, names: tuple[str, ...], alias: str) -> Input:
    """The rows that an INSERT has at hand, under the names of the columns they are for."""
    return over(item, alias, inner, list(names), named=True)


# --- values and functions


def _function(item: exp.Expression, dialect: str) -> Input:
    """UNNEST, LATERAL, VALUES, a table function: named columns, or an element named as itself."""
    alias = alias_of(item, dialect)
    columns = alias_columns(item, dialect)
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
        index_of(tuple(columns)),
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
    alias = alias_of(item, build.dialect)
    place = _file_read(function)
    if place:
        return Input(alias or place, item, place, None, None, named=bool(alias))
    if not isinstance(function, exp.Anonymous):
        return None
    schema = folded(item.args.get("db"), build.dialect)
    name = function.name.lower()
    relation, table = build.table((f"{schema}.{name}" if schema else name) + CALLED)
    if table is None or table.origin != "statement":
        return None
    columns = table.names if table.closed else None
    return Input(
        alias or name, item, relation, None, columns, None, table, table.index, None, bool(alias)
    )


_READERS = frozenset(
    {"read_csv_auto", "read_json", "read_json_auto", "read_ndjson", "read_text", "read_blob"}
    | {"parquet_scan", "iceberg_scan", "delta_scan", "read_files", "read_xlsx", "st_read"}
    | {"s3", "s3cluster", "gcs", "url", "file", "hdfs", "azureblobstorage", "deltalake", "iceberg"}
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
