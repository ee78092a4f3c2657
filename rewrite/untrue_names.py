"""Other names for parameters that are called after what one of the calls says, where others say
something else.

    vd.{{ visit_start_year }} - p.year_of_birth     visit_start_year='death_year'  -> year
    CAST({{ concept_id }} AS VARCHAR)               concept_id='num_periods'       -> column
    WHERE {{ column }} = '{{ date }}'               column='type', date='image'    -> value
    WHERE {{ topic }} AND a.day > b.day             topic="a = 'x'"     -> topic_condition

A macro is called by more queries than it was made for, which may say other columns. Who reads
topic= gives it a topic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HOLE, Library, Macro, said_to
from unwet.rewrite.naming import NO_PARAMETERS, hole_name
from unwet.rewrite.renaming import with_parameters

_COLUMN: Final = "column"
_VALUE: Final = "value"
_CONDITION: Final = "condition"
_IS_CONDITION: Final = re.compile("condition|filter")
_ROLE: Final = re.compile(r"(?:^|_)(?:value|column|part|relation)(?:_\d+)?$")  # says nothing more
_DOTTED: Final = re.compile(r"(?:\w+\.)*[A-Za-z_]\w*")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def with_true_names(library: Library) -> Library:
    """The library with these names, where they are free."""
    said = said_to(library)
    macros = {each.name for each in library.macros}
    names = dict[tuple[str, str], str]()
    for macro in library.macros:
        taken = {*macros, *macro.params, *NO_PARAMETERS}
        for name, to in _names(macro, said.get(macro.name, {})):
            if to not in taken:
                names[macro.name, name] = to
                taken.add(to)
    return with_parameters(library, names)


def _names(macro: Macro, said: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """The parameters whose names are not true, each with one that is."""
    columns, compared = _columns(macro.tree), _compared(macro.tree)
    conditions = _conditions(macro.tree)
    for name in macro.params:
        texts = [*said.get(name, ()), *filter(None, [macro.defaults.get(name)])]
        if name in conditions and not _IS_CONDITION.search(name) and _is_compared(texts):
            stem = _ROLE.sub("", name)
            yield name, f"{stem}_{_CONDITION}" if stem else _CONDITION
        elif name in columns and name not in compared and _is_untrue(name, texts):
            yield name, hole_name(texts, _COLUMN)
        elif (of := said.get(compared.get(name, ""), ())) and 0 < of.count(name) * 2 <= len(of):
            yield name, _VALUE


def _is_untrue(name: str, texts: Sequence[str]) -> bool:
    """Whether some calls say a column of this name, and others another one."""
    plain = all(_NAME.fullmatch(text) and not HOLE.fullmatch(text) for text in texts)
    return plain and len({name in text.lower() for text in texts}) > 1


def _is_compared(texts: Sequence[str]) -> bool:
    """Whether some call says more than a column that is true or not."""
    return not all(map(_DOTTED.fullmatch, texts))


def _conditions(tree: exp.Expr) -> set[str]:
    """Parameters that are a whole condition, or one of several, wherever they stand."""
    found: dict[str, bool] = {}
    for node in tree.walk():
        hole = HOLE.fullmatch(node.name) if isinstance(node, exp.Var | exp.Column) else None
        if hole is not None:
            found[hole[1]] = _is_condition(node) and found.get(hole[1], True)
    return {name for name, always in found.items() if always}


def _is_condition(node: exp.Expr) -> bool:
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    above = node.parent
    if isinstance(above, exp.Join):
        return node.arg_key == "on"
    return isinstance(above, exp.Where | exp.Having | exp.And | exp.Or | exp.Not)


def _columns(tree: exp.Expr) -> set[str]:
    """Parameters that are columns of something."""
    found = (HOLE.fullmatch(each.name) for each in tree.find_all(exp.Column) if each.table)
    return {hole[1] for hole in found if hole is not None}


def _compared(tree: exp.Expr) -> dict[str, str]:
    """Parameters that a column is compared with, which is a parameter itself: that one."""
    found = dict[str, str]()
    for test in tree.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        column, value = HOLE.fullmatch(test.left.name), HOLE.fullmatch(test.right.name)
        if column is not None and value is not None and isinstance(test.right, exp.Literal):
            found[value[1]] = column[1]
    return found
