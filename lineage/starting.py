"""A first configuration for a pile: where it is, and which dialect reads most of it.

started(paths) -> Start
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.lineage.counted import counted
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source, read_sources
from unwet.lineage.templating import mask

NAME: Final = "unwet.toml"
# What companies keep reports in, the more common ones first: of those that read as much, the first.
DIALECTS: Final = (
    "postgres", "bigquery", "snowflake", "tsql", "databricks", "redshift", "mysql", "trino",
    "duckdb", "oracle", "clickhouse", "spark", "hive", "sqlite", "teradata",
)  # fmt: skip
_FILES: Final = 60  # that are tried; evenly from the whole pile
_ALIKE: Final = 3  # dialects; those that are one another's, like Spark's and Databricks'
_LOST: Final = frozenset({"PARSE", "OPAQUE"})


@dataclass(frozen=True, slots=True)
class Start:
    """The text of a configuration, and what was found out: of so many files that were ``tried``,
    by dialect how many findings say that something was not understood."""

    text: str
    tried: int
    lost: dict[str, int]

    @property
    def best(self) -> tuple[str, ...]:
        """The dialects that read most of it."""
        return tuple(name for name, many in self.lost.items() if many == min(self.lost.values()))

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
    lost = {name: _lost(tried, name) for name in DIALECTS}
    start = Start("", len(tried), lost)
    return Start(_text(paths, start), start.tried, lost)


def _lost(sources: Iterable[Source], dialect: str) -> int:
    """How much of the files is not understood in a dialect."""
    found = (parse(mask(source), dialect).findings for source in sources)
    return sum(finding.code in _LOST for findings in found for finding in findings)


def _text(paths: Sequence[str], start: Start) -> str:
    first, *others = start.best
    many = start.lost[first]
    part = f"all but {counted(many, 'place')}" if many else "all"
    read = f"{part} of {counted(start.tried, 'file')}"
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
# baseline = "unwet-baseline.json"

# values of placeholders
# [params]
# db = "prod"
"""
