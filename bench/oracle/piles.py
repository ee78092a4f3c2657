"""Scripts with a world to run them on: the bundled shop, TPC-H and TPC-DS.

shop(work) / tpc(name, repository, work) -> Pile
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.errors import BenchError
from bench.oracle.influence import Script
from bench.oracle.world import World, quoted, read
from bench.shop.case import lay_out
from unwet.fixtures.shop.case import DEFAULT

_FIXTURES = "tests/fixtures/optimizer"


@dataclass(frozen=True, slots=True)
class Pile:
    name: str
    dialect: str
    world: World
    scripts: tuple[Script, ...]


def shop(work: Path, scale: float = 0.2) -> Pile:
    """Every report of the committed pile, over small data; all of them are there to be read."""
    case = lay_out(DEFAULT, work / "shop", scale=scale)
    connection = duckdb.connect(str(case.warehouse))
    texts = {path: _bound((case.pile / path).read_text("utf-8"), case.key["placeholders"])
             for path in case.key["order"]}  # fmt: skip
    relations = {report["path"]: report["relation"] for report in case.key["reports"]}
    for path in case.key["order"]:
        _try(connection, texts[path])
    _freeze_views(connection)
    made = [
        Script(path, texts[path], relations[path], tuple(_made(texts[path], relations[path])))
        for path in case.key["order"]
    ]
    return Pile("shop", "postgres", read(connection), tuple(made))


def _freeze_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Views become tables: what a script reads is then all that can change under it."""
    views = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1, 2"
    ).fetchall()
    for schema, view in views:
        name, frozen = quoted(f"{schema}.{view}"), quoted(f"{schema}.{view}_frozen")
        try:
            connection.execute(f"CREATE TABLE {frozen} AS SELECT * FROM {name}")
        except duckdb.Error:
            continue  # a view over what does not run
        connection.execute(f"DROP VIEW {name}")
        connection.execute(f"ALTER TABLE {frozen} RENAME TO {quoted(view)}")


def _bound(text: str, values: dict[str, object]) -> str:
    """The text with its `{{placeholders}}` filled in."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda hit: str(values.get(hit[1], hit[0])), text)


def _made(text: str, relation: str) -> Iterator[str]:
    """What has to be dropped before a script runs again."""
    if relation:
        yield relation
    for hit in re.finditer(r"create\s+(?:temp|temporary)\s+table\s+([\w.]+)", text, re.I):
        yield hit[1]


def _try(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    """Run what runs: some scripts of the pile are broken on purpose."""
    try:
        for statement in connection.extract_statements(text):
            connection.execute(statement)
    except duckdb.Error:
        return


def tpc(name: str, git_dir: Path, work: Path) -> Pile:
    """TPC-H or TPC-DS (`tpc-h`, `tpc-ds`): queries and a few rows, from sqlglot's repository."""
    folder = work / name
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    for file in _listed(git_dir, f"{_FIXTURES}/{name}"):
        if file.endswith(".csv.gz"):
            target = folder / Path(file).name
            target.write_bytes(_shown(git_dir, file))
            table = Path(file).name.removesuffix(".csv.gz")
            source = str(target).replace("'", "''")
            connection.execute(
                f"CREATE TABLE {quoted(table)} AS SELECT * FROM read_csv('{source}', delim = '|')"
            )
    text = _shown(git_dir, f"{_FIXTURES}/{name}/{name}.sql").decode()
    scripts = [Script(title, query, "") for title, query in _queries(text)]
    return Pile(name, "duckdb", read(connection), tuple(scripts))


def _queries(text: str) -> Iterator[tuple[str, str]]:
    """The queries as written: the first of each pair, the second is what an optimizer makes."""
    for part in re.split(r"(?m)^-{10,}\n-- (?=TPC-)", text)[1:]:
        title, _, rest = part.partition("\n")
        body = re.sub(r"(?m)^#.*$", "", rest.partition("\n")[2])
        first = next(iter(duckdb.extract_statements(body)), None)
        if first is not None:
            yield title.strip(), first.query


def _listed(git_dir: Path, path: str) -> list[str]:
    return _git(git_dir, "ls-tree", "-r", "--name-only", "HEAD", path).decode().split()


def _shown(git_dir: Path, path: str) -> bytes:
    return _git(git_dir, "show", f"HEAD:{path}")


def _git(git_dir: Path, *words: str) -> bytes:
    done = subprocess.run(["git", f"--git-dir={git_dir}", *words], capture_output=True)
    if done.returncode:
        raise BenchError(f"git cannot read {git_dir}", "give sqlglot's repository with --mirror")
    return done.stdout
