"""OpenLineage's Rust tests: each call that parses SQL, with the lineage compared after it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.lineage.case import Case, Edge, Edges, Tables
from bench.lineage.suites.rust import Call, Token, Value, calls, functions

_ONE = {"test_sql", "test_sql_dialect", "parse_sql"}
_MANY = {"test_multiple_sql", "test_multiple_sql_dialect"}
_NAMES = frozenset({*_ONE, *_MANY, "TableLineage", "ColumnLineage"})
DIALECTS = {
    "generic": "",
    "postgresql": "postgres",
    "postgresqldialect": "postgres",
    "snowflakedialect": "snowflake",
    "hivedialect": "hive",
    "mysqldialect": "mysql",
    "bigquerydialect": "bigquery",
    "redshiftdialect": "redshift",
    "genericdialect": "",
    "databricksdialect": "databricks",
    "mssqldialect": "tsql",
    "mssql": "tsql",
    "sqlserver": "tsql",
    "ansi": "",
    "sqlite": "sqlite",
}


class _NotSaid(Exception):
    """A test that says it in a way that is not read here: the case is left out."""


def cases(folder: Path) -> tuple[Case, ...]:
    """Cases of every .rs file below `folder`."""
    found: list[Case] = []
    for file in sorted(folder.rglob("*.rs")):
        for name, body in functions(file.read_text("utf-8")):
            found.extend(_of_function(f"openlineage:{file.stem}::{name}", body))
    return tuple(found)


def _of_function(name: str, body: Sequence[Token]) -> Iterator[Case]:
    texts = _texts(body)
    question: Call | None = None
    said: list[Call] = []
    number = 0
    for call in [*(call for call, _ in calls(body, _NAMES)), None]:
        if call is not None and call.name in ("TableLineage", "ColumnLineage"):
            said.append(call)
            continue
        if question is not None and said:
            number += 1
            case = _case(f"{name}#{number}", question, said, texts)
            if case is not None:
                yield case
        question, said = call, []


def _case(id: str, question: Call, said: Sequence[Call], texts: dict[str, str]) -> Case | None:
    try:
        sql, dialect = _question(question, texts)
        tables = [_tables(call) for call in said if call.name == "TableLineage"]
        columns = [_edges(call) for call in said if call.name == "ColumnLineage"]
    except _NotSaid:
        return None
    return Case(
        id=id,
        origin="openlineage",
        sql=sql,
        dialect=dialect,
        tables=tables[0] if tables else None,
        columns=frozenset().union(*columns) if columns else None,
    )


def _texts(body: Sequence[Token]) -> dict[str, str]:
    """`let name = "text"`."""
    return {
        body[i + 1].text: body[i + 3].text
        for i in range(len(body) - 3)
        if body[i].text == "let" and body[i + 2].text == "=" and body[i + 3].kind == "text"
    }


def _question(call: Call, texts: dict[str, str]) -> tuple[str, str]:
    first = call.arguments[0]
    if call.name in _MANY:
        if not isinstance(first, Call) or first.name != "vec!":
            raise _NotSaid
        sql = "\n".join(_text(each, texts).rstrip().rstrip(";") + ";" for each in first.arguments)
    else:
        sql = _text(first, texts)
    dialect = "postgres"
    if call.name == "parse_sql" or call.name.endswith("_dialect"):
        second = call.arguments[1]
        word = (second if isinstance(second, str) else second.name).lower()
        if isinstance(second, Call) and word not in DIALECTS:
            raise _NotSaid
        dialect = DIALECTS.get(word, word)
    return sql, dialect


def _text(value: Value, texts: dict[str, str]) -> str:
    if isinstance(value, str):
        return value
    if value.name in texts:
        return texts[value.name]
    raise _NotSaid


def _tables(call: Call) -> Tables:
    fields = {each.name: each.arguments[0] for each in call.arguments if isinstance(each, Call)}
    return Tables(_relations(fields["in_tables"]), _relations(fields["out_tables"]))


def _relations(value: Value) -> frozenset[str]:
    if isinstance(value, Call) and value.name == "tables":
        return frozenset(_text(each, {}) for each in _items(value.arguments[0]))
    return frozenset(_relation(each) for each in _items(value))


def _items(value: Value) -> Iterable[Value]:
    if not isinstance(value, Call) or value.name != "vec!":
        raise _NotSaid
    return value.arguments


def _relation(value: Value) -> str:
    if not isinstance(value, Call):
        raise _NotSaid
    if value.name == "table":
        return _text(value.arguments[0], {})
    if value.name == "_tbl":
        parts = [
            _text(each.arguments[0], {}) if isinstance(each, Call) and each.arguments else each
            for each in value.arguments
        ]
        return ".".join(part for part in parts if isinstance(part, str))
    raise _NotSaid


def _edges(call: Call) -> Edges:
    """OpenLineage does not say which relation the column belongs to: bench.lineage.normal."""
    fields = {each.name: each.arguments[0] for each in call.arguments if isinstance(each, Call)}
    _, target = _column(fields["descendant"])
    return frozenset(Edge(*_column(each), "", target) for each in _items(fields["lineage"]))


def _column(value: Value) -> tuple[str, str]:
    if not isinstance(value, Call):
        raise _NotSaid
    fields = {each.name: each.arguments[0] for each in value.arguments if isinstance(each, Call)}
    origin = fields["origin"]
    assert isinstance(origin, Call)
    relation = _relation(origin.arguments[0]) if origin.arguments else "?"
    return relation, _text(fields["name"], {})
