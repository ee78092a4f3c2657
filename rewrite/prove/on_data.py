"""The test on the user's data, wherever it lies: DuckDB opens files, a server is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from unwet.lineage.errors import UsageError
from unwet.lineage.parse import Script
from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.elsewhere import run_elsewhere
from unwet.rewrite.prove.servers.dbapi import Connected
from unwet.rewrite.prove.servers.target import target_of
from unwet.rewrite.prove.tested import DataVerdict, Memory, run_tests
from unwet.rewrite.prove.worlds import Worlds


class Store(Protocol):
    """Where runs are kept until they come to their end."""

    def run(
        self,
        scripts: Sequence[Script],
        project: Path,
        reports: Sequence[ReportRef],
        data: Path | str,
        dialect: str,
        values: Mapping[str, str],
        seconds: float | None,
    ) -> Memory | None:
        """What is left of this run; None where nothing can be remembered of it."""
        ...


def run_on_data(
    scripts: Sequence[Script],
    project_root: Path,
    reports: Sequence[ReportRef],
    data: str | Connected,
    dialect: str,
    vars: Mapping[str, str] | None = None,
    *,
    scratch: str = "",
    seconds: float | None = 600.0,
    clock: datetime | None = None,
    worlds: Worlds | None = None,
    store: Store | None = None,
) -> tuple[DataVerdict, ...]:
    """As `run_tests` says. `data`: a file or folder for DuckDB, the DSN of a server, or where one
    stands (`env:NAME`, `dbt:PROFILE`), or a connection; `scratch`: the schema of the server to
    write into. `store`: what earlier runs have left; of servers nothing is: nobody knows whether
    their data changed."""
    target = target_of(data, scratch)
    if not isinstance(target, str):
        return run_elsewhere(scripts, project_root, reports, target, dialect, vars,
                             seconds=seconds, clock=clock)  # fmt: skip
    memory = None
    if store is not None:
        memory = store.run(scripts, project_root, reports, target, dialect, vars or {}, seconds)
    return run_tests(scripts, project_root, reports, target, dialect, vars,
                     seconds=seconds, clock=clock, worlds=worlds, memory=memory)  # fmt: skip


def check_scratch(data: str | Connected, scratch: str) -> None:
    """Before any work is done: raises UsageError for a scratch schema of nothing."""
    if scratch and not data:
        raise UsageError(
            f"--scratch {scratch} is a schema of a server, and no --data names one",
            "add --data postgresql://... (or spark://..., env:NAME, dbt:PROFILE)",
        )


def shown(data: str | Connected) -> str:
    """What may be shown of where the data lies."""
    if isinstance(data, Connected):
        return data.name
    if data.startswith(("env:", "dbt:")) or "://" not in data:
        return data
    target = target_of(data)
    return target if isinstance(target, str) else target.name


def engine_of(data: str | Connected) -> str:
    """The dialect of the engine in which old and new run."""
    target = target_of(data)
    return "duckdb" if isinstance(target, str) else target.dialect
