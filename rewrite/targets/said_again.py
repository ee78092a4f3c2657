"""A call that one template says several times stands once at its head, under a name:

    {% set resp = 'LOWER(CONCAT(resp_headers, resp_via, resp_server))' %}
    CASE WHEN REGEXP_EXTRACT({{ resp }}, 'netlify') = 'netlify' THEN 'Netlify' ...

Where that saves lines, as the calls around are not wrapped any more. Only calls of functions, which
are the same wherever they stand, and in whose text nothing is that a template or a loop says.

named(tree, dialect) -> what stands at the head, by the words that stand in the tree
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from itertools import islice
from typing import Final

from sqlglot import exp

from unwet.rewrite.naming import RESERVED, free_macro, snake
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.targets.jinja_values import quoted
from unwet.rewrite.targets.tokens import TOKEN

# casts that a parser puts around arguments: printed alone only, so what is in them is printed twice
_UNSAID: Final = exp.TsOrDsToDate | exp.TsOrDsToTimestamp | exp.TsOrDsToDatetime | exp.TsOrDsToTime
_TIMES: Final = 3  # that it is said
_LETTERS: Final = 40
_HEAD: Final = 110  # letters of a line at the head
_NODES: Final = 1_000  # of a call that has too many letters for sure, and need not be printed
_SAVED: Final = 4  # lines
_CALL: Final = re.compile(r"[A-Z_]+\((?:[\w .,()]|'[\w ./:-]*')*\)")
_TOKEN: Final = re.compile(r"\w__\w")


def named(tree: exp.Expr, dialect: str, known: Callable[[], Collection[str]]) -> dict[str, str]:
    """In place: a word for each of them. The lines of the head, by the words. ``known``: names that
    mean something in the template."""
    found: dict[str, str] = {}
    before = 0
    while (most := _most(tree, dialect)) is not None:
        before = before or tree_lines(tree, dialect)
        text, nodes = most
        sql = tree.sql(dialect or None).lower()
        tokens = (hit["name"] for hit in TOKEN.finditer(sql))
        taken = {*re.findall(r"\w+", sql), *tokens, *known(), *(word[5:-5] for word in found)}
        name = free_macro(_name(nodes[0]), taken)
        word, said = f"set__{name}__set", nodes[0].copy()
        for node in nodes:
            node.replace(exp.Var(this=word))
        after = tree_lines(tree, dialect)
        if before - after - 1 < _SAVED:
            for node in [each for each in tree.find_all(exp.Var) if each.name == word]:
                node.replace(said.copy())
            return found
        found[word] = f"{{% set {name} = {quoted(text)} %}}"
        before = after
    return found


def _most(tree: exp.Expr, dialect: str) -> tuple[str, list[exp.Expr]] | None:
    """The text of the call that has most letters in all its places, and these."""
    texts = {id(node): text for node in tree.find_all(exp.Func) if (text := _text(node, dialect))}
    counts = Counter(texts.values())
    often = [text for text, times in counts.items() if times >= _TIMES]
    if not often:
        return None
    best = max(often, key=lambda text: (len(text) * counts[text], text))
    return best, [node for node in tree.find_all(exp.Func) if texts.get(id(node)) == best]


def _text(node: exp.Expr, dialect: str) -> str:
    """The call in one line; empty if it has to stand where it is."""
    if isinstance(node, exp.AggFunc | exp.UDTF | _UNSAID):
        return ""
    if isinstance(node.parent, exp.Window | exp.Alias | _UNSAID):
        return ""
    if next(islice(node.walk(), _NODES, None), None) is not None:
        return ""
    if node.parent is None or node.find(exp.Query, exp.Var, exp.AggFunc, exp.Window) is not None:
        return ""
    text = node.sql(dialect=dialect or None, comments=False)
    fits = _LETTERS <= len(text) <= _HEAD and _CALL.fullmatch(text)
    return text if fits and not _TOKEN.search(text) else ""


def _name(node: exp.Expr) -> str:
    """What the columns in it all begin with, or the first of them."""
    names = [snake(column.name) for column in node.find_all(exp.Column)]
    if not names:
        return "value"
    same = names[0]
    while not all(name.startswith(same) for name in names):
        same = same[:-1]
    same = same.rstrip("_")
    name = same if len(names) > 1 and len(same) > 2 else names[0]
    return name if name.isidentifier() and name not in RESERVED else "value"
