"""The small pile of fixtures/rewrite/refactor, refactored; and what its models return."""

from __future__ import annotations

from pathlib import Path

import duckdb

from unwet.lineage.pile import Pile, load
from unwet.rewrite.checked import Checked
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.verify import Request as VerifyRequest
from unwet.rewrite.verify import verify
from unwet.tests.rewrite.small_world import SCHEMA

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "refactor" / "pile"


def small_pile(folder: Path = FOLDER) -> Pile:
    """The pile, its tables given."""
    schema: dict[str, object] = {name: dict(columns) for name, columns in SCHEMA.items()}
    return load(folder, "duckdb", schema)  # type: ignore[arg-type]


def refactored(out: Path, pile: Pile | None = None, to_dialect: str = "") -> Result:
    """The project, written to `out`."""
    return refactor(pile or small_pile(), Request(out=out, to_dialect=to_dialect, force=True))


def verdicts(project: Path, pile: Pile) -> dict[str, Checked]:
    """What the static proof says of each report."""
    return {report.name: report for report in verify(pile, VerifyRequest(project)).reports}


def models(project: Path) -> dict[str, str]:
    """The SQL of each model; relations of the pile under the names of models."""
    rendered = render_project(project, {})
    return {model.name: model.sql for model in rendered.models}


def assert_same_rows(base: duckdb.DuckDBPyConnection, project: Path, folder: Path) -> None:
    """Runs each script of a folder, which makes the table that it is called after, and asks the
    model of that name for just these rows; there have to be some."""
    made = models(project)
    for script in sorted(folder.glob("*.sql")):
        name = script.stem
        base.execute(script.read_text())
        assert base.sql(f"SELECT COUNT(*) FROM {name}").fetchall() != [(0,)]
        for one, other in ((name, f"({made[name]})"), (f"({made[name]})", name)):
            assert base.sql(f"FROM {one} EXCEPT ALL FROM {other}").fetchall() == []
