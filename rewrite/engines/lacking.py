"""Why an engine cannot run a query that was written for another one.

What is printed for it is read again: a name that the printer leaves as it is would otherwise be
taken for the same function in both.

lacking(tree, "tsql") -> "tsql has no function LPAD"; empty where nothing is known to be missing
is_spoken(tree, text, "tsql") -> False of what stands in a pile with LPAD, or x::date
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import TokenType

from unwet.lineage.parser_words import wrong
from unwet.lineage.printing import render
from unwet.rewrite.engines.constructs import unknown_constructs
from unwet.rewrite.engines.functions import called_in, functions_of, functions_of_any, listed_as
from unwet.rewrite.engines.units import unknown_units


def lacking(tree: exp.Expr, dialect: str) -> str:
    """What the engine of a dialect has not, of what a query says. Raises RenderError."""
    return _lacking_in(render(tree, dialect, pretty=False, comments=False), dialect)


@lru_cache(maxsize=1024)  # drafts are composed again while one is kept
def _lacking_in(text: str, dialect: str) -> str:
    if function := _unknown_function(text, dialect):
        return f"{dialect} has no function {function.upper()}"
    try:
        tree = sqlglot.parse_one(text, dialect=dialect)
    except SqlglotError as error:
        return f"what is written for {dialect} cannot be read again: {wrong(error)}"
    engine = listed_as(dialect)
    construct = next(unknown_constructs(tree, engine), "")
    if construct:
        return f"{dialect} has no {construct}"
    said, unit = next(unknown_units(tree, engine), ("", ""))
    return f"{dialect} has no {unit} for {said}" if unit else ""


# --- what stands in a pile --------------------------------------------------------------------


def is_spoken(tree: exp.Expr, text: str, dialect: str) -> bool:
    """Whether a statement of a pile, which a dialect has read, says nothing that its engine has
    not. The parser reads more than an engine does: x::date and functions of all others."""
    if _unknown_function(text, dialect) or any(unknown_constructs(tree, listed_as(dialect))):
        return False
    return dialect not in _WITHOUT_COLONS or "::" not in text or not _has_cast_by_colons(text)


# (their manuals, "CAST"); T-SQL has hierarchyid::GetRoot(), which is a call
_WITHOUT_COLONS: Final = frozenset(
    {
        "tsql",
        "fabric",
        "mysql",
        "sqlite",
        "oracle",
        "bigquery",
        "trino",
        "spark",
        "hive",
        "teradata",
    }
)
_METHODS: Final = frozenset({"geography", "geometry", "hierarchyid"})


def _has_cast_by_colons(text: str) -> bool:
    tokens = Dialect.get_or_raise("postgres").tokenize(text)
    behind = [token.text.lower() for token in tokens]
    return any(
        token.token_type is TokenType.DCOLON and before not in _METHODS
        for token, before in zip(tokens[1:], behind, strict=False)
    )


def _unknown_function(text: str, dialect: str) -> str:
    """A function that some engine has, but not this one; empty where there is none."""
    functions = functions_of(dialect)
    if functions is None:
        return ""
    missing = functions_of_any() - functions
    return next((name for name in called_in(text, dialect) if name.lower() in missing), "")
