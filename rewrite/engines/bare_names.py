"""Names in quotes of an engine to which case is nothing, for one where quotes keep it.

    SELECT [Status] FROM t  ->  SELECT Status FROM t

SQL Server takes [Status], Status and STATUS for one column, and scripts say now this, now that.
In PostgreSQL "Status" is another column than Status, which is status there, as the project calls
what it reads. What is no plain word, or one of the target's own, keeps its quotes.
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_reserved

_BLIND: Final = frozenset({"tsql", "fabric", "bigquery", "databricks", "spark", "spark2", "hive"})
_FOLDING: Final = frozenset({"postgres", "materialize", "risingwave", "snowflake"})
# what is something else there without quotes, besides what most engines reserve ("Reserved &
# limited keywords" of Snowflake)
_OWN_WORDS: Final = """
account connect connection current_catalog current_schema database gscluster increment issue minus
organization regexp rlike sample schema sysdate trigger try_cast whenever
"""
_OWN: Final = frozenset(_OWN_WORDS.split())
_WORD: Final = re.compile(r"[a-z_][a-z0-9_]*")


def without_quotes(tree: exp.Expr, source: str, target: str) -> None:
    """In place: such names without quotes."""
    if source not in _BLIND or target not in _FOLDING:
        return
    for name in tree.find_all(exp.Identifier):
        said = name.name.lower()
        if name.args.get("quoted") and _WORD.fullmatch(said):
            name.set("quoted", is_reserved(said) or said in _OWN)
