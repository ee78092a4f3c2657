"""What verify says of a project that a test has changed."""

from __future__ import annotations

from pathlib import Path

from unwet.lineage.pile import Pile
from unwet.rewrite.verify import Request, verify


def told_of(pile: Pile, project: Path) -> dict[str, str]:
    """`VERDICT: REASON` by the name of each report of the pile."""
    found = verify(pile, Request(project))
    return {report.name: f"{report.verdict}: {report.reason}" for report in found.reports}
