"""Tables that do not simply hold the rows that are put into them, and why.

CREATE SET TABLE q (...)                              -- Teradata: no row twice
CREATE TABLE q (...) ENGINE = SummingMergeTree        -- ClickHouse: rows of one key become one
CREATE MATERIALIZED VIEW m AS SELECT ...              -- ClickHouse: what comes in from then on
CREATE TABLE q (...) ... TTL day + INTERVAL 1 MONTH   -- rows go when they are old
CREATE TABLE q (...) OPTIONS (partition_expiration_days = 3)   -- BigQuery: they do, too
CREATE TEMP TABLE k (...) ON COMMIT DELETE ROWS       -- what was put there goes
CREATE GLOBAL TEMPORARY TABLE k (...)                 -- Oracle: the same; Teradata: VOLATILE, too
CREATE STREAMING TABLE q AS SELECT ...                -- Databricks: what has come so far
CREATE TABLE q (a TEXT COLLATE "ci")                  -- which texts are equal is said of the table
CREATE TABLE q (a TEXT MASKING POLICY m)              -- Snowflake: who may see what is, too
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.rewrite.changed_by_text import uncommented

_PLAIN_ENGINES: Final = re.compile(
    r"(?:Replicated|Shared)?MergeTree|Memory|(?:Tiny|Stripe)?Log", re.IGNORECASE
)
_EXPIRING: Final = re.compile(r"\bPARTITION_EXPIRATION_DAYS\s*=(?!\s*NULL\b)", re.IGNORECASE)
# where it need not be said that rows go with a transaction (CREATE TABLE in the manuals of both)
_FLEETING: Final = {
    "oracle": re.compile(r"\s*CREATE\s+GLOBAL\s+TEMPORARY\b", re.IGNORECASE),
    "teradata": re.compile(
        r"\s*CREATE\s+(?:(?:MULTI)?SET\s+)?(?:VOLATILE|GLOBAL\s+TEMPORARY)\b", re.IGNORECASE
    ),
}
_STREAMING: Final = re.compile(
    r"\s*CREATE\s+OR\s+REFRESH\s+STREAMING\b|\s*CREATE\s+STREAMING\b", re.IGNORECASE
)
_COLLATING: Final = (exp.CollateColumnConstraint, exp.CollateProperty)
_USUAL_COLLATION: Final = "database_default"
_HIDING: Final = re.compile(
    r"\b(?:MASKING|ROW\s+ACCESS|AGGREGATION|PROJECTION|JOIN)\s+POLICY\s", re.IGNORECASE
)
_NO_DUPLICATES: Final = re.compile(r"\bIGNORE_DUP_KEY\s*=\s*ON\b", re.IGNORECASE)


def odd_table(statement: Statement) -> str:
    """Why a table that a statement makes holds other rows than it gets; empty when it does not."""
    tree = statement.tree
    if not isinstance(tree, exp.Create):
        return ""
    if _NO_DUPLICATES.search(statement.text):
        return "it takes no key twice (IGNORE_DUP_KEY)"
    if _STREAMING.match(statement.text):
        return "it holds what has come in each time that it was refreshed (STREAMING)"
    properties = tree.args.get("properties")
    found = {type(each): each for each in properties.expressions} if properties is not None else {}
    if _HIDING.search(uncommented(statement.text, statement.dialect)):
        return "not everybody sees all that is in it (a policy)"
    if _is_collated(tree):
        return "which of its texts are equal is said where it is made (COLLATE)"
    if exp.SetProperty in found and not found[exp.SetProperty].args.get("multi"):
        return "it takes no row twice (SET)"
    if _goes_with_transactions(statement, found.get(exp.OnCommitProperty)):
        return "its rows go with each transaction (ON COMMIT DELETE ROWS)"
    if statement.dialect == "bigquery" and _EXPIRING.search(statement.text):
        return "its rows go after some days (partition_expiration_days)"
    return _of_clickhouse(tree, found) if statement.dialect == "clickhouse" else ""


def _is_collated(tree: exp.Create) -> bool:
    """Whether it says a collation of a column, or of all, which no model has; not in its query."""
    properties = tree.args.get("properties")
    said = [each for part in (tree.this, properties) if part for each in part.find_all(*_COLLATING)]
    return any(each.this.name.lower() != _USUAL_COLLATION for each in said)


def _goes_with_transactions(statement: Statement, said: exp.Expr | None) -> bool:
    if said is not None:
        return bool(said.args.get("delete"))
    fleeting = _FLEETING.get(statement.dialect)
    return fleeting is not None and fleeting.match(uncommented(statement.text)) is not None


def _of_clickhouse(tree: exp.Create, found: dict[type[exp.Expr], exp.Expr]) -> str:
    engine = found.get(exp.EngineProperty)
    name = engine.this.name if engine is not None else "MergeTree"
    if not _PLAIN_ENGINES.fullmatch(name):
        return f"its engine makes other rows of those that it gets ({name})"
    if any(map(_takes_rows, tree.find_all(exp.MergeTreeTTL))):
        return "its rows go when they are old (TTL)"
    if exp.MaterializedProperty in found and exp.AutoRefreshProperty not in found:
        return "it holds what comes into its source later (a materialized view of ClickHouse)"
    return ""


def _takes_rows(ttl: exp.MergeTreeTTL) -> bool:
    """Not where old rows only go to another disk or are compressed again."""
    kinds = ("to_disk", "to_volume", "recompress")
    return not all(any(each.args.get(kind) for kind in kinds) for each in ttl.expressions)
