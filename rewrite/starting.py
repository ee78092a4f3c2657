"""A first configuration for a pile: where it is, and which dialect reads most of its files.

started(paths) -> Start
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from unwet.lineage.counted import counted
from unwet.lineage.parse import parse
from unwet.lineage.sources import read_sources
from unwet.lineage.templating import Masked, mask
from unwet.rewrite.engines.functions import functions_of
from unwet.rewrite.engines.lacking import is_spoken

NAME: Final = "unwet.toml"
# What companies keep reports in, the more common ones first: of those that read as much, the first.
DIALECTS: Final = (
    "postgres", "bigquery", "snowflake", "tsql", "databricks", "redshift", "mysql", "trino",
    "duckdb", "oracle", "clickhouse", "spark", "hive", "sqlite", "teradata",
)  # fmt: skip
_FILES: Final = 60  # that are tried; evenly from the whole pile
_ALIKE: Final = 3  # dialects; those that are one another's, like Spark's and Databricks'
_LOST: Final = frozenset({"PARSE", "OPAQUE"})


@dataclass(frozen=True, slots=True, order=True)
class Lost:
    """What a dialect does not read: so many ``files`` with something that does not parse or that
    its engine has not, and so many ``lines`` that are not understood."""

    files: int
    lines: int


@dataclass(frozen=True, slots=True)
class Start:
    """The text of a configuration, and what was found out: of so many files that were ``tried``,
    what is lost in each dialect."""

    text: str
    tried: int
    lost: dict[str, Lost]

    @property
    def best(self) -> tuple[str, ...]:
        """The dialects that read most files: a file counts once, as one of another dialect may
        have many places that are not understood, or be lost in one piece. Where too many read as
        many, those of them that lose the fewest lines."""
        files = min(lost.files for lost in self.lost.values())
        found = {name: lost for name, lost in self.lost.items() if lost.files == files}
        if len(found) > _ALIKE:
            found = {name: lost for name, lost in found.items() if lost == min(found.values())}
        return tuple(found)

    @property
    def is_open(self) -> bool:
        """Whether so many dialects read it alike that nothing says which one it is."""
        return len(self.best) > _ALIKE


def started(paths: Sequence[str]) -> Start:
    """What a configuration for the pile would say. Raises UnwetError for paths that are not there
    or without SQL."""
    sources = read_sources(paths, None).sources
    step = max(1, -(-len(sources) // _FILES))
    tried = sources[::step]
    lost = _all_lost([mask(source) for source in tried])
    start = Start("", len(tried), lost)
    return Start(_text(paths, start), start.tried, lost)


def _all_lost(files: Sequence[Masked]) -> dict[str, Lost]:
    """What is lost in each dialect. Of an engine whose functions nobody has listed, what it has
    not is as much as of the best of the others: else it would have all that it parses."""
    read = {name: [_read(file, name) for file in files] for name in DIALECTS}
    listed = [each for name, each in read.items() if functions_of(name) is not None]
    fewest = min(sum(one.is_foreign for one in each) for each in listed)
    found: dict[str, Lost] = {}
    for name, each in read.items():
        lost = sum(one.is_torn or one.is_foreign for one in each)
        if functions_of(name) is None:
            lost = min(sum(one.is_torn for one in each) + fewest, len(files))
        found[name] = Lost(lost, sum(one.lines for one in each))
    return found


@dataclass(frozen=True, slots=True)
class _Read:
    """How a file is read in a dialect: whether something in it does not parse, how many lines are
    not understood, and whether it says what the engine has not."""

    is_torn: bool
    lines: int
    is_foreign: bool


def _read(file: Masked, dialect: str) -> _Read:
    script = parse(file, dialect)
    lost = [each for each in script.findings if each.code in _LOST]
    lines = sum(each.at.end_line - each.at.line + 1 for each in lost)
    # what is told to be passed over (OPAQUE) says nothing: other dialects take it for a query
    torn = any(each.code == "PARSE" for each in lost)
    spoken = all(is_spoken(each.tree, each.text, dialect) for each in script.statements)
    return _Read(torn, lines, not spoken)


def _text(paths: Sequence[str], start: Start) -> str:
    first, *others = start.best
    lost = start.lost[first].files
    part = f"{start.tried - lost} of" if lost else "all of"
    read = f"{part} {counted(start.tried, 'file')}"
    if start.is_open:
        dialect = f"# {', '.join(start.best)} read {read}:\n# name the one that runs it\n"
        dialect += '# dialect = ""'
    else:
        also = f"; so do {', '.join(others)}" if others else ""
        dialect = f'# reads {read}{also}\ndialect = "{first}"'
    named = json.dumps([*paths], ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML's texts
    return f"""# What unwet reads. Options of the command line win.
paths = {named}
{dialect}

# what is known of tables: YAML, JSON, DDL or a DuckDB file; and the schema of names without one
# schema = "schema.sql"
# default_schema = "public"

# declared keys hold, though the engine does not check them (Snowflake, BigQuery, NOT ENFORCED)
# trust_keys = true

# for `unwet check`: copies that are there already (see `unwet check --help`)
# baseline = ".unwet-baseline.json"

# values of placeholders
# [params]
# db = "prod"
"""
