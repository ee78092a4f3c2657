"""Files that a script writes: what no model does, and what nobody else may take for tables.

COPY (SELECT a FROM q) TO 'x.csv'                       -- DuckDB, PostgreSQL
EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT ...    -- BigQuery
UNLOAD ('SELECT a FROM q') TO 's3://b/x'                -- Redshift, Athena
COPY INTO @stage/x FROM q                               -- Snowflake
INSERT OVERWRITE DIRECTORY '/out/x' SELECT a FROM q     -- Hive, Spark
EXPORT DATABASE '/out/x'                                -- DuckDB
\\copy q TO 'x.csv'                                      -- psql: a line that is no SQL
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import POSTGRES
from unwet.lineage.errors import without_secrets
from unwet.lineage.parse import Statement

_QUOTED: Final = re.compile(r"['\"`](?P<path>[^'\"`\n]+)['\"`]")
_UNLOADED: Final = re.compile(r"\bTO\s+'(?P<path>[^'\n]+)'", re.IGNORECASE)
_COMMANDS: Final = frozenset({"EXPORT", "UNLOAD"})
_BUCKET: Final = re.compile(r"\A(?:(?P<s3>s3[an]?)|(?P<gs>gc?s))://", re.IGNORECASE)
_STAGE: Final = re.compile(r"\A@(?:[^/]*\.)?(?P<stage>[^/.]+)(?P<path>/.*)?\Z")
_IDLE: Final = re.compile(r"\A(?:dbfs:|file:(?://)?)(?=/)|\A(?:\./)+|(?<=[^:/]/)(?:\.?/)+")
_SHOWN: Final = 60  # letters of a statement
# of what does not parse: INSERT OVERWRITE DIRECTORY '/x' USING csv, SELECT .. INTO OUTFILE '/x',
# EXPORT TABLE q TO '/x'
_UNPARSED: Final = re.compile(
    r"\b(?:DIRECTORY|OUTFILE|DUMPFILE|EXPORT\s+TABLE\b[^;']*\bTO)\s+'(?P<path>[^'\n]+)'",
    re.IGNORECASE,
)
_CLIENT: Final = re.compile(r"^\\copy\b[^\n]*\bto\b[^\n]*", re.IGNORECASE | re.MULTILINE)


def is_file(path: str) -> bool:
    """Whether a name is one of a file or a stage, and of no table."""
    return "." in path or "/" in path or path.startswith("@")


def plain_path(path: str) -> str:
    """A path without what says nothing: ./x, x//y, x/, the dbfs: of Databricks before /x, the
    driver of a bucket (s3a://), and the schema of a stage, whose letters have no case."""
    if stage := _STAGE.match(path.replace('"', "")):
        path = f"@{stage['stage']}{stage['path'] or ''}".lower()
    elif bucket := _BUCKET.match(path):
        path = f"{'s3' if bucket['s3'] else 'gs'}://{path[bucket.end() :]}"
    return _IDLE.sub("", path).rstrip("/")


def is_begun(path: str, written: str) -> bool:
    """Whether a file may be one of those that were written under a name that each of them begins
    with, as UNLOAD and COPY INTO do in buckets and stages."""
    return ("://" in written or written.startswith("@")) and path.startswith(written)


def writes_files(statement: Statement) -> bool:
    """Whether all that a statement does is to write what it reads to files, or to its client."""
    tree = statement.tree
    match tree:
        case exp.Copy():
            return tree.args.get("kind") is False or _is_outside(tree.this)
        case exp.Export():
            return True
        case exp.Command():
            return str(tree.this).upper() in _COMMANDS
        case exp.Insert():
            return isinstance(tree.this, exp.Directory)
        case _:
            return False


def told_of_files(statement: Statement) -> str:
    """What is said of a statement that writes files; empty of others."""
    if not writes_files(statement):
        return ""
    text = without_secrets(" ".join(statement.text.split()))
    shown = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."
    return f"line {statement.span.line} writes files, which no model does: {shown}"


def files_of(statement: Statement) -> Iterator[str]:
    """The files that a statement writes."""
    tree, text = statement.tree, statement.text
    if isinstance(tree, exp.Copy) and tree.args.get("kind") is False:
        yield from (each.name for each in tree.args.get("files") or () if is_file(each.name))
    elif isinstance(tree, exp.Copy) and _is_outside(tree.this):
        yield tree.this.name
    elif isinstance(tree, exp.Command) and str(tree.this).upper() == "UNLOAD":
        yield from (hit["path"] for hit in _UNLOADED.finditer(text))
    elif writes_files(statement) and not isinstance(tree, exp.Insert):
        yield from (hit["path"] for hit in _QUOTED.finditer(text) if is_file(hit["path"]))
    else:
        written = (each.name for each in tree.find_all(exp.Directory))
        yield from written


def files_in(text: str) -> Iterator[str]:
    """Those that a text writes which does not parse."""
    yield from (hit["path"] for hit in _UNPARSED.finditer(text))


def written_by_clients(text: str, dialect: str) -> Iterator[tuple[int, str]]:
    """The lines that are no SQL and write files, each with its place in the text."""
    if dialect in POSTGRES and "\\copy" in text.lower():
        yield from ((hit.start(), hit[0].strip()) for hit in _CLIENT.finditer(text))


def _is_outside(place: exp.Expr) -> bool:
    """A stage of Snowflake, or a bucket."""
    name = place.name
    return isinstance(place, exp.Table) and (
        name.startswith("@") or (isinstance(place.this, exp.Literal) and is_file(name))
    )
