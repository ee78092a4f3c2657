"""Aggregates of one name that two dialects are known to understand differently.

    APPROX_COUNT_DISTINCT   each engine makes its own estimate
    QUANTILE(x, 0.5)        between two values in Spark (PERCENTILE), one of them in DuckDB
    MAX_BY(a, b)            passes over rows whose a is NULL in DuckDB ("arg_max")
    MODE(x)                 any of those that are there most often
    LISTAGG(x)              is '' of no values in Snowflake, NULL elsewhere
    STDDEV(x), VARIANCE(x)  0 of one row in Oracle, NULL elsewhere
    KURTOSIS(x), SKEWNESS   of all rows in Spark, of a sample elsewhere

From the manuals, each under that name; DuckDB's were executed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from unwet.rewrite.algebra import Agg
from unwet.rewrite.known_apart import APART

# each engine makes its own estimate, or takes one of several values
_ESTIMATES: Final = frozenset(
    {"approxdistinct", "approxquantile", "approxquantiles", "approxtopk", "hll", "mode"}
)
_SPARK: Final = frozenset({"spark", "spark2", "databricks", "hive"})
# by the aggregate: the dialects that have it in a way of their own
_OWN_WAY: Final = {
    "quantile": _SPARK,
    "argmax": frozenset({"duckdb"}),
    "argmin": frozenset({"duckdb"}),
    "groupconcat": frozenset({"snowflake"}),
    "stddev": frozenset({"oracle"}),
    "variance": frozenset({"oracle"}),
    "kurtosis": _SPARK,
    "skewness": _SPARK,
}


def spoken(agg: Agg, source: str, target: str) -> Agg:
    """The aggregate of one dialect, marked where another one has other rows for it."""
    own = _OWN_WAY.get(agg.op, frozenset())
    differs = agg.op in _ESTIMATES or (source in own) != (target in own)
    return replace(agg, shape=(*agg.shape, APART)) if differs else agg
