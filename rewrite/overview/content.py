"""What the page is made of: findings of every stage, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from unwet.lineage.counted import counted
from unwet.lineage.findings import Finding
from unwet.lineage.inventory import Inventory
from unwet.rewrite.checked import Checked
from unwet.rewrite.drift import Drift
from unwet.rewrite.families import Duplicates
from unwet.rewrite.verdicts import MEANING, Outcome


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What became of the pile. ``project``: its address as the page links to it, or nothing;
    ``before`` and ``after``: lines of SQL by the counting rule."""

    project: str
    before: int
    after: int
    reports: tuple[Checked, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. ``lineage``: the address of the page with the column lineage, or nothing;
    ``noticed``: what there is to say of tables that several scripts write."""

    title: str
    scanned: Inventory
    copies: Duplicates
    drift: Drift | None = None
    rewriting: Rewriting | None = None
    lineage: str = ""
    noticed: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure at the top of the page."""

    what: str
    figure: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """How many reports have a verdict, most trustworthy first; ``percent`` of all."""

    word: Outcome
    count: int
    percent: float
    meaning: str


def tiles(page: Overview) -> tuple[Tile, ...]:
    """The figures that a reader wants first."""
    scanned, copies, made = page.scanned, page.copies, page.rewriting
    written = f"{scanned.lines:,} lines in {scanned.files:,} files"
    found = [Tile("reports", f"{len(made.reports if made else scanned.reports):,}", written)]
    share = copies.duplicated_lines / copies.lines if copies.lines else 0
    found += [
        Tile(
            "copied lines",
            f"{share:.0%}",
            f"in {counted(len(copies.families), 'family', 'families')}",
        )
    ]
    if page.drift is not None:
        places = sum(len(finding.outliers) for finding in page.drift.findings)
        where = f"at {counted(places, 'place')}"
        found += [Tile("contradictions", f"{len(page.drift.findings):,}", where)]
    if made is not None:
        lines = f"{made.before:,} → {made.after:,}"
        found += [Tile("lines before → after", lines, "printed alike, without comments")]
    return tuple(found)


def shares(reports: Sequence[Checked]) -> tuple[Share, ...]:
    """The verdicts that occur, in the order of MEANING."""
    counts = Counter(report.verdict for report in reports)
    kept = [report for report in reports if report.verdict == "kept"]
    told = {**MEANING, "kept": _meaning_of_kept(kept)}
    return tuple(
        Share(word, counts[word], 100 * counts[word] / len(reports), told[word])
        for word in MEANING
        if counts[word]
    )


def _meaning_of_kept(reports: Sequence[Checked]) -> str:
    """A report that is kept has no model, or one of which nothing is shown; its old script need
    not be in the project."""
    found = {bool(report.model): report for report in reports}
    told = {False: "no model: the old script stays", True: "a model that nothing is shown of"}
    return ", or ".join(told[each] for each in sorted(found))
