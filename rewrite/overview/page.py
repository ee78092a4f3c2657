"""The page as one HTML text. It loads nothing: only its own style and script may act, by hash.

page(overview, links) -> str
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from unwet.lineage import inventory
from unwet.lineage.exports.policy import policy
from unwet.rewrite.drift_forms import WORDS
from unwet.rewrite.overview.content import Overview, Share, shares, tiles
from unwet.rewrite.overview.links import Links

HOME = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the table of contents."""

    id: str
    name: str
    count: int


def page(overview: Overview, links: Links) -> str:
    """The text of the page; everything that comes from the pile is escaped."""
    made = overview.rewriting
    reports = made.reports if made else overview.scanned.reports
    kept = [report for report in made.reports if report.verdict == "kept"] if made else []
    notes = (*overview.noticed, *overview.scanned.errors, *overview.scanned.findings)
    verdicts = shares(made.reports) if made else ()
    style = _asset("page.css") + "".join(map(_rule, verdicts))
    script = _asset("page.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_asset("page.html.jinja")).render(
        page=overview,
        sections=list(_sections(overview, len(reports), len(notes))),
        tiles=tiles(overview),
        shares=verdicts,
        reports=reports,
        kept=kept,
        notes=notes,
        inventory=inventory.rows(overview.scanned),
        link=links.to,
        parts=_parts,
        words=WORDS,
        policy=policy(script, style),
        style=style,
        script=script,
    )


def _sections(overview: Overview, reports: int, notes: int) -> Iterator[Section]:
    if overview.drift is not None:
        yield Section("contradictions", "Contradictions", len(overview.drift.findings))
    yield Section("copies", "Copies", len(overview.copies.families))
    yield Section("reports", "Reports", reports)
    if overview.rewriting:
        yield Section("assumptions", "Assumptions", len(overview.rewriting.assumptions))
    yield Section("notes", "Not read", notes)


def _parts(text: str) -> list[str]:
    """Where a long name may go on in the next line."""
    return re.findall(r"[^/._]*[/._]+|[^/._]+$", text)


def _rule(share: Share) -> str:
    return f".bar .{share.word} {{ flex: {share.percent:.3f} 0 0; }}\n"


def _asset(name: str) -> str:
    return (HOME / name).read_text("utf-8")
