"""Statements of a script, for tools that take one at a time. Needs sqlglot, any version."""

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError


def statements(sql: str, dialect: str) -> list[exp.Expression]:
    """Parsed statements; raises what sqlglot raises."""
    return [tree for tree in parse(sql, dialect=dialect or None) if tree is not None]


def texts(sql: str, dialect: str) -> list[str]:
    """Statements as text: as written when there is one, else as sqlglot writes them."""
    try:
        trees = statements(sql, dialect)
    except SqlglotError:
        return [sql]
    if len(trees) < 2:
        return [sql]
    return [tree.sql(dialect=dialect or None) for tree in trees]


def is_query(sql: str, dialect: str) -> bool:
    """Whether the text is one bare SELECT, WITH or set operation."""
    try:
        trees = statements(sql, dialect)
    except SqlglotError:
        return False
    return len(trees) == 1 and isinstance(trees[0], exp.Query) and not trees[0].args.get("into")
