"""Which lines of the pile a model replaces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from unwet.lineage.findings import Span
from unwet.lineage.parse import Statement
from unwet.rewrite.compose import Draft
from unwet.rewrite.project import Project
from unwet.rewrite.script import Report

_READERS: Final = 5  # are named of what many models read
_CODE: Final = re.compile(  # a line of SQL that somebody commented out
    r"\s*[,)]|(CREATE|SELECT|WITH|FROM|WHERE|AND|OR|(LEFT |INNER )?JOIN|ON|GROUP BY|ORDER BY|HAVING"
    r"|UNION|INSERT|DELETE|UPDATE)\b|.*(,|\(|\bAS)\s*$"
)
_DRAWN: Final = re.compile(r"^\s*[-=*#~](?:\s*[-=*#~])+\s*|\s*[-=*#~](?:\s*[-=*#~])+\s*$")
_WRAPPED = 60  # signs; a longer line may go on in the next one


def replaced(project: Project, report: Report) -> Iterator[str]:
    """`path:line-line` of each statement, with paths as the project names them; of those that stand
    one behind the other in a script, from the first to the last."""
    for first, last in _stretches([part.statement for part in report.definition.statements]):
        to = f"-{last.end_line}" if last.end_line > first.line else ""
        yield f"{project.below(first.path)}:{first.line}{to}"


def _stretches(statements: Iterable[Statement]) -> Iterator[tuple[Span, Span]]:
    """Where statements begin and end that no other statement of their scripts stands between."""
    first = last = None
    for each in statements:
        follows = last is not None and each.path == last.path and each.index == last.index + 1
        if first is not None and last is not None and not follows:
            yield first.span, last.span
        first, last = first if follows else each, each
    if first is not None and last is not None:
        yield first.span, last.span


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


def said_in_lines(draft: Draft) -> list[str]:
    """All that the author wrote above the query, as it is laid out: without what was drawn in front
    of its lines and behind them, and without those that have no word."""
    lines = (_DRAWN.sub("", line.replace("\t", " ")) for line in draft.comments)
    return [line for line in lines if re.search(r"\w", line)]


def as_one(lines: Sequence[str]) -> str:
    """Lines of comments as one text: what begins another thought is set apart from what is in front
    of it, a sentence that goes on in the next line is not."""
    text, before = "", ""
    for line in lines:
        ends = text[-1:] in (*".!?:;,(",) or len(before) >= _WRAPPED
        text += "; " if text and not ends and line[:1].isupper() else " " * bool(text)
        text, before = text + line, line
    return text


def is_code(comment: str) -> bool:
    """Whether a comment is a line of SQL that somebody took out."""
    return _CODE.match(comment) is not None
