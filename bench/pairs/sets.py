"""The sets of pairs, read into one form.

    load(cache, mirrors) -> (PairSet, ...)

The texts are read as DuckDB SQL, so that a plan and DuckDB say the same of ``/`` and of types.
Names that begin with a dollar sign (``$f9``, ``EXPR$0``) are spelled with an underscore: in DuckDB
``$f9`` would be a parameter. Nothing else is changed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from bench import corpora

REGISTER = Path(__file__).with_name("sets.toml")
Expected = Literal["equal", "different"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table as a set states it: names in lower case, types as DuckDB writes them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    not_null: frozenset[str] = frozenset()
    keys: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[tuple[str, str, str], ...] = ()  # (column, table, its column)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two queries over one schema, and what the set says of them."""

    name: str
    first: str
    second: str
    tables: tuple[Table, ...]
    expected: Expected


@dataclass(frozen=True, slots=True)
class PairSet:
    """A set of pairs of one kind."""

    name: str
    pairs: tuple[Pair, ...]


def load(cache: Path, mirrors: Mapping[str, Path]) -> tuple[PairSet, ...]:
    """Every set, fetched when it is not there yet. Raises BenchError when it cannot be had."""
    known = corpora.load(REGISTER)
    at = {name: corpora.fetch(corpus, cache, mirrors) for name, corpus in known.items()}
    solver = at["sqlsolver"] / "sqlsolver_data"
    tables = schema((solver / "schemas/calcite_test.base.schema.sql").read_text("utf-8"))
    return (
        *_verieql(at["verieql"], "Calcite-397", "calcite/calcite2", "calcite"),
        *_verieql(at["verieql"], "literature", "literature/literature", "literature"),
        _spes(at["spes"] / "testData/calcite_tests.json", tables),
        _lines("SQLSolver Calcite-232", solver / "calcite/calcite_tests", tables),
        _lines("SQLSolver Spark", solver / "db_rule_instances/spark_tests", tables),
    )


def readable(sql: str) -> str:
    """$f9 -> _f9, EXPR$0 -> EXPR_0, outside of strings."""
    parts = re.split(r"('(?:[^']|'')*')", sql)
    return "".join(p if i % 2 else p.replace("$", "_") for i, p in enumerate(parts))


def schema(ddl: str) -> tuple[Table, ...]:
    """The tables of CREATE TABLE statements in MySQL's spelling."""
    return tuple(
        _created(node)
        for node in sqlglot.parse(ddl, dialect="mysql")
        if isinstance(node, exp.Create)
    )


# --- one reader per file ----------------------------------------------------------------------


def _verieql(folder: Path, name: str, pairs: str, results: str) -> Iterator[PairSet]:
    """The pairs that were not refuted, and those that were, each with a counterexample."""
    refuted = {
        row["index"]
        for row in _rows(folder / f"experiments/2023_03_27/{results}.out")
        if row["states"][-1] == "NEQ"
    }
    found = [(row["index"], row) for row in _rows(folder / f"benchmarks/{pairs}.jsonlines")]
    for expected in ("equal", "different"):
        kept = (r for index, r in found if (index in refuted) == (expected == "different"))
        more = "" if expected == "equal" else ", refuted"
        made = (_pair(f"{r['index']}", r["pair"], _stated(r), expected) for r in kept)
        yield PairSet(f"VeriEQL {name}{more}", tuple(made))


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text("utf-8").splitlines():
        if line.strip():
            yield json.loads(line)


def _pair(name: str, sides: Iterable[str], tables: tuple[Table, ...], expected: Expected) -> Pair:
    first, second = map(readable, sides)
    return Pair(name, first, second, tables, expected)


def _stated(row: dict[str, Any]) -> tuple[Table, ...]:
    """VeriEQL's schema: {table: {column: type}} and constraints over TABLE__COLUMN."""
    constraints: list[dict[str, Any]] = row["constraint"] or []
    return tuple(
        Table(
            name.lower(),
            tuple((column.lower(), duckdb_type(kind or "INT")) for column, kind in columns.items()),
            frozenset(c for each in constraints for c in _columns(each.get("not_null"), name)),
            tuple(
                key
                for each in constraints
                if (key := tuple(_columns(each.get("primary"), name)))
            ),
            tuple(f for each in constraints if (f := _foreign(each.get("foreign"), name))),
        )
        for name, columns in row["schema"].items()
    )  # fmt: skip


def _columns(stated: Any, table: str) -> Iterator[str]:
    for each in stated if isinstance(stated, list) else [stated] if stated else []:
        owner, _, column = each["value"].lower().partition("__")
        if owner == table.lower():
            yield column


def _foreign(stated: Any, table: str) -> tuple[str, str, str] | None:
    if not stated or len(stated) != 2:
        return None
    (own, _, column), (other, _, key) = (e["value"].lower().partition("__") for e in stated)
    return (column, other, key) if own == table.lower() else None


def _spes(file: Path, tables: tuple[Table, ...]) -> PairSet:
    rows = json.loads(file.read_text("utf-8"))
    pairs = (_pair(row["name"], (row["q1"], row["q2"]), tables, "equal") for row in rows)
    return PairSet("SPES Calcite-232", tuple(pairs))


def _lines(name: str, file: Path, tables: tuple[Table, ...]) -> PairSet:
    """Two lines a pair."""
    lines = file.read_text("utf-8").splitlines()
    starts = range(0, len(lines) - 1, 2)
    pairs = (_pair(f"line {at + 1}", lines[at : at + 2], tables, "equal") for at in starts)
    return PairSet(name, tuple(pairs))


_TYPES = {
    "INT": "INTEGER", "TINYINT": "BOOLEAN", "FLOAT": "DOUBLE", "REAL": "DOUBLE",
    "ROWVERSION": "TIMESTAMP", "DATETIME": "TIMESTAMP", "DATETIME2": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP", "NUMERIC": "DECIMAL", "BOOL": "BOOLEAN",
}  # fmt: skip
_KNOWN = frozenset({"INTEGER", "BIGINT", "SMALLINT", "DOUBLE", "DECIMAL", "BOOLEAN", "DATE",
                    "TIME", "TIMESTAMP"})  # fmt: skip


def duckdb_type(kind: str) -> str:
    """A type's name in DuckDB, without lengths; what is not known becomes text."""
    plain = kind.upper().partition("(")[0].strip()
    made = _TYPES.get(plain, plain)
    return made if made in _KNOWN else "VARCHAR"


def _created(node: exp.Create) -> Table:
    parts = node.this
    columns = [c for c in parts.expressions if isinstance(c, exp.ColumnDef)]

    def has(column: exp.ColumnDef, kind: type[exp.Expression]) -> bool:
        return any(isinstance(c.kind, kind) for c in column.constraints)

    return Table(
        parts.this.name.lower(),
        tuple((c.name.lower(), duckdb_type(c.kind.sql("mysql"))) for c in columns if c.kind),
        frozenset(c.name.lower() for c in columns if has(c, exp.NotNullColumnConstraint)),
        tuple((c.name.lower(),) for c in columns if has(c, exp.PrimaryKeyColumnConstraint)),
        tuple(
            (c.name.lower(), at.this.this.name.lower(), at.this.expressions[0].name.lower())
            for c in columns
            for at in [next((r for r in c.find_all(exp.Reference)), None)]
            if at is not None
        ),
    )
