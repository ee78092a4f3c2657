"""Which settings of a session change what rows a statement returns, and on what in it they depend.

changes_rows(name) -> whether it may be; is_usual(name, value) -> whether it is what servers have by
themselves; is_read_otherwise(name, value) -> whether a statement says something else under it;
depends(name, text) -> whether a statement may return other rows under it
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.said_settings import ZONE


@dataclass(frozen=True, slots=True)
class _Kind:
    """``usual``: values that change nothing. ``where``: what a statement has that depends on it;
    any statement does if it is not said. ``read``: others would be read wrongly."""

    usual: frozenset[str] = frozenset()
    where: re.Pattern[str] | None = None
    read: bool = False


def _read(usual: str, where: str = "") -> _Kind:
    return _Kind(frozenset(usual.split()), _pattern(where), read=True)


def _value(usual: str = "", where: str = "") -> _Kind:
    return _Kind(frozenset(usual.split()), _pattern(where))


def _pattern(where: str) -> re.Pattern[str] | None:
    return re.compile(where, re.IGNORECASE) if where else None


_ON: Final = "on true 1 yes"
_OFF: Final = "off false 0 no"
# numbers and names of days and weeks; a function of somebody's own may have them
_WEEKS: Final = r"\b(?:DW|W|WK|WW|WEEK\w*)\b|@@DATEFIRST|\b\w+\s*\.\s*\w+\s*\("

_KINDS: Final = {
    # SQL Server
    "ansi_nulls": _read("on", r"[=>]\s*(?:NULL\b|@|p__)|\bIN\s*\([^)]*\bNULL\b"),
    "concat_null_yields_null": _read("on", r"\+"),
    "quoted_identifier": _read("on", '"'),
    "numeric_roundabort": _read("off"),
    "ansi_warnings": _read("on"),
    "ansi_padding": _read("on"),
    "ansi_defaults": _read("on"),
    "arithabort": _read("on", r"[/%]|\b(?:CAST|CONVERT|TRY_\w+|SQRT|LOG\w*|POWER)\b"),
    "textsize": _read("-1 0 2147483647"),
    "datefirst": _value("7", _WEEKS),
    "dateformat": _value("mdy"),
    "language": _value("us_english english"),
    # MySQL
    "group_concat_max_len": _value("1024", "GROUP_CONCAT"),
    "default_week_format": _value("0", "WEEK"),
    # PostgreSQL, Redshift
    "standard_conforming_strings": _read(_ON, r"\\"),
    "transform_null_equals": _read(_OFF),
    "enable_case_sensitive_identifier": _read(_OFF),
    "enable_case_sensitive_super_attribute": _read(_OFF),
    # Oracle
    "nls_comp": _read("binary"),
    "nls_sort": _value("binary"),
    # Snowflake
    "quoted_identifiers_ignore_case": _read("false"),
    "week_start": _value("0", "WEEK|DAY"),
    # BigQuery: where bare names are
    "dataset_id": _read(""),
    "dataset_project_id": _read(""),
    # DuckDB, SQLite
    "default_null_order": _read("nulls_last last", r"\bORDER\s+BY\b|\bLIMIT\b"),
    "null_order": _read("nulls_last last", r"\bORDER\s+BY\b|\bLIMIT\b"),
    "default_order": _read("asc ascending", r"\bORDER\s+BY\b|\bLIMIT\b"),
    "integer_division": _read(_OFF, "/"),
    "default_collation": _read(""),
    "case_sensitive_like": _read(_OFF, r"\bLIKE\b"),
    # Spark, Hive
    "spark.sql.casesensitive": _read(_OFF),
    "spark.sql.ansi.doublequotedidentifiers": _read(_OFF, '"'),
    "spark.sql.parser.escapedstringliterals": _read(_OFF, r"\\"),
    "spark.sql.parser.quotedregexcolumnnames": _read(_OFF, "`"),
    "hive.support.quoted.identifiers": _read("column", "`"),
    "spark.sql.groupbyordinal": _read(_ON, r"\bGROUP\s+BY\b"),
    "spark.sql.orderbyordinal": _read(_ON, r"\bORDER\s+BY\b"),
    "spark.sql.sources.partitionoverwritemode": _read("static", r"\bOVERWRITE\b"),
    # ClickHouse
    "join_use_nulls": _read("0", r"\bJOIN\b"),
    "union_default_mode": _read(""),
    "data_type_default_nullable": _read("0"),
}
_ANY: Final = _Kind()

# modes of MySQL that change no rows but those that they refuse, nor how a statement is read
_QUIET_MODES: Final = frozenset(
    {
        "",
        "no_auto_value_on_zero",
        "no_engine_substitution",
        "only_full_group_by",
        "no_dir_in_create",
    }
)
_READ_MODES: Final = re.compile(
    r"ansi|pipes_as_concat|backslash|high_not|ignore_space|unsigned|real_as|pad_char|oracle|mssql"
    r"|db2|postgresql|maxdb|truncate_fractional|[@(]"
)

_SQL_SERVER: Final = frozenset(
    {"ansi_null_dflt_off", "ansi_null_dflt_on", "arithignore", "context_info"}
    | {"cursor_close_on_commit", "deadlock_priority", "fips_flagger", "fmtonly", "forceplan"}
    | {"identity_insert", "implicit_transactions", "lock_timeout", "nocount", "noexec", "offsets"}
    | {"parseonly", "query_governor_cost_limit", "remote_proc_transactions", "result_set_caching"}
    | {"rowcount", "showplan_all", "showplan_text", "showplan_xml", "statistics", "transaction"}
    | {"xact_abort"}
)
_OTHERS: Final = frozenset(
    {"abort_detached_query", "application_name", "autocommit", "big_tables", "busy_timeout"}
    | {"bytea_output", "cache_size", "character_set_client", "character_set_results"}
    | {"check_function_bodies", "checkpoint_threshold", "client_encoding", "current_schema"}
    | {"cursor_sharing", "edition", "enable_http_metadata_cache", "events", "foreign_key_checks"}
    | {"foreign_keys", "hash_area_size", "home_directory", "isolation_level", "journal_mode"}
    | {"lc_messages", "log_level", "mmap_size", "multi_statement_count", "network_timeout"}
    | {"old_alter_table", "page_size", "preserve_insertion_order", "query_band", "query_group"}
    | {"query_label", "query_tag", "random_page_cost", "recursive_triggers", "role"}
    | {"row_security", "schema", "search_path", "seed", "session_authorization", "sort_area_size"}
    | {"sql_big_selects", "sql_log_bin", "sql_notes", "sql_safe_updates", "sql_trace"}
    | {"sql_warnings", "statistics_level", "synchronous", "temp_directory", "temp_store"}
    | {"threads", "trace_level", "tracefile_identifier", "tx_isolation", "unique_checks"}
    | {"use_cached_result", "user_version", "workarea_size_policy", "worker_threads", "xmloption"}
)
_QUIET: Final = re.compile(
    r"""(?:.*_(?:memory|memory_limit|mem|buffers|cost|page_cost|tablespace))$
    |(?:.*timeout.*|max_\w*|min_\w*)$
    |(?:allow_|autoinstall_|autoload_|azure_|client_min_|cpu_|extension_|force_parallel
    |default_(?:table|transaction|with|tablespace)|enable_|from_collapse|geqo|http|ignore_checks
    |jit|join_collapse|lock_|log_|maintenance_|memory_|optimizer_|parallel|plan_cache|profil
    |progress_bar|s3_|send_|receive_|statement_|temp_|track_|transaction_|tmp_|tx_|vacuum_|wal_
    |work_mem|wlm_)\w*$
    |(?:mapred|mapreduce|tez|yarn|dfs|fs|io|parquet|orc|hoodie|avro)\..*
    |hive\.(?:auto|cbo|cli|compactor|compute|convert|default|enforce|exec|execution|fetch|limit
    |llap|map|mapjoin|mapred|merge|metastore|msck|mv|optimize|server2?|skewjoin|spark|stats|strict
    |tez|txn|vectorized|support\.concurrency|input|output)\..*
    |hive\.(?:mapred\.mode|groupby\.skewindata|merge\w*)$
    |spark\.(?:executor|driver|dynamicallocation|shuffle|hadoop|kryo|memory|network|rpc|scheduler
    |speculation|task|ui|yarn|eventlog|serializer|databricks|default)\b.*
    |spark\.sql\.(?:shuffle|adaptive|autobroadcast|broadcast|files|cbo|statistics|hive\.(?!conv)
    |parquet\.(?!int)|orc|inmemory|optimizer|join|execution|codegen|catalog|warehouse|streaming
    |maxplan|ui|bucketing|debug)\w*.*
    |delta\..*|plsql_\w*|\w+\.query_\w*""",
    re.VERBOSE,
)


def changes_rows(name: str) -> bool:
    """Whether a setting may change what rows a statement returns."""
    if name in _KINDS:
        return True
    return name not in _SQL_SERVER and name not in _OTHERS and not _QUIET.match(name)


def is_known(name: str) -> bool:
    """Whether it is a setting for certain, and changes rows."""
    return name in _KINDS or name == ZONE


def is_usual(name: str, value: str) -> bool:
    """Whether it is what it is anyway."""
    if name == "sql_mode":
        return {*value.replace(" ", "").split(",")} <= _QUIET_MODES
    return value.replace(" ", "_") in _KINDS.get(name, _ANY).usual


def is_read_otherwise(name: str, value: str) -> bool:
    """Whether a statement says something else under it than it is taken to say."""
    if name == "sql_mode":
        return _READ_MODES.search(value) is not None
    return _KINDS.get(name, _ANY).read


def depends(name: str, text: str) -> bool:
    """Whether what a statement returns may depend on it. ``text``: without comments."""
    where = _KINDS.get(name, _ANY).where
    return where is None or where.search(text) is not None
