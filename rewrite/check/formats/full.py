"""For people: each problem with the SQL that it is about, what to do, and the other places.

DUP_EXACT this is `stg.orders` again
  --> models/a.sql:2:1
   |
 1 |   -- orders that count
 2 | / SELECT id, total
 3 | | FROM shop.orders
   | |________________^
   |
help: use ref('orders')
see:  models/b.sql:1-2 (stg.orders)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from unwet.rewrite.check.formats.excerpt import excerpt, gutter
from unwet.rewrite.check.formats.paint import Paint
from unwet.rewrite.check.formats.view import View, counted, one_line, ordered, total
from unwet.rewrite.check.found import Place, Problem

SHOWN: Final = 5  # other places; json has all of them


def render(problems: Sequence[Problem], view: View) -> str:
    """One paragraph a problem, then how many they are."""
    paint, texts = Paint(view.colour), _Texts(view)
    found = ordered(problems)
    blocks = ["\n".join(_block(each, texts, view, paint)) for each in found]
    return "\n\n".join([*blocks, total(found)]) + "\n"


class _Texts:
    """The lines of files, each read once."""

    def __init__(self, view: View) -> None:
        self._read = view.read
        self._known: dict[str, list[str]] = {}

    def lines(self, path: str) -> list[str]:
        """The lines of a file, ended as an editor ends them; none when it cannot be read."""
        if path not in self._known:
            text = self._read(path) or ""
            ended = text.replace("\r\n", "\n").replace("\r", "\n")
            self._known[path] = ended.split("\n") if text else []
        return self._known[path]


def _block(problem: Problem, texts: _Texts, view: View, paint: Paint) -> Iterator[str]:
    at = problem.at
    yield f"{paint.code(problem.code)} {paint.strong(one_line(problem.message))}"
    lines = texts.lines(at.path)
    place = one_line(f"{at.path}:{at.line}:{at.column}")
    yield f"{' ' * gutter(lines, at)}{paint.frame('-->')} {place}"
    yield from excerpt(lines, at, view.width, paint)
    if problem.help:
        yield f"{paint.help('help:')} {one_line(problem.help)}"
    yield from _others(problem.others, paint)


def _others(others: Sequence[Place], paint: Paint) -> Iterator[str]:
    for number, each in enumerate(others[:SHOWN]):
        relation = f" ({each.relation})" if each.relation else ""
        head = "     " if number else paint.help("see:") + " "
        yield f"{head} " + one_line(f"{each}{relation}")
    if len(others) > SHOWN:
        yield f"      ... and {counted(len(others) - SHOWN, 'other place')}"
