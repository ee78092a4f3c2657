"""A list of constants that takes many lines in a query stands in few at the template's head:

    {% set concept_ids = [
        4300445, 4263325, 4031007, 442179, 37312586, 138825, 4304266, 4064057, 141374,
    ] %}
    ... WHERE concept_id IN ({{ concept_ids | join(', ') }})

As what calls say of such lists, whose parameters are written so, too.

set_out(tree, dialect, known) -> what stands at the head, by the words that stand in the tree
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import LINE
from unwet.rewrite.naming import RESERVED, free_macro, snake
from unwet.rewrite.targets.jinja_values import quoted, word
from unwet.rewrite.targets.tokens import TOKEN

_LEAST: Final = 8  # constants; fewer save nothing
_SAVED: Final = 5  # lines, at least: it is one more name to know
_PLAIN: Final = re.compile(r"'[^'\\\n{}]*'|\d+")


def set_out(
    tree: exp.Expr,
    dialect: str,
    known: Callable[[], Collection[str]],
    wrapped: Callable[[list[str]], str],
) -> list[str]:
    """In place: a word for each list. The lines of the head. ``known``: names that mean something
    in the template; ``wrapped``: items behind one another, in lines."""
    tests = [test for test in tree.find_all(exp.In) if len(test.expressions) >= _LEAST]
    texts = [_texts(test, dialect) for test in tests]
    if not any(texts):
        return []
    sql = tree.sql(dialect or None).lower()
    taken = {*re.findall(r"\w+", sql), *(hit["name"] for hit in TOKEN.finditer(sql)), *known()}
    found: dict[tuple[str, ...], str] = {}
    heads: list[str] = []
    for test, said in zip(tests, texts, strict=True):
        items = [word(text) if text.isdigit() else quoted(text) for text in said]
        if said and said not in found:
            name = free_macro(_name(test), taken)
            head = _head(name, items, wrapped)
            if len(items) + 1 - head.count("\n") - 1 < _SAVED:
                continue
            taken.add(name)
            found[said] = name
            heads.append(head)
        if said:
            test.set("expressions", [exp.Var(this=f"list__{found[said]}__list")])
    return heads


def _texts(test: exp.In, dialect: str) -> tuple[str, ...]:
    """The constants of a list that is broken into lines; none where it is something else."""
    if not all(isinstance(value, exp.Literal) and not value.comments for value in test.expressions):
        return ()
    texts = tuple(value.sql(dialect=dialect or None) for value in test.expressions)
    is_plain = all(_PLAIN.fullmatch(text) and not TOKEN.search(text) for text in texts)
    alone = exp.Tuple(expressions=[value.copy() for value in test.expressions])
    is_broken = "\n" in alone.sql(dialect=dialect or None, pretty=True)
    return texts if is_plain and is_broken else ()


def _head(name: str, items: list[str], wrapped: Callable[[list[str]], str]) -> str:
    line = f"{{% set {name} = [{', '.join(items)}] %}}"
    return line if len(line) <= LINE else f"{{% set {name} = [\n{wrapped(items)}\n] %}}"


def _name(test: exp.In) -> str:
    """Several of what the column is called that is looked at."""
    column = test.this.find(exp.Column)
    name = snake(column.name) if column is not None else ""
    many = name if name.endswith("s") else f"{name}s"
    return many if name and many.isidentifier() and many not in RESERVED else "values"
