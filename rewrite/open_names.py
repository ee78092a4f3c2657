"""Texts that are put in where SQL reads a name, and that may be more than one.

SELECT a FROM t {{ w }}         -- WHERE a = 1, perhaps: it is read as another name of t
SELECT {{ w }} a FROM t         -- DISTINCT, perhaps
SELECT a FROM t AS {{ w }}      -- a name
SELECT a FROM t %(w)s           -- no driver binds a name: some program puts a text in
SELECT %(w)s a FROM t           -- a value
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.trees import found_in

_AS: Final = re.compile(r"(?:\bAS\s+|[(,]\s*)[\"`\[]?\Z", re.IGNORECASE)
_NEAR: Final = 20  # characters before a name that are looked at
_FIRST: Final = re.compile(r"[\"`\]]?\s*=")  # T-SQL: x = a


def open_name(statement: Statement) -> str:
    """Why a statement may say something else than was read; empty where none of its placeholders
    stands so."""
    texts = {p.token.lower(): p.text for p in statement.masked.placeholders}
    binding = {p.token.lower() for p in statement.masked.placeholders if p.binds}
    for node in found_in(statement.tree, exp.Alias, exp.TableAlias) if texts else ():
        if isinstance(node.parent, exp.CTE):
            continue
        for name in _names(node):
            if (token := name.name.lower()) in texts and not _is_said(statement, name):
                return f"{texts[token]} may be more than a name of what it stands behind"
            named = node.this
            bare = isinstance(named, exp.Column) and not named.table
            token = named.name.lower() if bare else ""
            if token in texts.keys() - binding and not _is_said(statement, name):
                return f"{texts[token]} may be more than what is called {name.name}"
    return ""


def _names(node: exp.Expr) -> Iterator[exp.Identifier]:
    """What an alias gives: of BigQuery's UNNEST it is a column's name."""
    said = node.args.get("alias") if isinstance(node, exp.Alias) else node.this
    for name in (said, *(node.args.get("columns") or ())):
        if isinstance(name, exp.Identifier):
            yield name


def _is_said(statement: Statement, name: exp.Identifier) -> bool:
    """Whether a name is one for certain: behind AS, or before = in T-SQL; or it is none of the
    text's own, which has no place in it."""
    text, start, end = statement.masked.text, name.meta.get("start"), name.meta.get("end")
    if start is None or end is None:
        return True
    before, behind = text[max(0, start - _NEAR) : start], text[end + 1 : end + 1 + _NEAR]
    return bool(_AS.search(before) or _FIRST.match(behind))
