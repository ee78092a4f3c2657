"""MIGRATION.md: for the team that takes over, what became of every report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from unwet.lineage.findings import Finding
from unwet.rewrite.project import Project
from unwet.rewrite.targets.dbt import has_profile
from unwet.rewrite.verdicts import MEANING, Verdict

_NOT_READ = ("BINARY", "UNREADABLE", "LOG")


def migration(
    project: Project,
    verdicts: Sequence[Verdict],
    findings: Sequence[Finding] = (),
    assumptions: Sequence[str] = (),
) -> str:
    """The text, in Markdown; of the findings, the files that were not read at all."""
    counts = Counter(v.outcome for v in verdicts)
    lines = [f"# {project.name}: what became of each report", ""]
    lines += [f"- **{n} {what}**: {MEANING[what]}." for what, n in sorted(counts.items())]
    lines += ["", *_how_to(project), ""]
    if assumptions:
        lines += ["What the proofs take for granted:", "", *(f"- {a}" for a in assumptions), ""]
    lines += ["| report | was | model | verdict | why |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        where = f"{project.below(verdict.path)}:{verdict.line}"
        cells = [verdict.relation or verdict.name, where, verdict.model, verdict.outcome]
        lines.append("| " + " | ".join(map(_cell, [*cells, verdict.reason])) + " |")
    lost = [finding for finding in findings if finding.code in _NOT_READ]
    if lost:
        lines += ["", "Not read, and so in none of the above:", ""]
        lines += [f"- {project.below(f.at.path)}: {f.message}" for f in lost]
    return "\n".join(lines) + "\n"


def _how_to(project: Project) -> list[str]:
    """What the files are, how they are built, and how they are checked."""
    build = "`dbt build --profiles-dir .` builds it in the DuckDB file that UNWET_DUCKDB names."
    if not has_profile(project):
        build = f"It is {project.dialect}: `dbt build` wants your profile `{project.name}`."
    return [
        "A report is a model below models/marts/; what several share is below models/intermediate/",
        f"and macros/. {build}",
        "After every change `unwet verify OLD-SCRIPTS THIS-FOLDER` says again what is proved, and",
        "with `--data` what is tested.",
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
