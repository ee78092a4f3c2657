"""Run the original statements and keep their result tables: they are the requirement.

    run(database, files) -> Outcome per file

Every statement is transpiled from T-SQL to DuckDB by sqlglot and executed as it comes out, but
for three shims. `IF OBJECT_ID('t') IS NOT NULL DROP TABLE t`, which sqlglot reads as a block that
swallows the rest of the file, runs as DROP TABLE IF EXISTS and then the rest. FLOAT, which has 53
bits in SQL Server, is a DOUBLE: sqlglot makes a 32-bit REAL of it, whose text is another one.

The quotient of two integers is cut off in SQL Server, which DuckDB writes as //. Each file has a
connection of its own, as its #temp tables want it.
"""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from bench.achilles import executed as program
from bench.achilles.executed import Found, executed
from bench.achilles.pile import File
from bench.errors import BenchError


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file: the relations it leaves behind with their row counts, or why it failed."""

    name: str
    relations: tuple[tuple[str, int], ...]
    failure: str = ""
    template: bool = False

    @property
    def rows(self) -> int:
        return sum(count for _, count in self.relations)


def run(database: Path, files: Sequence[File], python: Path | None = None) -> tuple[Outcome, ...]:
    """Execute every file on `database`, in order; templates are left out, with their holes.
    ``python``: one that does it, whose DuckDB is another one: rows whose order ties leave open are
    those that it has."""
    told = {file.path.name: _translated(file) for file in files if not file.template}
    texts = [(name, sql) for name, (sql, _) in told.items()]
    done = executed(str(database), texts) if python is None else _elsewhere(python, database, texts)
    found = {name: Outcome(name, tuple((each, many) for each, many in made), why or told[name][1])
             for name, made, why in done}  # fmt: skip
    return tuple(found.get(f.path.name) or _template(f) for f in files)


def _elsewhere(
    python: Path, database: Path, texts: Sequence[tuple[str, Sequence[str]]]
) -> Sequence[Found]:
    command = [str(python), program.__file__, str(database)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"the legacy statements do not run: {done.stderr.strip()[-300:]}")
    found: Sequence[Found] = json.loads(done.stdout)
    return found


def _translated(file: File) -> tuple[list[str], str]:
    """Its statements up to one that is not understood, and why that is not."""
    found: list[str] = []
    try:
        found.extend(statements(file.sql))
    except sqlglot.errors.SqlglotError as error:
        return found, f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return found, ""


def _template(file: File) -> Outcome:
    return Outcome(file.path.name, (), f"template: {' '.join(file.holes)}", True)


def statements(sql: str) -> Iterator[str]:
    """The T-SQL statements of a rendered file, as DuckDB SQL."""
    for tree in sqlglot.parse(sql, read="tsql"):
        if tree is None or isinstance(tree, exp.Semicolon):
            continue
        for statement in _unguarded(tree):
            _widen_floats(statement)
            _cut_off(statement)
            yield statement.sql(dialect="duckdb", unsupported_level=sqlglot.ErrorLevel.RAISE)


def _unguarded(tree: exp.Expr) -> Iterator[exp.Expr]:
    """`IF OBJECT_ID(..) IS NOT NULL DROP TABLE t; rest` -> `DROP TABLE IF EXISTS t`, `rest`."""
    if not isinstance(tree, exp.IfBlock) or not tree.this.find(exp.ObjectId):
        yield tree
        return
    for statement in tree.args["true"].expressions:
        if isinstance(statement, exp.Drop):
            statement.set("exists", True)
        yield statement


def _widen_floats(tree: exp.Expr) -> None:
    for kind in tree.find_all(exp.DataType):
        if kind.this == exp.DType.FLOAT and not kind.expressions:
            kind.set("this", exp.DType.DOUBLE)


def _cut_off(tree: exp.Expr) -> None:
    for node in list(tree.find_all(exp.Div)):
        node.replace(exp.IntDiv(this=node.this, expression=node.expression))
