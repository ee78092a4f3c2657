"""Which lines of the pile a model replaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from unwet.rewrite.compose import Draft
from unwet.rewrite.project import Project
from unwet.rewrite.script import Report

_READERS: Final = 5  # are named of what many models read
_CODE: Final = re.compile(  # a line of SQL that somebody commented out
    r"\s*[,)]|(CREATE|SELECT|WITH|FROM|WHERE|AND|OR|(LEFT |INNER )?JOIN|ON|GROUP BY|ORDER BY|HAVING"
    r"|UNION|INSERT|DELETE|UPDATE)\b|.*(,|\(|\bAS)\s*$"
)


def replaced(project: Project, report: Report) -> Iterator[str]:
    """`path:line-line` of each statement, with paths as the project names them."""
    for part in report.definition.statements:
        span = part.statement.span
        last = f"-{span.end_line}" if span.end_line > span.line else ""
        yield f"{project.below(span.path)}:{span.line}{last}"


def read_by(project: Project, name: str) -> str:
    """The models that read a shared one, in words."""
    drafts = (*project.drafts, *project.intermediates)
    readers = sorted(draft.name for draft in drafts if name in draft.refs)
    more = f" and {len(readers) - _READERS} more" if len(readers) > _READERS else ""
    return f"Read by {', '.join(readers[:_READERS])}{more}."


def plain(comment: str) -> str:
    """A comment as one line of words that end no comment and open no template."""
    words = " ".join(comment.split())
    return words.translate(str.maketrans("", "", "{}")).replace("*/", "* /")


def said_above(draft: Draft) -> list[str]:
    """What the author wrote above the query, line by line: words only, no lines that were drawn and
    no SQL that was taken out."""
    lines = (plain(line).strip("-=*#~_ ") for line in draft.comments if not is_code(line))
    return [line for line in lines if line]


def is_code(comment: str) -> bool:
    """Whether a comment is a line of SQL that somebody took out."""
    return _CODE.match(comment) is not None
