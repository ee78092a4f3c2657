"""What the parser says of a text that it cannot read, in the words of who writes SQL.

    "Expected table name but got WHERE"     -> the name of a table is missing
    "Invalid expression / Unexpected token" -> it cannot be read from here on
    "Expecting )"                           -> ) is missing

told(description, near) -> "the name of a table is missing near WHERE"
"""

from __future__ import annotations

import re
from typing import Final

from sqlglot.errors import ParseError, SqlglotError

_TOKEN_DUMP: Final = re.compile(r"<Token token_type: \S+, text: (.*?), line: .*?>", re.S)
_HERE: Final = "cannot be read from {} on"

# What SQL calls the parser's nodes that are most often left unfinished.
_NODES: Final = {
    **{
        node: node.upper()
        for node in ["Where", "Having", "And", "Or", "Not", "Between", "Like", "Join", "Cast"]
    },
    **{"Order": "ORDER BY", "Group": "GROUP BY", "If": "IF or WHEN", "CTE": "WITH"},
    **{"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "EQ": "=", "NEQ": "<>"},
    **{"GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="},
}


def _part(found: re.Match[str]) -> str:
    """Which of several missing arguments is named differs from run to run."""
    return f"a part of {_NODES.get(found[1], found[1])} is missing"


# what it says -> what is told; {1} is the first group
_WORDS: Final = tuple(
    (re.compile(said, re.S), told)
    for said, told in (
        (r"Expected (table|database) name but got .*", "the name of a {1} is missing"),
        (r"Expected CTE to have alias", "WITH has a query without a name"),
        (r"Expected table or query statement", "a table or a query is missing"),
        (r"Expected SELECT statement after LOCKING clause", "a query is missing behind LOCKING"),
        (r"Failed to parse any statement following CTE", "no query stands behind WITH .. AS (..)"),
        (r"Expected at least one argument", "an argument is missing"),
        (r"Expected at most (\d+) arguments for (\w+)", "{2} takes {1} arguments at most"),
        (r"Expected type after '::'", "a type is missing behind ::"),
        (r"Expected type", "a type is missing"),
        (r"Expected (DISTINCT or ALL) for (\w+)", "{1} is missing behind {2}"),
        (r"Expected (.+?) after (.+)", "{1} is missing behind {2}"),
        (r"Expect(?:ed|ing) (\S+)", "{1} is missing"),
        (r"Expecting (\)) or encountered unexpected keyword", "{1} is missing"),
        (r"Expecting an aggregation function in PIVOT", "an aggregate is missing in PIVOT"),
        (r"Expect(?:ed|ing) (.+)", "{1} is missing"),
        (r"Found multiple '(.+)' clauses", "{1} stands there more than once"),
        (r"No closing (.+) found", "{1} is not closed"),
        (r"Failed to parse PIVOT's aggregation list", "the aggregates of PIVOT cannot be read"),
        (r"Unsupported aggregation function (.+)", "{1} is no aggregate that PIVOT takes"),
        (r"(?:Cannot parse|Failed to parse) property '(.*)'", "the property {1} cannot be read"),
        (r"(\w+) does not support CTE", "WITH cannot stand in front of {1}"),
        (r"Unknown option (.+)", "the option {1} is not known"),
        (r"Maximum number of AST nodes .*", "the statement is too long"),
        (r"Adjacent string literals .*", "two texts stand side by side, with nothing between"),
        (r"Cannot specify both ALL and DISTINCT after SELECT", "SELECT has both ALL and DISTINCT"),
    )
)
_CALLS: Final = (
    (re.compile(r"Required keyword: '\w+' missing for <class '[\w.]*?(\w+)'>"), _part),
    (re.compile(r"The number of provided arguments \((\d+)\) is greater than the maximum number of"
                r" supported arguments \((\d+)\)"),
     lambda hit: f"a function has {hit[1]} arguments, and takes {hit[2]} at most"),
)  # fmt: skip


# what its printer says of what another dialect has no words for -> what is told
_UNWRITTEN: Final = tuple(
    (re.compile(said), told)
    for said, told in (
        (r"'(NULLS \w+)' translation not supported with positional ordering",
         r"ORDER BY of a column's number, with \1"),
        (r"'(NULLS \w+)' translation not supported (?:for aggregate|in window) function (.+)",
         r"\1 in \2"),
        (r"(\S+) can be transpiled to \S+ only for (.+)", r"\1 but for \2"),
        (r"(\S+) can only be transpiled with (.+)", r"\1 without \2"),
        (r"Cannot transpile (.+?)(?: to \w+)?", r"\1"),
        (r"(.+?) cannot be transpiled (?:to \w+ )?(.+)", r"\1, \2"),
        (r"Unsupported query option", "what stands behind OPTION or FOR at its end"),
        (r"(\w+) unsupported|(\w+) clause is not supported", r"\1\2"),
        (r"Data type (\w+) is not supported when targeting \w+", r"the type \1"),
    )
)  # fmt: skip


def unwritten(said: str) -> str:
    """What a dialect has no words for, each once."""
    parts = (_unwritten(part) for part in said.splitlines() if part.strip())
    return "; ".join(dict.fromkeys(parts))


def _unwritten(said: str) -> str:
    plain = " ".join(said.split()).rstrip(".").replace("GROUP_CONCAT", "STRING_AGG")
    for pattern, words in _UNWRITTEN:
        if (hit := pattern.fullmatch(plain)) is not None:
            return hit.expand(words)
    return plain


def wrong(error: SqlglotError) -> str:
    """What an error of the parser says, and near which words."""
    first = error.errors[0] if isinstance(error, ParseError) and error.errors else None
    if first is None:
        return told(str(error).partition("\n")[0], "")
    return told(str(first.get("description") or ""), str(first.get("highlight") or ""))


def told(description: str, near: str) -> str:
    """What is wrong, and near which words."""
    said = _TOKEN_DUMP.sub(lambda hit: hit[1].replace("SENTINEL", "the end"), description)
    said = said.strip().rstrip(".")
    for pattern, make in _CALLS:
        said = pattern.sub(make, said)
    if said.startswith("Invalid expression / Unexpected token"):
        return _HERE.format(near) if near else "cannot be read"
    for pattern, words in _WORDS:
        if (hit := pattern.fullmatch(said)) is not None:
            said = words.format(hit[0], *hit.groups())
            break
    return f"{said or 'it cannot be read'}{f' near {near}' if near else ''}"
