"""An earlier state of a table, as Delta tables have it for short: the parser does not read it.

SELECT a FROM rep.a@v3                    -- rep.a VERSION AS OF 3
SELECT a FROM rep.a@20240131000000000     -- rep.a as it was then
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import found_in

DELTA: Final = frozenset({"databricks", "spark", "spark2"})
_STATE: Final = re.compile(r"(?<=[\w`])@(v\d+|\d{17})\b", re.IGNORECASE)


def states_in(text: str, dialect: str | None) -> frozenset[str]:
    """What stands behind `@` behind a name there, in lower case: no placeholders."""
    if dialect not in DELTA or "@" not in text:
        return frozenset()
    return frozenset(hit[1].lower() for hit in _STATE.finditer(text))


def with_their_states(trees: Sequence[exp.Expr | None], dialect: str) -> None:
    """In place: an alias that is none says which state is meant."""
    if dialect not in DELTA:
        return
    for table in (t for tree in trees if tree is not None for t in found_in(tree, exp.Table)):
        alias = table.args.get("alias")
        sign = alias.this if isinstance(alias, exp.TableAlias) else None
        if isinstance(sign, exp.Parameter) and _STATE.fullmatch(f"a@{sign.name}", 1):
            table.set("alias", None)
            table.set("version", _version(sign.name))


def _version(word: str) -> exp.Version:
    if word[:1].lower() == "v":
        number = exp.Literal.number(word[1:])
        return exp.Version(this="VERSION", kind="AS OF", expression=number)
    day, time = f"{word[:4]}-{word[4:6]}-{word[6:8]}", f"{word[8:10]}:{word[10:12]}:{word[12:14]}"
    moment = exp.Literal.string(f"{day} {time}.{word[14:]}")
    return exp.Version(this="TIMESTAMP", kind="AS OF", expression=moment)
