"""Casts to types without a size, which each dialect has an own one for.

    CAST(s AS VARCHAR)  ->  CAST(s AS VARCHAR(MAX))        for T-SQL
    CAST(f AS DECIMAL)      any digits in PostgreSQL, 9 behind the point in BigQuery, 3 in DuckDB,
                            none in most others
    CAST(s AS CHAR(5))      filled with blanks, or not

In T-SQL a VARCHAR has 30 letters there ("char and varchar (Transact-SQL)"). What it cuts off so no
other dialect does. Such casts are marked; the kinds of their arguments decide (`kinds_apart`).

written(tree, source, target)  in place
spoken(call, source, target) -> the call of a plan in these words, or with a mark
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.rewrite.algebra import Call
from unwet.rewrite.known_apart import APART

OF_THIRTY: Final = "letters=30"
OWN_DIGITS: Final = "own_digits=True"
_LONG: Final = {"to:varchar": "to:varchar(max)", "to:nvarchar": "to:nvarchar(max)"}
_LETTER: Final = frozenset({"to:char", "to:nchar"})  # of one letter, or of 30 in T-SQL
_FILLING: Final = frozenset(
    {"tsql", "fabric", "postgres", "redshift", "materialize", "risingwave", "oracle", "trino",
     "presto", "athena"}
)  # fmt: skip
# digits behind the point of DECIMAL ("Numeric Types" of the manuals); elsewhere none
_DIGITS: Final = {
    **dict.fromkeys(("postgres", "materialize", "risingwave", "sqlite"), "any"),
    "bigquery": "9",
    "duckdb": "3",
}


def written(tree: exp.Expr, source: str, target: str) -> None:
    """In place: casts to texts of any length as T-SQL has them."""
    if target not in TSQL or source in TSQL:
        return
    for cast in tree.find_all(exp.Cast):  # TRY_CAST, too
        kind = cast.to
        if kind.is_type("varchar", "nvarchar") and not kind.expressions:
            kind.set("expressions", [exp.DataTypeParam(this=exp.var("MAX"))])


def spoken(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A cast as the target has to say it, marked where sizes differ; and what is taken for
    granted."""
    if call.op not in ("cast", "trycast"):
        return call, ""
    said = {*call.shape}
    if "to:decimal" in said and _DIGITS.get(source, "0") != _DIGITS.get(target, "0"):
        return replace(call, shape=(*call.shape, OWN_DIGITS)), ""
    if any(each.startswith(("to:char(", "to:nchar(")) for each in said):
        filled = (source in _FILLING) != (target in _FILLING)
        return call, f"CAST(.. AS CHAR(n)) is of n letters ({source} and {target})" * filled
    if (source in TSQL) == (target in TSQL):
        return call, ""
    if said & _LETTER:
        return replace(call, shape=(*call.shape, APART)), ""
    if _LONG.keys().isdisjoint(said):
        return call, ""
    if source in TSQL:
        return replace(call, shape=(*call.shape, OF_THIRTY)), ""
    return replace(call, shape=tuple(_LONG.get(slot, slot) for slot in call.shape)), ""
