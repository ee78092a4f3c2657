"""Tables that do not simply hold the rows that are put into them, and why.

CREATE SET TABLE q (...)                              -- Teradata: no row twice
CREATE TABLE q (...) ENGINE = SummingMergeTree        -- ClickHouse: rows of one key become one
CREATE MATERIALIZED VIEW m AS SELECT ...              -- ClickHouse: what comes in from then on
CREATE TEMP TABLE k (...) ON COMMIT DELETE ROWS       -- what was put there goes
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement

_PLAIN_ENGINES: Final = re.compile(
    r"(?:Replicated|Shared)?MergeTree|Memory|(?:Tiny|Stripe)?Log|Join|Set", re.IGNORECASE
)
_NO_DUPLICATES: Final = re.compile(r"\bIGNORE_DUP_KEY\s*=\s*ON\b", re.IGNORECASE)


def odd_table(statement: Statement) -> str:
    """Why a table that a statement makes holds other rows than it gets; empty when it does not."""
    tree = statement.tree
    if not isinstance(tree, exp.Create):
        return ""
    if _NO_DUPLICATES.search(statement.text):
        return "it takes no key twice (IGNORE_DUP_KEY)"
    properties = tree.args.get("properties")
    found = {type(each): each for each in properties.expressions} if properties is not None else {}
    if exp.SetProperty in found and not found[exp.SetProperty].args.get("multi"):
        return "it takes no row twice (SET)"
    if exp.OnCommitProperty in found and found[exp.OnCommitProperty].args.get("delete"):
        return "its rows go with each transaction (ON COMMIT DELETE ROWS)"
    return _of_clickhouse(found) if statement.dialect == "clickhouse" else ""


def _of_clickhouse(found: dict[type[exp.Expr], exp.Expr]) -> str:
    engine = found.get(exp.EngineProperty)
    name = engine.this.name if engine is not None else "MergeTree"
    if not _PLAIN_ENGINES.fullmatch(name):
        return f"its engine makes other rows of those that it gets ({name})"
    if exp.MaterializedProperty in found and exp.AutoRefreshProperty not in found:
        return "it holds what comes into its source later (a materialized view of ClickHouse)"
    return ""
