"""The whole job on a case that is laid out for it: pile, data, project, pages, and one table."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unwet.lineage import inventory
from unwet.lineage.errors import EngineError, OutputReadOnly
from unwet.lineage.exports.html import html
from unwet.lineage.exports.progress import Watch
from unwet.lineage.inventory import Inventory
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import refactor, verify
from unwet.rewrite.drift import Drift, drift
from unwet.rewrite.families import duplicates
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.overview.content import Overview, Rewriting
from unwet.rewrite.overview.links import Links
from unwet.rewrite.overview.page import page
from unwet.rewrite.prove.worlds import Worlds
from unwet.rewrite.targets.place import check
from unwet.rewrite.verdicts import Outcome

STAGES = ("lay out", "read", "scan", "lineage", "drift", "copies", "refactor", "verify", "report")
"""What is done, in this order."""

PILE, LINEAGE, REPORT = "pile", "lineage.html", "report.html"
LAID_OUT = ".unwet-demo"  # the files of the pile, for the next run

Row = tuple[str, str]

_VERDICTS: tuple[Outcome, ...] = ("proved", "tested", "order-dependent", "kept", "failed")


@dataclass(frozen=True, slots=True)
class Case:
    """A pile (path -> text) in ``dialect`` for DuckDB to run, what writes its data into a file,
    and values for its placeholders."""

    files: Mapping[str, str]
    build: Callable[[Path], None]
    dialect: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Demo:
    """What came of it, where it lies, and the CPU seconds of each stage."""

    out: Path
    scanned: Inventory
    drift: Drift
    refactored: refactor.Result
    verified: verify.Verification
    seconds: Mapping[str, float]

    @property
    def project(self) -> Path:
        """The folder of the dbt project."""
        return self.out / "project"


def demo(case: Case, out: Path, force: bool, watch: Watch = lambda stage, step: None) -> Demo:
    """Lays out ``out``/pile and ``out``/case.duckdb, makes ``out``/project, verifies it, and
    shows all of it on ``out``/lineage.html and ``out``/report.html.

    Raises UnwetError for a place that cannot be written or holds other files (unless ``force``).
    """
    check(out, force)
    with _whole(out):
        return _Run(case, out, force, watch).demo()


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


class _Run:
    """One run of all stages, on one reading of the pile."""

    def __init__(self, case: Case, out: Path, force: bool, watch: Watch) -> None:
        self._case, self._out, self._force, self._watch = case, out, force, watch
        self._stage = ""
        self._seconds: dict[str, float] = {}

    def demo(self) -> Demo:
        out = self._out
        with self._in("lay out"):
            data = _lay_out(self._case, out)
        with self._in("read"):
            pile = load(_sources(self._case), self._case.dialect, data)
            meaning = Meaning(pile)
        with self._in("scan"):
            scanned = inventory.scan(pile)
        with self._in("lineage"):
            _write(out / LINEAGE, html(pile.graph, title="Lineage of the shop"))
        with self._in("drift"):
            drifted = drift(pile)
        with self._in("copies"):
            copies = duplicates(meaning)
        made, checked = self._rewritten(meaning, str(data))
        with self._in("report"):
            became = Rewriting(
                "project/MIGRATION.md",
                made.before.lines,
                made.after.lines,
                checked.reports,
                checked.assumptions,
            )
            everything = Overview("The shop's reports", scanned, copies, drifted, became, LINEAGE)
            _write(out / REPORT, page(everything, Links()))
        return Demo(out, scanned, drifted, made, checked, self._seconds)

    def _rewritten(
        self, meaning: Meaning, data: str
    ) -> tuple[refactor.Result, verify.Verification]:
        """The project, and what is known of it when it is read back from where it lies now."""
        project, values = self._out / "project", self._case.values
        with Worlds(data) as worlds:  # the old scripts run once for both
            with self._in("refactor"):
                wanted = refactor.Request(project, "shop", "duckdb", data, self._force, values)
                made = refactor.refactor(meaning, wanted, self._step, worlds)
            with self._in("verify"):
                asked = verify.Request(project, "", data, values)
                return made, verify.verify(meaning, asked, self._step, worlds)

    @contextmanager
    def _in(self, stage: str) -> Iterator[None]:
        self._stage = stage
        self._step("")
        before = _cpu()
        yield
        self._seconds[stage] = _cpu() - before

    def _step(self, text: str) -> None:
        self._watch(self._stage, text)


def _sources(case: Case) -> list[Source]:
    """The pile by paths from the folder of the demo, wherever that is: so the pages link to it."""
    return [Source(f"{PILE}/{path}", text) for path, text in sorted(case.files.items())]


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputReadOnly(str(file), error.strerror or "") from error


def _cpu() -> float:
    """CPU seconds of this process and of those it has started, all threads."""
    return sum(os.times()[:4])


def _lay_out(case: Case, out: Path) -> Path:
    """Writes the pile and makes the data; returns the data file."""
    import duckdb

    data = out / "case.duckdb"
    try:
        _clear(out / PILE, out / LAID_OUT)
        for name, text in case.files.items():
            file = out / PILE / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8", newline="\n")
        (out / LAID_OUT).write_text("\n".join(sorted(case.files)), encoding="utf-8")
        case.build(data)
    except OSError as error:
        raise OutputReadOnly(str(out), error.strerror or "cannot write the pile") from error
    except duckdb.Error as error:
        raise EngineError(f"cannot write {data}: {error}") from error
    return data


def _clear(pile: Path, listed: Path) -> None:
    """What an earlier demo laid out goes, as another seed has other files; all else stays."""
    if listed.is_file():
        for name in listed.read_text(encoding="utf-8").splitlines():
            file = pile / name
            if file.resolve().is_relative_to(pile.resolve()):
                file.unlink(missing_ok=True)


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
        ("contradictions", f"{len(found.drift.findings):,}"),
        ("old scripts", str(found.out / PILE)),
        ("data", str(found.out / "case.duckdb")),
        ("lineage", str(found.out / LINEAGE)),
        ("report page", str(found.out / REPORT)),
        ("dbt project", str(found.project)),
    ]


def next_steps(found: Demo) -> list[str]:
    """What to do now, as commands."""
    return [
        "Every report and what became of it: " + str(found.project / "MIGRATION.md"),
        "Build it:  pip install 'dbt-core==1.11.*' dbt-duckdb",
        f"           cd '{found.project}'",
        "           UNWET_DUCKDB=../case.duckdb dbt build --profiles-dir .",
    ]
