"""Names that stand for values in the blocks of a script: variables, and arguments of routines.

    CREATE PROCEDURE p(IN k INT64)      k, to the END of its BEGIN
    BEGIN DECLARE n INT64; .. END       n, to this END
    DECLARE n NUMBER; m NUMBER; BEGIN   n and m (Oracle, Snowflake)

In T-SQL they have a sign of their own, and hold to the end of the batch: nothing is noted there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.dialects import lexis

# where DECLARE v type; is a line of a block, which the parser does not read
_PLAIN_DECLARE: Final = frozenset({"oracle", "postgres", "redshift", "mysql", "snowflake"})
_SEVERAL: Final = frozenset({"oracle", "snowflake"})  # where more lines follow up to BEGIN
_NAMING: Final = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_OTHERS: Final = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT", "CASE"})  # END of no block
_MODES: Final = frozenset({"in", "out", "inout", "variadic"})
PROCEDURE: Final = re.compile(r"(?:CREATE|ALTER)\b.*\b(?:PROC|PROCEDURE)\b", re.IGNORECASE)
_ROUTINES: Final = frozenset({"PROCEDURE", "FUNCTION"})


class BlockNames:
    """``names``: those that hold where a reader of a script is, in lower case."""

    def __init__(self, dialect: str) -> None:
        self.names: frozenset[str] = frozenset()
        self._dialect, self._own_signs = dialect, lexis(dialect).bare_statements
        self._around: list[frozenset[str]] = []  # the names around each open block
        self._headed = False  # whether the next BEGIN is that of a routine whose head was read
        self._declares = False  # whether lines are declarations, before the BEGIN of their block

    def add(self, names: Iterable[str]) -> None:
        self.names = self.names.union(names)

    def declaration(self, tokens: Sequence[Token]) -> str:
        """The word that a line begins with, or has left out, which only gives a name to a variable;
        empty for any other."""
        words = [token.text for token in tokens]
        first = words[0].upper()
        if self._dialect == "snowflake" and first == "LET":
            self.add(map(str.lower, words[1:2]))
            return "LET"
        if first == "DECLARE" and self._dialect in _PLAIN_DECLARE:
            self._declares = self._dialect in _SEVERAL
            self.add(_listed(words[1:]))
            return "DECLARE"
        if self._declares and tokens[0].token_type in _NAMING:
            self.add([first.lower()])
            return "DECLARE"
        if self._dialect == "oracle" and _is_head(words):  # with its first declaration behind it
            self._declares = True
            at = next((n for n, w in enumerate(words) if w.upper() in ("IS", "AS")), len(words))
            self.add([*_arguments(words), *map(str.lower, words[at + 1 : at + 2])])
        return ""

    def border(self, words: Sequence[str], after: str) -> None:
        """The words of a BEGIN, an END or the head of a routine, and the one behind them."""
        first = words[0].upper()
        if self._own_signs:
            return
        if first == "BEGIN":
            self._declares = False
            if not self._headed and after != ";":  # BEGIN; is a transaction
                self._around.append(self.names)
            self._headed = False
        elif first == "END" and self._around and _OTHERS.isdisjoint(map(str.upper, words[1:])):
            self.names = self._around.pop()
        elif PROCEDURE.match(" ".join(words)):
            if self._headed:  # the one before had no block
                self.names = self._around.pop()
            self._around.append(self.names)
            self._headed = True
            self.add(_arguments(words))


def _listed(words: Sequence[str]) -> Iterator[str]:
    """a, b of `a, b INT`."""
    for at in range(0, len(words), 2):
        yield words[at].lower()
        if words[at + 1 : at + 2] != [","]:
            return


def _is_head(words: Sequence[str]) -> bool:
    first = [word.upper() for word in words[:5]]
    return first[:1] == ["CREATE"] and not _ROUTINES.isdisjoint(first)


def _arguments(words: Sequence[str]) -> Iterator[str]:
    """Those in the first parentheses: `p(IN k INT64, j NUMBER(9, 2))`."""
    depth, begins = 0, False
    for word in words:
        if word == "(":
            depth += 1
            begins = depth == 1
        elif word == ")":
            depth -= 1
            if depth == 0:
                return
        elif word == ",":
            begins = depth == 1
        elif begins and word.lower() not in _MODES:
            yield word.lower()
            begins = False
