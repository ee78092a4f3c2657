"""Why an engine cannot run a query that was written for another one.

What is printed for it is read again: a name that the printer leaves as it is would otherwise be
taken for the same function in both.

lacking(tree, "tsql") -> "tsql has no function LPAD"; empty where nothing is known to be missing
"""

from __future__ import annotations

from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from unwet.lineage.parse import render
from unwet.rewrite.engines.constructs import unknown_constructs
from unwet.rewrite.engines.functions import called_in, functions_of, functions_of_any, listed_as
from unwet.rewrite.engines.units import unknown_units


def lacking(tree: exp.Expr, dialect: str) -> str:
    """What the engine of a dialect has not, of what a query says. Raises RenderError."""
    return _lacking_in(render(tree, dialect, pretty=False, comments=False), dialect)


@lru_cache(maxsize=1024)  # drafts are composed again while one is kept
def _lacking_in(text: str, dialect: str) -> str:
    functions = functions_of(dialect)
    if functions is not None:
        missing = functions_of_any() - functions
        found = next((name for name in called_in(text, dialect) if name.lower() in missing), "")
        if found:
            return f"{dialect} has no function {found.upper()}"
    try:
        tree = sqlglot.parse_one(text, dialect=dialect)
    except SqlglotError as error:
        return f"what is written for {dialect} cannot be read again: {error}"
    engine = listed_as(dialect)
    construct = next(unknown_constructs(tree, engine), "")
    if construct:
        return f"{dialect} has no {construct}"
    said, unit = next(unknown_units(tree, engine), ("", ""))
    return f"{dialect} has no {unit} for {said}" if unit else ""
