"""Run the original statements and keep their result tables: they are the requirement.

    run(database, files), run_elsewhere(python, database, files) -> Outcome per file

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

import duckdb
import sqlglot
from sqlglot import exp

from bench.achilles.pile import File
from bench.errors import BenchError

KEPT_SCHEMAS = ("scratch", "results")
# What another Python runs, whose DuckDB is another one: files in, outcomes out, as JSON.
ELSEWHERE = """
import duckdb, json, sys
database, schemas = sys.argv[1], json.loads(sys.argv[2])
def relations(connection):
    rows = connection.execute("SELECT table_schema || '.' || table_name "
        "FROM information_schema.tables WHERE table_schema IN ? ORDER BY 1", [schemas]).fetchall()
    return [name for (name,) in rows]
found = []
with duckdb.connect(database, config={"threads": 1}) as connection:
    for name, statements in json.load(sys.stdin):
        before, failure = relations(connection), ""
        with connection.cursor() as session:
            try:
                for sql in statements:
                    session.execute(sql)
            except duckdb.Error as error:
                failure = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        made = [each for each in relations(connection) if each not in before]
        count = lambda each: connection.execute(f"SELECT count(*) FROM {each}").fetchone()[0]
        found.append([name, [[each, count(each)] for each in made], failure])
json.dump(found, sys.stdout)
"""


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


def run(database: Path, files: Sequence[File]) -> tuple[Outcome, ...]:
    """Execute every file on `database`, in order; templates are left out, with their holes."""
    with duckdb.connect(str(database), config={"threads": 1}) as connection:
        return tuple(_run_file(connection, file) for file in files)


def run_elsewhere(python: Path, database: Path, files: Sequence[File]) -> tuple[Outcome, ...]:
    """The same by another Python: rows whose order ties leave open are those of its DuckDB."""
    told = {file.path.name: _translated(file) for file in files if not file.template}
    texts = [[name, sql] for name, (sql, failure) in told.items() if not failure]
    command = [str(python), "-c", ELSEWHERE, str(database), json.dumps(KEPT_SCHEMAS)]
    done = subprocess.run(command, input=json.dumps(texts), capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"the legacy statements do not run: {done.stderr.strip()[-300:]}")
    found = {name: Outcome(name, tuple((each, n) for each, n in made), failure)
             for name, made, failure in json.loads(done.stdout)}  # fmt: skip
    found |= {name: Outcome(name, (), failure) for name, (_, failure) in told.items() if failure}
    return tuple(found.get(f.path.name) or _template(f) for f in files)


def _translated(file: File) -> tuple[list[str], str]:
    try:
        return list(statements(file.sql)), ""
    except sqlglot.errors.SqlglotError as error:
        return [], f"{type(error).__name__}: {str(error).splitlines()[0]}"


def _template(file: File) -> Outcome:
    return Outcome(file.path.name, (), f"template: {' '.join(file.holes)}", True)


def _run_file(connection: duckdb.DuckDBPyConnection, file: File) -> Outcome:
    if file.template:
        return _template(file)
    before = _relations(connection)
    failure = ""
    with connection.cursor() as session:
        try:
            for sql in statements(file.sql):
                session.execute(sql)
        except (duckdb.Error, sqlglot.errors.SqlglotError) as error:
            failure = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    made = tuple(name for name in _relations(connection) if name not in before)
    return Outcome(
        file.path.name, tuple((name, _count(connection, name)) for name in made), failure
    )


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


def _relations(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    rows = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables "
        "WHERE table_schema IN ? ORDER BY 1",
        [KEPT_SCHEMAS],
    ).fetchall()
    return tuple(name for (name,) in rows)


def _count(connection: duckdb.DuckDBPyConnection, name: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0]
    assert isinstance(count, int)
    return count
