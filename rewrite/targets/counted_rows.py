"""Rows that are all choices among some words: counted, not written.

    {% for flags, tables in [('01', ['b']), ('10', ['a']), ('11', ['a', 'b'])] %}

are the numbers from 1 to 3 in binary digits, each with the words whose digit is a 1. Four words are
15 rows, seven are 127: whoever adds a word to such a list would have to write as many again.

counted(names, rows, words) -> the loop over the numbers, or over the rows where they are others
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from typing import Final

from unwet.rewrite.library import LINE
from unwet.rewrite.naming import free
from unwet.rewrite.targets.affixed import Affixed, affixed
from unwet.rewrite.targets.jinja_values import quoted

LEAST: Final = 4  # words; the rows of fewer are read as easily
_MOST: Final = 12


def counted(names: Sequence[str], rows: Sequence[Sequence[str]], words: Collection[str]) -> Affixed:
    """``rows`` has Jinja expressions: one column a list of words, the others its digits. ``words``:
    names that mean something already."""
    found = _chosen(names, rows)
    if found is None:
        return affixed(names, rows, words)
    listed, every = found
    many = len(every)
    taken = {*words, *names}
    number, digit, word = (free(each, taken) for each in ("number", "digit", "word"))
    every_word, chosen = free(f"all_{listed}", taken), free("chosen", taken)
    head = (
        *_set(every_word, [quoted(each) for each in every]),
        f"{{% for {number} in range(1, {2**many}) %}}",
        f"{{% set {chosen} = namespace(digits='', words=[]) %}}",
        f"{{% for {word} in {every_word} %}}",
        f"{{% set {digit} = {number} // 2 ** ({many} - loop.index) % 2 %}}",
        f"{{% set {chosen}.digits = {chosen}.digits ~ {digit} %}}",
        f"{{% set {chosen}.words = {chosen}.words + [{word}] * {digit} %}}",
        "{% endfor %}",
    )
    said = {name: f"{chosen}.{'words' if name == listed else 'digits'}" for name in names}
    return Affixed((number,), (), said, head)


def _chosen(names: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, list[str]] | None:
    """The column of lists, and all words, where the rows are all choices among them."""
    if not 2**LEAST <= len(rows) + 1 <= 2**_MOST:
        return None
    columns = {name: [_value(row[at]) for row in rows] for at, name in enumerate(names)}
    listed = [name for name, column in columns.items() if isinstance(column[0], list)]
    if len(listed) != 1:
        return None
    every = max((v for v in columns[listed[0]] if isinstance(v, list)), key=len)
    many = len(every)
    if len(rows) != 2**many - 1 or len({*every}) < many:
        return None
    digits = [f"{number:0{many}b}" for number in range(1, 2**many)]
    chosen = [[w for w, digit in zip(every, said, strict=True) if digit == "1"] for said in digits]
    same = (column == (chosen if name == listed[0] else digits) for name, column in columns.items())
    return (listed[0], every) if all(same) else None


def _set(name: str, items: Sequence[str]) -> list[str]:
    line = f"{{% set {name} = [{', '.join(items)}] %}}"
    if len(line) <= LINE:
        return [line]
    return [f"{{% set {name} = [", *(f"    {item}," for item in items), "] %}"]


def _value(text: str) -> object:
    """A text or a list of texts; None for any other expression."""
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None
    if isinstance(value, list):
        return value if all(isinstance(each, str) for each in value) else None
    return value if isinstance(value, str) else None
