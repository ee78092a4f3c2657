"""Which lines of the pile a model replaces."""

from __future__ import annotations

from collections.abc import Iterator

from unwet.rewrite.project import Project
from unwet.rewrite.script import Report


def replaced(project: Project, report: Report) -> Iterator[str]:
    """`path:line-line` of each statement, with paths as the project names them."""
    for part in report.definition.parts:
        span = part.statement.span
        last = f"-{span.end_line}" if span.end_line > span.line else ""
        yield f"{project.below(span.path)}:{span.line}{last}"


def plain(comment: str) -> str:
    """A comment as one line of words that end no comment and open no template."""
    words = " ".join(comment.split())
    return words.translate(str.maketrans("", "", "{}")).replace("*/", "* /")
