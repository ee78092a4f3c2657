"""Functions that do more than return a value: a query may not call them on somebody's server.

A read-only transaction stops what writes rows. It does not stop what ends other people's sessions,
takes locks, opens connections or files, or changes settings. The lists are short on purpose: names
and prefixes of PostgreSQL's manual, chapter 9.28 and appendix F, and of Spark's built-in functions.
"""

from __future__ import annotations

from sqlglot import exp

_PREFIXES = {
    "postgres": ("pg_", "lo_", "dblink", "query_to_xml", "cursor_to_xml", "table_to_xml"),
    "spark": (),
}
_NAMES = {
    "postgres": frozenset({"set_config", "setval", "nextval", "currval", "lastval"}),
    "spark": frozenset({"java_method", "reflect", "try_reflect"}),
}
_HARMLESS = frozenset({"pg_typeof", "pg_size_pretty", "pg_column_size"})


def forbidden(tree: exp.Expr, dialect: str) -> tuple[str, ...]:
    """Names of the functions in a tree that must not be called, sorted."""
    names, prefixes = _NAMES.get(dialect, frozenset()), _PREFIXES.get(dialect, ())
    called = {node.name.lower() for node in tree.find_all(exp.Anonymous)}
    return tuple(
        sorted(
            name
            for name in called
            if name in names or (name.startswith(prefixes) and name not in _HARMLESS)
        )
    )
