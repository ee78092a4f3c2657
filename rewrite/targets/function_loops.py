"""Functions that are alike but for a few places, said once: a loop over what differs.

    {% for name, condition in [
        ('has_etag', "LOWER(header.name) = 'etag'"),
        ('has_vary', "LOWER(header.name) = 'vary' AND header.value <> ''"),
    ] %}
    CREATE OR REPLACE FUNCTION functions.{{ name }}(headers ARRAY<STRUCT<name STRING>>) ...
    {% endfor %}

Each is made in the loop with the meaning that it has by itself: what the template says is read
again before it is written. A function that calls another one stays behind it.

united(functions) -> the functions and the families, in the order in which they are made
in_layout(text, dialect) -> a text with its loops in the layout in which the pile is counted
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from jinja2 import Environment, TemplateError

from unwet.lineage.errors import RenderError
from unwet.lineage.printing import render
from unwet.rewrite.function_text import all_created, created
from unwet.rewrite.function_words import meaning, spelled
from unwet.rewrite.own_functions import OwnFunction
from unwet.rewrite.sizes import code_lines
from unwet.rewrite.targets.function_holes import Cut, Text, cuts_of, heads_of
from unwet.rewrite.targets.jinja import head_of_loop
from unwet.rewrite.targets.jinja_values import quoted

_SAVED: Final = 4  # lines that a loop saves at least
_OF_TWO: Final = 6  # and one of two functions, which are read as easily as a loop
_ENDED: Final = "\n{% endfor %}"
_PRINTED: Final = re.compile(r"\{\{ (\w+) \}\}")
_STANDS_IN: Final = re.compile(r"h__(\w+?)__h")
_LOOP: Final = re.compile(
    r"(?P<head>\{% for (?:\w+, )*\w+ in \[.*?\] %\}\n)(?P<body>CREATE OR REPLACE .*?)"
    + rf"(?P<end>;{re.escape(_ENDED)})",
    re.DOTALL,
)
_JINJA: Final = Environment(autoescape=False, keep_trailing_newline=True)


@dataclass(frozen=True)
class Family:
    """Functions in a loop over ``rows`` of values for ``names``; ``body``: the statement that makes
    one of them."""

    functions: tuple[OwnFunction, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    body: str

    @property
    def text(self) -> str:
        """The loop."""
        rows = [[*map(quoted, row)] for row in self.rows]
        return "\n".join([*head_of_loop(self.names, rows), f"{self.body};{_ENDED}"])

    @cached_property
    def lines(self) -> int:
        """As they are counted."""
        return code_lines(in_layout(self.text, self.functions[0].dialect))

    @cached_property
    def saved(self) -> int:
        """The lines by which it is shorter than its functions."""
        return sum(map(_lines, self.functions)) - self.lines

    @property
    def pays(self) -> bool:
        """Whether it is shorter by far."""
        return self.saved >= (_SAVED if len(self.functions) > 2 else _OF_TWO)


Unit = OwnFunction | Family


def united(functions: Sequence[OwnFunction]) -> tuple[Unit, ...]:
    """``functions``: each behind those that it calls."""
    return _united(tuple(functions))


def in_layout(text: str, dialect: str) -> str:
    """What is no loop, and what cannot be printed, stays as it is."""

    def printed(loop: re.Match[str]) -> str:
        body = _in_layout(loop["body"], dialect)
        return loop["head"] + (body or loop["body"]) + loop["end"]

    return _LOOP.sub(printed, text)


def _in_layout(body: str, dialect: str) -> str:
    tree = created(_PRINTED.sub(r"h__\1__h", body), dialect)
    try:
        text = render(tree, dialect, spent=True) if tree is not None else ""
    except RenderError:
        return ""
    return _STANDS_IN.sub(r"{{ \1 }}", text)


@lru_cache(maxsize=4096)
def _lines(function: OwnFunction) -> int:
    return code_lines(_in_layout(function.sql, function.dialect) or function.sql)


@lru_cache(maxsize=8)
def _united(functions: tuple[OwnFunction, ...]) -> tuple[Unit, ...]:
    units: tuple[Unit, ...] = functions
    families = [family for group in heads_of(functions) for family in _families(group)]
    for family in sorted(families, key=lambda each: -each.saved):
        left = [unit for unit in units if unit not in family.functions]
        first = units.index(family.functions[0])
        units = _in_order((*left[:first], family, *left[first:])) or units
    return units


# --- which are one family ---------------------------------------------------------------------


def _families(texts: Sequence[Text]) -> Iterator[Family]:
    """The families among functions of one head; each has all that make it shorter."""
    left = [*texts]
    while len(left) > 1:
        members, family = [left[0]], None
        for other in left[1:]:
            more = _family([*members, other])
            if more is not None and (family is None or more.saved > family.saved):
                members, family = [*members, other], more
        found = family is not None and family.pays
        if found and family is not None:
            yield family
        left = [text for text in left if text not in (members if found else left[:1])]


def _family(texts: Sequence[Text]) -> Family | None:
    """All of them in one loop; None where they differ too much, or the loop says otherwise."""
    cuts = cuts_of(texts)
    if cuts is None:
        return None
    functions = tuple(text.function for text in texts)
    names = ("name", *cuts.names)
    rows = tuple((text.name, *row) for text, row in zip(texts, cuts.rows, strict=True))
    body = _body(texts[cuts.shown], cuts.of[cuts.shown], cuts.names)
    family = Family(functions, names, rows, body)
    return family if _makes_them(family) else None


def _body(text: Text, cuts: Sequence[Cut], names: Sequence[str]) -> str:
    """The statement with names in place of what differs."""
    made, at = f"{text.head}{{{{ name }}}}", 0
    for cut in cuts:
        made += f"{text.rest[at : cut.start]}{{{{ {names[cut.hole]} }}}}"
        at = cut.end
    return made + text.rest[at:]


def _makes_them(family: Family) -> bool:
    """Whether the loop makes just these functions, in their order; and can be counted."""
    dialect = family.functions[0].dialect
    try:
        said = _JINJA.from_string(family.text).render()
    except TemplateError:
        return False
    made = [(spelled(tree), meaning(tree)) for tree in all_created(said, dialect)]
    wanted = [(each.name, each.meaning) for each in family.functions]
    return made == wanted and bool(_in_layout(family.body, dialect))


# --- what calls what --------------------------------------------------------------------------


def _in_order(units: Sequence[Unit]) -> tuple[Unit, ...]:
    """Each unit behind those with what it calls; none where a family would have to stand both
    before and behind another unit."""
    of = {each.name: unit for unit in units for each in _functions(unit)}
    done: dict[int, Unit] = {}
    open_: set[int] = set()

    def take(unit: Unit) -> bool:
        if id(unit) in done:
            return True
        if id(unit) in open_:
            return False
        open_.add(id(unit))
        needed = [of[name] for each in _functions(unit) for name in each.needs if name in of]
        if not all(take(other) for other in needed if other is not unit):
            return False
        done[id(unit)] = unit
        return True

    return tuple(done.values()) if all(map(take, units)) else ()


def _functions(unit: Unit) -> tuple[OwnFunction, ...]:
    return unit.functions if isinstance(unit, Family) else (unit,)
