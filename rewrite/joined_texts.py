"""Texts that T-SQL joins with +, and ISNULL of values that need no conversion.

    UPPER(s) + '-'    ->  UPPER(s) || '-'       where both are texts: NULL if one is NULL, as ||
    ISNULL(n, 0)      ->  COALESCE(n, 0)        where both are whole numbers
    ISNULL(s, '')     ->  COALESCE(s, '')       where s is a text

"+ (String Concatenation)" and "ISNULL (Transact-SQL)": ISNULL converts to the type of its first
argument, which says something only where the second one is longer or a fraction.

written(tree, source, target, types)  in place; `types`: of columns, by their names
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL

# dialects in which a || b is NULL where one is, and joins texts
JOINING: Final = frozenset(
    {"postgres", "redshift", "duckdb", "snowflake", "bigquery", "databricks", "spark", "trino",
     "sqlite"}
)  # fmt: skip
_TEXTS: Final = (
    exp.Upper, exp.Lower, exp.Substring, exp.Trim, exp.Left, exp.Right, exp.Replace, exp.Repeat,
    exp.Concat, exp.DPipe, exp.Reverse,
)  # fmt: skip
_OF_TEXT: Final = ("varchar", "nvarchar", "text", "string", "character varying")


def written(tree: exp.Expr, source: str, target: str, types: Mapping[str, Collection[str]]) -> None:
    """In place: sums of texts as || ."""
    if source not in TSQL or target not in JOINING:
        return
    for node in reversed(list(tree.find_all(exp.Add))):  # the inner ones first
        if _is_text(node.this, types) and _is_text(node.expression, types):
            node.replace(exp.DPipe(this=node.this, expression=node.expression, safe=True))


def _is_text(node: exp.Expr, types: Mapping[str, Collection[str]]) -> bool:
    """Whether a value is surely a text."""
    match node:
        case exp.Literal():
            return bool(node.is_string)
        case exp.Paren():
            return _is_text(node.this, types)
        case exp.Cast():
            return node.to.this in exp.DataType.TEXT_TYPES and not node.is_type("char", "nchar")
        case exp.Column():
            said = types.get(node.name.lower(), ())
            return bool(said) and all(is_text_type(each) for each in said)
        case _:
            return isinstance(node, _TEXTS)


def is_text_type(name: str) -> bool:
    """Whether a type's name is one of texts that are not filled with blanks."""
    return name.strip().lower().split("(")[0].strip() in _OF_TEXT
