"""The whole job on a case that is laid out for it: pile, data, project, and one table."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unwet.lineage import inventory
from unwet.lineage.errors import EngineError, OutputReadOnly
from unwet.lineage.inventory import Inventory
from unwet.lineage.pile import load
from unwet.rewrite import refactor, verify
from unwet.rewrite.targets.place import check
from unwet.rewrite.verdicts import Outcome

Progress = Callable[[str], None]
Row = tuple[str, str]

_VERDICTS: tuple[Outcome, ...] = ("proved", "tested", "order-dependent", "kept", "failed")


@dataclass(frozen=True, slots=True)
class Case:
    """A pile in ``dialect`` for DuckDB to run, what writes its data into a file, and values for
    its placeholders."""

    pile: Path
    build: Callable[[Path], None]
    dialect: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demo:
    """What came of it, and where it lies."""

    out: Path
    scanned: Inventory
    refactored: refactor.Result
    verified: verify.Verification

    @property
    def project(self) -> Path:
        """The folder of the dbt project."""
        return self.out / "project"


def demo(case: Case, out: Path, force: bool, progress: Progress = lambda _: None) -> Demo:
    """Lays out ``out``/pile and ``out``/case.duckdb, makes ``out``/project, and verifies it.

    Raises UnwetError for a place that cannot be written or holds other files (unless ``force``).
    """
    check(out, force)
    with _whole(out):
        return _demo(case, out, force, progress)


@contextmanager
def _whole(out: Path) -> Iterator[None]:
    """What a run began in an empty place, and did not finish, is removed again."""
    was_there = out.is_dir()
    theirs = was_there and any(out.iterdir())
    try:
        yield
    except BaseException:
        if not theirs:
            shutil.rmtree(out, ignore_errors=True)
        if was_there:
            out.mkdir(exist_ok=True)
        raise


def _demo(case: Case, out: Path, force: bool, progress: Progress) -> Demo:
    progress("laying out pile and data")
    data = _lay_out(case, out)
    pile = load(out / "pile", case.dialect, data)
    progress("scanning")
    scanned = inventory.scan(pile)
    target = out / "project"
    wanted = refactor.Request(target, "shop", "duckdb", str(data), force, case.values)
    result = refactor.refactor(pile, wanted, progress)
    progress("verifying the written project")
    checked = verify.verify(pile, verify.Request(target, "", str(data), case.values), progress)
    return Demo(out, scanned, result, checked)


def _lay_out(case: Case, out: Path) -> Path:
    """Copies the pile and makes the data; returns the data file."""
    import duckdb

    data = out / "case.duckdb"
    try:
        out.mkdir(parents=True, exist_ok=True)
        shutil.copytree(case.pile, out / "pile", dirs_exist_ok=True)
        case.build(data)
    except OSError as error:  # copytree tells of each file in a list
        raise OutputReadOnly(str(out), error.strerror or "cannot copy the pile") from error
    except duckdb.Error as error:
        raise EngineError(f"cannot write {data}: {error}") from error
    return data


def rows(found: Demo) -> list[Row]:
    """Label and value per line of the closing table."""
    before, after = found.refactored.before, found.refactored.after
    counts = Counter(report.verdict for report in found.verified.reports)
    return [
        ("lines of SQL", f"{before.lines:,} -> {after.lines:,}"),
        ("syntax nodes", f"{before.nodes:,} -> {after.nodes:,}"),
        ("statements that do not parse", f"{len(found.scanned.errors):,}"),
        ("reports", f"{len(found.verified.reports):,}"),
        *((f"  {what}", f"{counts[what]:,}") for what in _VERDICTS if counts[what]),
        ("macros", f"{found.refactored.macros:,}"),
        ("old scripts", str(found.out / "pile")),
        ("data", str(found.out / "case.duckdb")),
        ("dbt project", str(found.project)),
    ]


def next_steps(found: Demo) -> list[str]:
    """What to do now, as commands."""
    return [
        "Every report and what became of it: " + str(found.project / "MIGRATION.md"),
        "Build it:  pip install 'dbt-core<2' dbt-duckdb",
        f"           cd '{found.project}'",
        "           UNWET_DUCKDB=../case.duckdb dbt build --profiles-dir .",
    ]
