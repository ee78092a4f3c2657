"""MIGRATION.md: for the team that takes over, what became of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unwet.rewrite.project import Project
from unwet.rewrite.verdicts import Verdict

_MEANING = {
    "proved": "the new model has the same normal form as the old query",
    "tested": "no difference on the data it was run on; no proof",
    "order-dependent": "the old query itself returns other rows when its input is shuffled",
    "kept": "left as it was, below legacy/",
    "failed": "old and new disagree: look at it before anything else",
    "changed": "changed on purpose",
}


def migration(project: Project, verdicts: Sequence[Verdict]) -> str:
    """The text, in Markdown."""
    counts = Counter(v.outcome for v in verdicts)
    lines = [f"# {project.name}: what became of each report", ""]
    lines += [f"- **{n} {what}**: {_MEANING[what]}." for what, n in sorted(counts.items())]
    lines += ["", "| report | was | model | verdict | |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        where = f"{project.below(verdict.path)}:{verdict.line}"
        cells = [verdict.relation or verdict.name, where, verdict.model, verdict.outcome]
        lines.append("| " + " | ".join(map(_cell, [*cells, verdict.reason])) + " |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
