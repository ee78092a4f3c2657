"""A script in which some statements say what was decided, at the lines where they stood."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.edited import begin, end
from unwet.lineage.errors import RenderError
from unwet.lineage.names import deep_stack
from unwet.lineage.parse import Script, Statement, parse
from unwet.lineage.printing import render
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask, words_of
from unwet.rewrite.decisions.mending import Mend, Refused, mended

_LEADING: Final = re.compile(r"(?:/\*(?!\+).*?\*/\s*)+", re.DOTALL)  # stands before it already


def reworded(script: Script, mends: Sequence[Mend], values: Mapping[str, str]) -> Script:
    """The script with all mends in it. It is printed and read again, so that whoever reads its
    text, and not its trees, reads what was decided; `values` are those of its placeholders.

    Raises Refused where that would not say the same.
    """
    text = script.source.text
    wanted = {}
    for statement in sorted(script.statements, key=lambda each: -each.start):
        mine = [mend for mend in mends if mend.statement is statement]
        if mine:
            with deep_stack():
                wanted[statement.index] = tree = mended(statement.tree, mine)
                text = _with(text, statement, _printed(tree, statement))
    source = Source(script.source.path, text, script.source.dialect)
    known = words_of(script.statements[0].masked) if script.statements else {}
    made = parse(mask(source, values, known), script.statements[0].dialect)
    if len(made.statements) != len(script.statements):
        raise Refused("the changed text cannot be read again")
    for index, tree in wanted.items():
        if made.statements[index].tree != tree:
            raise Refused("the changed text would not say what was decided")
    return made


def _printed(tree: exp.Expression, statement: Statement) -> str:
    try:
        text = render(tree, statement.dialect, pretty=False)
    except RenderError as error:
        raise Refused(error.message) from error
    return statement.masked.restore(
        _LEADING.sub("", text, count=1) if _LEADING.match(text) else text
    )


def _with(text: str, statement: Statement, words: str) -> str:
    """The source with other words for a statement; what follows stays in its line."""
    masked, stop = statement.masked, statement.start + len(statement.text)
    if masked.text[statement.start : stop] != statement.text:
        raise Refused("its statement is not found again in the source")
    first, last = begin(masked.cuts, statement.start), end(masked.cuts, stop)
    lines = text.count("\n", first, last) - words.count("\n")
    return text[:first] + words + "\n" * max(0, lines) + text[last:]
