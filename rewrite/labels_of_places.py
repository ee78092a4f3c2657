"""What a place in a query is called by its author: a word for the parameter that stands there.

    JOIN ({{ part }}) AS cost                          cost
    CROSS JOIN UNNEST({{ value }}) AS decile           deciles
    CAST({{ column_2 }} AS TEXT) AS level_two          level_two
    WITH spend AS (... WHERE {{ condition_2 }})        spend_condition
    HAVING {{ condition_2 }}                           having_condition
    COUNT(DISTINCT {{ column_2 }}.person_id)           alias
    1.0 * {{ count_2 }} / {{ count }}                  numerator, denominator

label(node) -> that word; empty where the place has none, None where it says nothing at all
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import compared
from unwet.rewrite.library import HOLE
from unwet.rewrite.naming import snake

SORTED_BY: Final = "sorted_by"  # what is sorted by something may be called otherwise elsewhere
ALIAS: Final = "alias"
_SHORT: Final = 2  # letters that are no word
_ROWS: Final = ("rows", "own_rows")  # nobody's names
_TOKEN: Final = re.compile(r"(ref|src)__(?:int_|stg_)?(\w+)__\1", re.IGNORECASE)
_AROUND: Final = (exp.Cast, exp.Paren, exp.Neg)


def is_word(name: str) -> bool:
    """Whether it can be a name that says something."""
    return len(name) > _SHORT and name.isidentifier() and not name.rpartition("_")[2].isdigit()


def label(node: exp.Expr) -> str | None:
    """What the author calls the whole that a parameter is, or what it is compared with."""
    said = _label(node)
    name = said if said is None else snake(said)
    fine = name and is_word(name) and "h__" not in name and name not in _ROWS
    return name if fine or name is None else ""


def _label(node: exp.Expr) -> str | None:
    parent = node.parent
    if isinstance(parent, exp.Column):
        if node.arg_key == "table":
            return ALIAS
        if node.arg_key == "this":
            node, parent = parent, parent.parent
    while isinstance(parent, _AROUND) and node is parent.this:
        node, parent = parent, parent.parent
    while isinstance(parent, exp.Mul) and isinstance(parent.parent, exp.Div | exp.Paren | exp.Cast):
        other = parent.expression if node is parent.this else parent.this
        if not isinstance(other, exp.Literal):
            break
        node, parent = parent, parent.parent
    match parent:
        case exp.Alias() if node is parent.this:
            return str(parent.alias)
        case exp.CTE() | exp.Subquery() | exp.Table() if node is parent.this:
            return str(parent.alias)
        case exp.TableAlias() if isinstance(parent.parent, exp.Table):
            return ALIAS
        case exp.Unnest():
            columns = parent.alias_column_names
            return f"{columns[0].removesuffix('s')}s" if len(columns) == 1 else ""
        case exp.EQ():
            return compared(parent, node)
        case exp.NEQ() if _is_zero(parent.expression) or _is_zero(parent.this):
            return None
        case exp.Div():
            return "numerator" if node is parent.this else "denominator"
        case exp.Nullif() if _is_zero(parent.expression):
            return _label(parent)
        case exp.Ordered():
            return SORTED_BY
        case exp.Group() | exp.Window() if node.arg_key in ("expressions", "partition_by"):
            return None  # what an output is made of stands there again
        case exp.And() | exp.Where() | exp.Having() | exp.Join():
            return _of_condition(node)
        case _:
            return ""


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.name == "0"


def _of_condition(node: exp.Expr) -> str:
    """After the CTE or derived table whose rows it chooses, or what is joined."""
    while isinstance(node.parent, exp.And | exp.Paren):
        node = node.parent
    match node.parent:
        case exp.Join() as join if node is join.args.get("on"):
            block = _called(join.this)
        case exp.Having():
            return "having_condition"
        case exp.Where() as where if isinstance(where.parent, exp.Select):
            above = where.parent.parent
            if not isinstance(above, exp.CTE | exp.Subquery):
                return ""
            block = snake(above.alias)
            read = where.parent.args.get("from_")
            block = block if is_word(block) or read is None else _called(read.this)
        case _:
            return ""
    return f"{block}_condition" if is_word(block) else ""


def _called(relation: exp.Expr) -> str:
    """The alias of a relation if that is a word, else the table that it is."""
    alias = snake(relation.alias)
    if is_word(alias) or not isinstance(relation, exp.Table):
        return alias
    hit = _TOKEN.fullmatch(relation.name)
    said = HOLE.sub("", hit[2] if hit is not None else relation.name).split("__")
    return next((word for word in map(snake, reversed(said)) if is_word(word)), "")
