"""What `--data` names: files for DuckDB, or a server, with its credentials kept out of sight.

A DSN may stand in the environment (`env:NAME`) or in a dbt profile (`dbt:PROFILE` or
`dbt:PROFILE/TARGET`); then nothing secret is on the command line. PostgreSQL's own variables
(PGPASSWORD, PGSERVICE, ...) and its password file work as they do everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

from unwet.lineage.errors import UsageError
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.prove.servers.postgres import open_postgres
from unwet.rewrite.prove.servers.profiles import profile_dsn
from unwet.rewrite.prove.servers.secrets import Secrets, secrets_of
from unwet.rewrite.prove.servers.spark import open_spark
from unwet.rewrite.prove.servers.there import Server

POSTGRES = ("postgresql", "postgres")
SPARK = ("spark",)
ELSEWHERE = ("snowflake", "bigquery", "trino", "redshift", "databricks")


class Opened(Server, Protocol):
    """A server with a connection to it."""

    def tables(self) -> tuple[tuple[str, str], ...]:
        """(schema, name) of all tables and views that can be seen, sorted."""
        ...

    def path(self) -> tuple[str, ...]:
        """Schemas in which unqualified names are looked up."""
        ...

    def require_schema(self, schema: str) -> None:
        """Raises UsageError where nothing can be made in a schema."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """A server. `name`: what may be shown of it; the DSN itself never is."""

    kind: str
    dsn: str = field(repr=False)
    scratch: str = ""

    @property
    def dialect(self) -> str:
        return "postgres" if self.kind in POSTGRES else "spark"

    @property
    def name(self) -> str:
        return secrets_of(self.dsn).hide(self.dsn).partition("?")[0]

    @contextmanager
    def open(self, seconds: float | None) -> Iterator[Opened]:
        """A connection; raises EngineError and UsageError."""
        secrets = secrets_of(self.dsn)
        engine = self._connect(seconds, secrets)
        try:
            yield engine
        finally:
            engine.close()

    def _connect(self, seconds: float | None, secrets: Secrets) -> Opened:
        writes = bool(self.scratch)
        if self.kind in POSTGRES:
            return open_postgres(self.dsn, seconds, secrets, writes)
        address, _, settings = self.dsn.partition("://")[2].partition("?")
        host, slash, folder = address.partition("/")
        given = dict(parse_qsl(settings))
        if not host.startswith("local"):
            return open_spark(f"spark://{host}", None, seconds, secrets, writes, given)
        place = Path(slash + folder) if folder else None
        return open_spark(
            host if "[" in host else "local[*]", place, seconds, secrets, writes, given
        )


Place = Target | Connected  # where old and new can run, beside this process


def target_of(data: str | Connected, scratch: str = "") -> Place | str:
    """A server, or what DuckDB opens. Raises UsageError for what is neither, or not given."""
    if isinstance(data, Connected):
        return replace(data, scratch=scratch)
    data = _followed(data)
    kind = data.partition("://")[0].lower() if "://" in data else ""
    if kind in ELSEWHERE:
        raise UsageError(
            f"nothing is run on {kind} from here",
            f"verify --sql-out DIR --to-dialect {kind} writes the queries that compare old and new",
        )
    if kind in (*POSTGRES, *SPARK):
        return Target(kind, data, scratch)
    if scratch:
        raise UsageError("--scratch is a schema of a server", "DuckDB writes nothing into the data")
    return data


def _followed(data: str) -> str:
    """What stands at the end of `env:NAME` and `dbt:PROFILE`, which may name one another."""
    seen = [data]
    while data.startswith(("env:", "dbt:")):
        if data.startswith("dbt:"):
            data = profile_dsn(data.removeprefix("dbt:"))
        else:
            name = data.removeprefix("env:")
            data = os.environ.get(name, "")
            if not data:
                raise UsageError(
                    f"the environment has no variable {name}", f"export {name}=postgresql://..."
                )
        if data in seen:
            raise UsageError(
                f"{' -> '.join([*seen, data])} goes in a circle",
                "let one of them say where the data is: a path, or postgresql://...",
            )
        seen.append(data)
    return data
