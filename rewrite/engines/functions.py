"""The functions that each engine has, by the lists in its manual (functions/*.txt).

A query that goes to another engine may call what that one has not: the printer knows other names
for many functions and writes the rest as they are. Names that no list has are functions somebody
made, which the new place needs, too; of these nothing is said here.

functions_of("tsql") -> their names in lower case, None of an engine without a list
called_in(text, "tsql") -> the names that are called in a text, as it spells them
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.parser import Parser
from sqlglot.tokenizer_core import Token, TokenType

_LISTS: Final = (
    "bigquery", "clickhouse", "databricks", "duckdb", "mysql", "oracle", "postgres", "redshift",
    "snowflake", "spark", "sqlite", "trino", "tsql",
)  # fmt: skip
_LIKE: Final = {  # the engine whose list counts, where one has none of its own
    "athena": "trino",
    "fabric": "tsql",
    "hive": "spark",
    "presto": "trino",
    "spark2": "spark",
}
_FROM_ENGINES: Final = frozenset({"duckdb", "sqlite"})  # complete; the parsers know extensions
# what may stand before a name with brackets that is no call: a type, an alias with columns
_NO_CALL_BEHIND: Final = frozenset(
    {TokenType.DOT, TokenType.ALIAS, TokenType.DCOLON, TokenType.WITH, TokenType.RECURSIVE,
     TokenType.INTO, TokenType.TABLE, TokenType.PARAMETER}
)  # fmt: skip
_SIZES: Final = frozenset({TokenType.NUMBER})  # of DECIMAL(10, 2)
# words with brackets behind them that a tokenizer takes for names
_WORDS: Final = frozenset(
    {"all", "any", "exists", "filter", "in", "over", "partition", "range", "row", "rows", "some",
     "using", "values", "within", "group", "distinct", "on", "and", "or", "not", "as", "when",
     "then", "else", "case", "max_size", "lateral", "sets", "cube", "rollup", "by", "except",
     "interval", "is", "like", "between", "union", "select", "where", "from", "join", "having"}
)  # fmt: skip


def listed_as(dialect: str) -> str:
    """The engine whose lists count for a dialect."""
    return _LIKE.get(dialect, dialect)


@cache
def functions_of(dialect: str) -> frozenset[str] | None:
    """The functions of an engine in lower case; None where nobody has listed them."""
    name = listed_as(dialect)
    if name not in _LISTS:
        return None
    return _listed(name) if name in _FROM_ENGINES else _listed(name) | _own(name)


@cache
def functions_of_any() -> frozenset[str]:
    """What is a function of some engine."""
    return frozenset().union(*map(_listed, _LISTS), map(str.lower, exp.FUNCTION_BY_NAME))


def called_in(text: str, dialect: str) -> Iterator[str]:
    """The functions that a text calls by their names alone, as it spells them, each time."""
    engine = Dialect.get_or_raise(dialect or None)
    tokens = list(engine.tokenize(text))
    takes, types = engine.parser_class.FUNC_TOKENS, engine.parser_class.TYPE_TOKENS
    for at, token in enumerate(tokens[:-1]):
        if tokens[at + 1].token_type is not TokenType.L_PAREN or token.token_type not in takes:
            continue
        if token.text.lower() in _WORDS or (at and tokens[at - 1].token_type in _NO_CALL_BEHIND):
            continue
        if token.token_type in types and _is_sized(tokens, at + 2):
            continue
        if not _is_query_with_columns(tokens, at + 1):
            yield token.text


def _is_sized(tokens: list[Token], at: int) -> bool:
    """Whether what stands in the brackets is the size of a type: (10, 2), (max)."""
    first = tokens[at] if at < len(tokens) else None
    return first is not None and (first.token_type in _SIZES or first.text.lower() == "max")


def _is_query_with_columns(tokens: list[Token], at: int) -> bool:
    """Whether the brackets are the columns of a query in WITH: name (a, b) AS ("""
    depth = 0
    for place in range(at, len(tokens)):
        kind = tokens[place].token_type
        depth += (kind is TokenType.L_PAREN) - (kind is TokenType.R_PAREN)
        if not depth:
            behind = [each.token_type for each in tokens[place + 1 : place + 3]]
            return behind == [TokenType.ALIAS, TokenType.L_PAREN]
    return False


@cache
def _listed(name: str) -> frozenset[str]:
    lines = (files(__package__) / "functions" / f"{name}.txt").read_text("utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


@cache
def _own(name: str) -> frozenset[str]:
    """What the parser of a dialect reads in a way of its own, not as the one it inherits from."""
    parser = Dialect.get_or_raise(name).parser_class
    parent = parser.__mro__[1]
    common = parent.FUNCTIONS if issubclass(parent, Parser) else Parser.FUNCTIONS
    own = parser.FUNCTIONS
    return frozenset(key.lower() for key, made in own.items() if common.get(key) is not made)
