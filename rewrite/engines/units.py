"""The parts of dates and times that each engine can take out, cut off at, and add.

From the manuals: "EXTRACT" or "DATEPART", "DATE_TRUNC" or "DATETRUNC" of each. An engine that is
not in a table has nothing said of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

_CLOCK: Final = "hour minute second"
_DAYS: Final = "year month day"
_COMMON: Final = f"{_DAYS} quarter week {_CLOCK}"
_POSTGRES: Final = f"{_COMMON} century decade dow doy epoch millennium microseconds milliseconds"
_TRUNCATED: Final = f"{_COMMON} century decade millennium microseconds milliseconds"
_SPARK: Final = f"{_COMMON} yearofweek dayofweek dow dayofweek_iso dow_iso doy weeks days"
_TRINO: Final = (
    f"{_COMMON} day_of_month day_of_week dow day_of_year doy year_of_week yow timezone_hour "
    "timezone_minute"
)
_TSQL: Final = (
    f"{_COMMON} dayofyear iso_week weekday millisecond microsecond nanosecond tzoffset yy yyyy qq "
    "q mm m dy y dd d wk ww isowk isoww dw w hh mi n ss s ms mcs ns tz"
)
_EXTRACTED: Final = {
    "bigquery": f"{_COMMON} microsecond millisecond dayofweek dayofyear isoweek isoyear date time "
    "datetime",
    "databricks": _SPARK,
    "duckdb": f"{_POSTGRES} dayofweek weekday isodow dayofyear era isoyear julian microsecond "
    "millisecond nanosecond timezone timezone_hour timezone_minute weekofyear yearweek",
    "mysql": f"{_COMMON} microsecond",
    "oracle": f"{_DAYS} {_CLOCK} timezone_hour timezone_minute timezone_region timezone_abbr",
    "postgres": f"{_POSTGRES} isodow isoyear julian timezone timezone_hour timezone_minute",
    "redshift": f"{_POSTGRES} dayofweek weekday dayofyear timezone timezone_hour timezone_minute",
    "snowflake": f"{_COMMON} dayofweek dow weekday dayofweekiso dayofweek_iso weekday_iso dow_iso "
    "dayofyear yearday doy weekiso week_iso yearofweek yearofweekiso nanosecond epoch "
    "epoch_second epoch_millisecond epoch_microsecond epoch_nanosecond timezone_hour "
    "timezone_minute",
    "spark": _SPARK,
    "trino": _TRINO,
    "tsql": _TSQL,
}
_CUT: Final = {
    "bigquery": f"{_COMMON} microsecond millisecond isoweek isoyear",
    "databricks": f"{_COMMON} millisecond microsecond",
    "duckdb": f"{_TRUNCATED} isoyear",
    "postgres": _TRUNCATED,
    "redshift": _TRUNCATED,
    "snowflake": f"{_COMMON} millisecond microsecond nanosecond",
    "spark": f"{_COMMON} millisecond microsecond",
    "trino": f"{_COMMON} millisecond",
    "tsql": f"{_COMMON} dayofyear iso_week millisecond microsecond",
}
_ADDED: Final = {
    "oracle": f"{_DAYS} {_CLOCK}",
    "trino": f"{_DAYS} {_CLOCK}",
}
_COUNTED: Final = {  # DATEDIFF and DATEADD
    "bigquery": f"{_COMMON} microsecond millisecond isoweek isoyear",
    "databricks": f"{_COMMON} millisecond microsecond dayofyear",
    "snowflake": f"{_COMMON} millisecond microsecond nanosecond",
    "spark": f"{_COMMON} millisecond microsecond dayofyear",
    "trino": f"{_COMMON} millisecond",
    "tsql": f"{_COMMON} dayofyear weekday millisecond microsecond nanosecond",
}
_COUNTING: Final = (
    exp.DateDiff, exp.DatetimeDiff, exp.TimestampDiff, exp.DateAdd, exp.DateSub, exp.DatetimeAdd,
    exp.DatetimeSub, exp.TimestampAdd, exp.TimestampSub,
)  # fmt: skip
_CUTTING: Final = (exp.DateTrunc, exp.DatetimeTrunc, exp.TimestampTrunc, exp.TimeTrunc)


def unknown_units(tree: exp.Expr, engine: str) -> Iterator[tuple[str, str]]:
    """What is done with a part of a date, and the part, where the engine has no such part."""
    for node in tree.walk():
        if isinstance(node, exp.Extract):
            found = "EXTRACT", _EXTRACTED, node.this
        elif isinstance(node, _CUTTING):
            found = "DATE_TRUNC", _CUT, node.args.get("unit")
        elif isinstance(node, _COUNTING):
            said = "DATEDIFF" if isinstance(node, _COUNTING[:3]) else "DATEADD"
            found = said, _COUNTED, node.args.get("unit")
        elif isinstance(node, exp.Interval):
            found = "INTERVAL", _ADDED, node.args.get("unit")
        else:
            continue
        said, known, unit = found
        name = unit.name.lower() if isinstance(unit, exp.Var | exp.Literal | exp.Column) else ""
        if name and engine in known and not _is_among(name, known[engine].split()):
            yield said, name.upper()


def _is_among(name: str, known: list[str]) -> bool:
    """Whether a unit is one of these, in the singular or the plural."""
    return name in known or name.removesuffix("s") in known or f"{name}s" in known
