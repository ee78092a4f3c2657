"""The figures of one run, and how they are shown.

tally(...) -> Figures;  text(figures) / to_json(figures) / write(figures, RESULTS.md)
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.achilles.checking import KEPT, LOST, UNBUILT, Check
from bench.achilles.legacy import Outcome
from bench.parity import DIFFERENT, IDENTICAL, MISSING
from bench.results import put

STATUSES = (IDENTICAL, DIFFERENT, MISSING, UNBUILT, LOST, KEPT)
VERDICTS = ("proved", "tested", "changed", "order-dependent", "kept", "failed")
COMMAND = "python -m bench.achilles --write"


@dataclass(frozen=True, slots=True)
class Legacy:
    """What the original statements do on one data set."""

    files: int
    templates: int
    executed: int
    with_rows: int
    relations: int
    rows: int
    failures: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Parity:
    """One data set: legacy relations by status, dbt's own outcomes, and all that is not equal."""

    statuses: Mapping[str, int]
    by_verdict: Mapping[str, Mapping[str, int]]
    outcomes: Mapping[str, int]
    notes: Mapping[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Refactored:
    """What `unwet refactor` says of itself, and what it cost."""

    reports: int
    verdicts: Mapping[str, int]
    reasons: Mapping[str, int]
    shared: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    assumptions: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One run of the bench; `refactored` is missing when only the legacy side was run."""

    versions: Mapping[str, str]
    legacy: Mapping[str, Legacy]
    refactored: Refactored | None
    parity: Mapping[str, Parity]

    @property
    def fine(self) -> bool:
        """No relation lost, missing or different on any data set; kept ones are as they were."""
        return bool(self.parity) and all(
            set(data.statuses) <= {IDENTICAL, KEPT} for data in self.parity.values()
        )


def tally_legacy(outcomes: Sequence[Outcome]) -> Legacy:
    real = [outcome for outcome in outcomes if not outcome.template]
    return Legacy(
        files=len(outcomes),
        templates=len(outcomes) - len(real),
        executed=sum(not outcome.failure for outcome in real),
        with_rows=sum(outcome.rows > 0 for outcome in real),
        relations=sum(len(outcome.relations) for outcome in real),
        rows=sum(outcome.rows for outcome in real),
        failures={outcome.name: outcome.failure for outcome in real if outcome.failure},
    )


def tally_parity(checks: Sequence[Check], outcomes: Mapping[str, int], seconds: float) -> Parity:
    verdicts = sorted({check.verdict for check in checks})
    notes = {
        check.relation: f"{check.status}: {check.comparison.note}"
        for check in checks
        if check.comparison.note
    }
    return Parity(
        statuses=dict(sorted(Counter(check.status for check in checks).items())),
        by_verdict={
            verdict: dict(Counter(c.status for c in checks if c.verdict == verdict))
            for verdict in verdicts
        },
        outcomes=outcomes,
        notes=notes,
        seconds=round(seconds, 1),
    )


def to_json(figures: Figures) -> str:
    return json.dumps(asdict(figures), indent=2)


def text(figures: Figures) -> str:
    """Markdown that also reads well on a terminal."""
    parts = [_legacy_table(figures.legacy)]
    if figures.refactored:
        parts += [_size_table(figures.refactored), _verdict_table(figures.refactored)]
    if figures.parity:
        parts.append(_parity_table(figures.parity))
    parts += _not_equal(figures)
    tools = ", ".join(f"{name} {version}" for name, version in figures.versions.items())
    # places below the folder the bench runs in are told as seen from there
    return "\n\n".join([*parts, f"With {tools}."]).replace(f"{Path.cwd()}/", "")


def _grid(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [list(head), *([f"{v:,}" if isinstance(v, int) else str(v) for v in r] for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    cells = [
        [
            v.ljust(w) if i == 0 else v.rjust(w)
            for i, (v, w) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(f"| {' | '.join(line)} |" for line in [cells[0], rule, *cells[1:]])


def _legacy_table(legacy: Mapping[str, Legacy]) -> str:
    head = ("legacy statements", "files", "templates", "executed", "with rows", "tables", "rows")
    rows = [
        (name, v.files, v.templates, v.executed, v.with_rows, v.relations, v.rows)
        for name, v in legacy.items()
    ]
    return _grid(head, rows)


def _size_table(done: Refactored) -> str:
    names = [*done.before, *(name for name in done.after if name not in done.before)]
    rows = [
        (name.replace("_", " "), done.before.get(name, ""), done.after.get(name, ""))
        for name in names
    ]
    cost = f"unwet refactor: {done.seconds:.1f} s, peak {done.peak_mb:,.0f} MB"
    return f"{_grid(('size', 'before', 'after'), rows)}\n\n{cost}"


def _verdict_table(done: Refactored) -> str:
    rows = [(name, done.verdicts.get(name, 0)) for name in VERDICTS]
    rows += [item for item in sorted(done.verdicts.items()) if item[0] not in VERDICTS]
    rows += [("reports parsed", done.reports), ("through macros or shared models", done.shared)]
    reasons = [f"- {count} x {reason}" for reason, count in done.reasons.items()]
    shown = "\n".join(["Kept or failed, because:", *reasons[:20]]) if reasons else ""
    return f"{_grid(('reports', 'count'), rows)}\n\n{shown}".strip()


def _parity_table(parity: Mapping[str, Parity]) -> str:
    rows = []
    for name, data in parity.items():
        counts = [data.statuses.get(status, 0) for status in STATUSES]
        built = "; ".join(f"{count} {kind}" for kind, count in data.outcomes.items()) or "nothing"
        rows.append((name, *counts, f"{data.seconds:.0f}", built))
    return _grid(("legacy table vs. model", *STATUSES, "seconds", "built"), rows)


def _not_equal(figures: Figures) -> list[str]:
    """Lists of everything that is not plainly equal, at most twenty lines each."""
    lists: list[tuple[str, Mapping[str, str]]] = [
        (f"Legacy statements that do not execute on {name}:", legacy.failures)
        for name, legacy in figures.legacy.items()
    ]
    lists += [(f"Remarks on {name}:", data.notes) for name, data in figures.parity.items()]
    return [_bullets(title, entries) for title, entries in lists if entries]


def _bullets(title: str, entries: Mapping[str, str], most: int = 20) -> str:
    ranked = sorted(entries.items(), key=lambda item: _rank(item[1]))
    lines = [f"- {name}: {what}" for name, what in ranked[:most]]
    more = [f"- and {len(ranked) - most} more"] if len(ranked) > most else []
    return "\n".join([title, *lines, *more])


def _rank(remark: str) -> int:
    """The worst first; equal within a tolerance last."""
    worst = (DIFFERENT, MISSING, LOST, UNBUILT, KEPT, IDENTICAL)
    return next((i for i, status in enumerate(worst) if remark.startswith(status)), -1)


def write(figures: Figures, file: Path, target: str) -> None:
    """Put the tables into their section of RESULTS.md; the rest of the file stays."""
    command = COMMAND if figures.refactored else f"{COMMAND} --legacy-only"
    name, title = "achilles", "OHDSI Achilles"
    if target != "dbt":
        name, title = f"{name}-{target}", f"{title}, for {target}"
        command += f" --target {target}"
    put(name, f"## {title}\n\n`{command}`\n\n{text(figures)}", file)
