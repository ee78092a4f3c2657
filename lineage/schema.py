"""A given schema: a mapping, a JSON or YAML file, a DDL file, or a DuckDB database."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from unwet.lineage.ddl import declared_tables
from unwet.lineage.errors import BadSchema, PathNotFound
from unwet.lineage.findings import Span, whole
from unwet.lineage.names import fold
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.tables import Column, Table
from unwet.lineage.templating import mask

Schema = Mapping[str, Sequence[str] | Mapping[str, str]] | str | Path | tuple[Table, ...]
NOWHERE: Mapping[str, Span] = MappingProxyType({})
KINDS = ".json, .yaml (relation -> columns), .sql, .ddl (CREATE TABLE), .duckdb, .db (a database)"


def read_schema(schema: Schema | None, dialect: str = "") -> tuple[Table, ...]:
    """Tables of a given schema; raises PathNotFound and BadSchema.

    A mapping is `{"db.table": ["col", ...]}` or `{"db.table": {"col": "TYPE"}}`; a tuple has been
    read before.
    """
    if schema is None:
        return ()
    if isinstance(schema, tuple):
        return schema
    if isinstance(schema, Mapping):
        return _from_mapping(schema, "schema", dialect)
    path = Path(schema)
    if not path.exists():
        raise PathNotFound(str(path), "give a YAML, JSON, DDL or DuckDB file")
    try:
        return _from_file(path, dialect)
    except OSError as error:
        raise BadSchema(f"cannot read {path}: {error.strerror or error}") from error


def _from_file(path: Path, dialect: str) -> tuple[Table, ...]:
    match path.suffix.lower():
        case ".json" | ".yaml" | ".yml":
            return _from_mapping_file(path, dialect)
        case ".sql" | ".ddl" | ".hql":
            return _from_ddl(path, dialect)
        case ".duckdb" | ".db" | ".ddb":
            return _from_duckdb(path)
        case _:
            raise BadSchema(f"cannot read a schema from {path}", f"give {KINDS}")


def _from_mapping(
    given: Mapping[str, object], where: str, dialect: str, places: Mapping[str, Span] = NOWHERE
) -> tuple[Table, ...]:
    tables = []
    for name, columns in given.items():
        relation = ".".join(fold(part, False, dialect) for part in str(name).split("."))
        listed, at = _columns(columns, name, where, dialect), places.get(str(name))
        tables.append(Table(relation, listed, True, "schema", at=at))
    return tuple(tables)


def _columns(given: object, name: str, where: str, dialect: str) -> tuple[Column, ...]:
    if isinstance(given, Mapping) and not _nested(given.values()):
        return tuple(_column(str(c), str(t or ""), dialect) for c, t in given.items())
    if isinstance(given, Sequence) and not isinstance(given, str) and not _nested(given):
        return tuple(_column(str(c), "", dialect) for c in given)
    raise BadSchema(
        f"{where}: the columns of {name} are neither a list nor a mapping",
        'write {"db.table": ["col", ...]} or {"db.table": {"col": "TYPE"}}',
    )


def _column(name: str, kind: str, dialect: str) -> Column:
    return Column(fold(name, False, dialect), kind, spelled=name, bare=True)


def _nested(values: Iterable[object]) -> bool:
    return any(isinstance(each, Mapping | list) for each in values)


def _from_mapping_file(path: Path, dialect: str) -> tuple[Table, ...]:
    kind = "JSON" if path.suffix.lower() == ".json" else "YAML"
    try:
        text = path.read_text(encoding="utf-8")
        given = json.loads(text) if kind == "JSON" else _yaml(text)
    except ValueError as error:
        raise BadSchema(f"{path} is not valid {kind}: {error}", f"give {KINDS}") from error
    if not isinstance(given, Mapping):
        raise BadSchema(f"{path} holds no mapping from relations to columns", f"give {KINDS}")
    return _from_mapping(given, str(path), dialect, _places(str(path), text))


_KEY = re.compile(r"[\s{,]*[\"']?([^\s\"':{},][^\"':\n]*)[\"']?\s*:")


def _places(path: str, text: str) -> dict[str, Span]:
    """The first line that each key of a JSON or YAML file begins."""
    found: dict[str, Span] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if key := _KEY.match(line):
            found.setdefault(key[1], Span(path, number, key.start(1) + 1, number, key.end(1) + 1))
    return found


def _yaml(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split()).replace('in "<unicode string>", ', "")
        raise ValueError(said) from error


def _from_ddl(path: Path, dialect: str) -> tuple[Table, ...]:
    text = path.read_text(encoding="utf-8", errors="replace")
    script = parse(mask(Source(str(path), text, dialect or None)), dialect)
    tables = declared_tables(script.statements)
    if not tables:
        raise BadSchema(f"{path} holds no CREATE TABLE with columns", f"give {KINDS}")
    return tuple(
        replace(t, closed=True, origin="schema", agreed=t.agreed and t.closed) for t in tables
    )


def _from_duckdb(path: Path) -> tuple[Table, ...]:
    import duckdb

    sql = (
        "select table_schema, table_name, column_name, data_type, is_nullable = 'NO' "
        "from information_schema.columns order by 1, 2, ordinal_position"
    )
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute(sql).fetchall()
    except duckdb.Error as error:
        raise BadSchema(f"{path} is not a DuckDB database: {error}") from error
    columns: dict[str, list[Column]] = {}
    for schema, table, column, kind, required in rows:
        name = f"{schema}.{table}".lower()
        found = Column(column.lower(), kind, bool(required), spelled=column, bare=True)
        columns.setdefault(name, []).append(found)
    at = whole(str(path))
    return tuple(
        Table(name, tuple(found), True, "schema", at=at) for name, found in columns.items()
    )
