"""What stands in a project beside the models of the reports, and that nobody can run.

No report is wrong for it; but the tool that runs the project stops at it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from unwet.lineage.findings import Finding, Span
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.rendered import RenderedModel, RenderedProject, RenderFailure

_HELP: Final = "mend it, or delete it: the project cannot be run with it"
_LOST: Final = frozenset({"PARSE", "TOKENIZE"})


def unparsed(
    root: Path, project: RenderedProject, reports: Collection[str], dialect: str
) -> tuple[Finding, ...]:
    """A finding for each file that does not parse and is none of the models of these reports, whose
    verdicts say it themselves. `dialect`: the one that the project is read in."""
    found = {each.at.path: each for each in _found(project, reports, dialect)}
    return tuple(_below(root, found[path]) for path in sorted(found))


def _below(root: Path, finding: Finding) -> Finding:
    """With its path as the project's was given."""
    path, home = Path(finding.at.path).resolve(), root.resolve()
    if not path.is_relative_to(home):
        return finding
    return replace(finding, at=finding.at._replace(path=str(root / path.relative_to(home))))


def _found(project: RenderedProject, reports: Collection[str], dialect: str) -> Iterator[Finding]:
    for failure in project.failures:
        if failure.unparsed and failure.name not in reports:
            yield _of_failure(failure)
    for model in project.models:
        if model.name not in reports:
            yield from _of_model(model, model.dialect or dialect)


def _of_failure(failure: RenderFailure) -> Finding:
    line = max(failure.line, 1)
    at = Span(failure.path, line, 1, line, 1)
    return Finding("PARSE", f"{failure.name}: {failure.reason}", at, _HELP)


def _of_model(model: RenderedModel, dialect: str) -> Iterator[Finding]:
    """Where it stands in the file is known only where that has no template."""
    for finding in parse(verbatim(Source(model.path, model.sql)), dialect).findings:
        if finding.code in _LOST:
            yield Finding(
                "PARSE", f"{model.name}: {finding.message}", _place(model, finding), _HELP
            )


def _place(model: RenderedModel, finding: Finding) -> Span:
    try:
        with open(model.path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        text = ""
    start = text.find(model.sql)
    if start < 0:
        return Span(model.path, 1, 1, 1, 1)
    above, at = text.count("\n", 0, start), finding.at
    shift = start - (text.rfind("\n", 0, start) + 1) if at.line == 1 else 0
    return Span(model.path, at.line + above, at.column + shift, at.end_line + above,
                at.end_column)  # fmt: skip
