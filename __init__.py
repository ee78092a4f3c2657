"""unwet: reads a pile of copy-pasted SQL and rewrites it as a small, proven, modular project.

The public API is the seven names below. They load on first use, so ``import unwet`` stays cheap.
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unwet.lineage.pile import Inputs
    from unwet.lineage.pile import trace as trace
    from unwet.lineage.schema import Schema
    from unwet.lineage.sources import Source as Source
    from unwet.rewrite.drift import find_drift as find_drift
    from unwet.rewrite.families import find_families as find_families
    from unwet.rewrite.prove.servers.dbapi import Connected as Connected
    from unwet.rewrite.refactor import Result
    from unwet.rewrite.verify import Verification

_HOME = {
    "Connected": "unwet.rewrite.prove.servers.dbapi",
    "Source": "unwet.lineage.sources",
    "trace": "unwet.lineage.pile",
    "find_drift": "unwet.rewrite.drift",
    "find_families": "unwet.rewrite.families",
}

__version__ = "0.1.0"
__all__ = ["Connected", "Source", "find_drift", "find_families", "refactor", "trace", "verify"]


def refactor(
    sources: "Inputs",
    out: str | Path | None = None,
    dialect: str | None = None,
    to_dialect: str | None = None,
    schema: "Schema | None" = None,
    params: Mapping[str, str] | None = None,
    data: "str | Path | Connected | None" = None,
    default_schema: str | None = None,
    force: bool = False,
    name: str = "unwet_project",
    decisions: str | Path | None = None,
    generated: bool = True,
    target: str = "dbt",
    unit_tests: bool = False,
    trust_keys: bool = False,
) -> "Result":
    """Rewrite a pile as a project in the folder `out`, and prove it; `unwet refactor`.

    `target`: the kind of project, as `--target` calls it. Without `out` nothing is written: the
    result has the files. `data`: where old and new run, as a
    DuckDB file, a folder of CSV and Parquet files, a server, or Connected(connection, dialect).
    `decisions`: a decisions file, which the project obeys. `generated`: what cannot be proved is
    tested on data made from the queries alone, too. `unit_tests`: some are made. `trust_keys`:
    declared keys hold, also those that no engine checks. Raises UnwetError
    (unwet.lineage.errors).
    """
    from dataclasses import replace

    from unwet.lineage.pile import load
    from unwet.rewrite import refactor as job
    from unwet.rewrite.decisions.file import read_decisions
    from unwet.rewrite.prove.generated import Budget

    pile = replace(load(sources, dialect, schema, params, default_schema), trust_keys=trust_keys)
    where = Path(out) if out is not None else None
    values = dict(params or {})
    decided = read_decisions(decisions)
    request = job.Request(where, name, to_dialect or "", _where(data), force, values, decided)
    budget = Budget() if generated else None
    request = replace(request, generated=budget, target=target, unit_tests=unit_tests)
    return job.refactor(pile, request)


def verify(
    legacy: "Inputs",
    project: str | Path,
    dialect: str | None = None,
    to_dialect: str | None = None,
    schema: "Schema | None" = None,
    params: Mapping[str, str] | None = None,
    data: "str | Path | Connected | None" = None,
    default_schema: str | None = None,
    decisions: str | Path | None = None,
    generated: bool = True,
    trust_keys: bool = False,
) -> "Verification":
    """Check that a project returns what the reports of a pile return; `unwet verify`.

    The result has a verdict per report, with differing rows where `data` shows some, the rules of
    each proof, and for what is not proved where old and new part (`grounds`). `decisions`:
    a decisions file, which says what may be different. `generated`: what cannot be proved is tested
    on data made from the queries alone, too. `trust_keys`: declared keys hold, also those that no
    engine checks. Values that the project was made with, and `params` do not have, are taken from
    there. Raises UnwetError (unwet.lineage.errors) for a project or data that cannot be
    opened.
    """
    from dataclasses import replace

    from unwet.lineage.pile import load
    from unwet.rewrite import verify as job
    from unwet.rewrite.bound_values import with_remembered
    from unwet.rewrite.decisions.file import read_decisions
    from unwet.rewrite.prove.generated import Budget

    job.check_project(Path(project))
    values = with_remembered(Path(project), params or {})
    pile = replace(load(legacy, dialect, schema, values, default_schema), trust_keys=trust_keys)
    decided = read_decisions(decisions)
    wanted = job.Request(Path(project), to_dialect or "", _where(data), values, decided, rules=True)
    return job.verify(pile, replace(wanted, generated=Budget()) if generated else wanted)


def _where(data: "str | Path | Connected | None") -> "str | Connected":
    return str(data or "") if data is None or isinstance(data, str | Path) else data


def __getattr__(name: str) -> Any:
    """Import the stage that owns `name` (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
