"""A DELETE that an earlier one in the same words has done already.

    DELETE FROM t WHERE p; DELETE FROM t WHERE q; DELETE FROM t WHERE p
    =  DELETE FROM t WHERE p; DELETE FROM t WHERE q

where ``p`` asks a row of ``t`` for nothing but its own columns and constants, so that it says the
same of that row whenever it is asked, and no script of the pile puts rows into ``t``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Statement
from unwet.lineage.resolve import Resolved
from unwet.lineage.templating import Placeholder
from unwet.rewrite.definitions import Definition
from unwet.rewrite.lost import last_part, runs_code
from unwet.rewrite.writes import EMPTYING, is_plain

_TESTS: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between)
_ASKING: Final = frozenset(
    {exp.Delete, exp.Table, exp.TableAlias, exp.Identifier, exp.Where, exp.Column, exp.Literal,
     exp.Boolean, exp.Null, exp.Neg, exp.And, exp.Or, exp.Not, exp.Paren, *_TESTS}
)  # fmt: skip
# What looks like a column in some dialect, and is the time, who asks, or counts the rows found.
_NO_COLUMNS: Final = frozenset(
    {"rownum", "level", "sysdate", "systimestamp", "localtime", "localtimestamp", "current_date",
     "current_time", "current_timestamp", "nextval", "currval", "now", "today",
     "user", "uid", "current_user", "session_user", "system_user"}
)  # fmt: skip


def only_emptied(statements: Sequence[Resolved], touched: Container[str]) -> frozenset[str]:
    """The relations that scripts only take rows out of. ``touched``: the last parts of names that
    text which nobody follows may write; a routine may write all of them."""
    if any(map(runs_code, statements)):
        return frozenset()
    writes = [each for resolved in statements for each in resolved.all() if each.target]
    other = {each.target for each in writes if each.kind not in EMPTYING}
    emptied = {each.target for each in writes if each.target} - other
    return frozenset(name for name in emptied if last_part(name) not in touched)


@dataclass
class Done:
    """The DELETEs that have surely run, and ask the same whenever they run. ``emptied``: relations
    that no script puts rows into."""

    emptied: frozenset[str] = frozenset()
    _at: set[tuple[str, int]] = field(default_factory=set)

    def already(self, resolved: Resolved, current: Definition | None) -> bool:
        """Whether a DELETE that surely runs finds no row any more in what its table holds now."""
        own = resolved.statement
        if resolved.target not in self.emptied or not _asks_the_same(resolved):
            return False
        self._at.add((own.path, own.index))
        parts = current.parts if current is not None else ()
        return any(
            (part.statement.path, part.statement.index) in self._at
            and (part.statement.dialect, part.statement.tree) == (own.dialect, own.tree)
            for part in parts
        )


def done_once(reason: str, statement: Statement) -> str:
    """Why a table is kept, and that other scripts, which say the same, are not kept for it."""
    words = sorted({p.text for p in _open(statement)})
    same = f", with one value of {' and '.join(words)}" if words else ""
    more = f"; what several scripts say in the same words{same}, is done once"
    return reason if reason.endswith(more) else reason + more


def _asks_the_same(resolved: Resolved) -> bool:
    """Whether a DELETE asks for the same rows whenever it runs, in whichever script."""
    statement, tree = resolved.statement, resolved.statement.tree
    if not isinstance(tree, exp.Delete) or not is_plain(resolved) or statement.again:
        return False
    table = tree.this
    if not isinstance(table, exp.Table) or any(type(n) not in _ASKING for n in tree.walk()):
        return False
    columns = list(tree.find_all(exp.Column))
    odd = _NO_COLUMNS | statement.variables
    if any(c.name.lower() in odd or c.table not in ("", table.alias_or_name) for c in columns):
        return False
    return all(_is_one_value(each, columns, statement) for each in _open(statement))


def _open(statement: Statement) -> list[Placeholder]:
    """The placeholders of its condition."""
    names = {column.name.lower() for column in statement.tree.find_all(exp.Column)}
    return [p for p in statement.masked.placeholders if p.token.lower() in names]


def _is_one_value(word: Placeholder, columns: list[exp.Column], statement: Statement) -> bool:
    """Whether a placeholder is a text that is put in, no condition of its own, nor a variable."""
    if word.binds or re.search(rf"\b{word.token}\s*:?=", statement.masked.text, re.IGNORECASE):
        return False
    places = (c for c in columns if c.name.lower() == word.token.lower())
    return all(isinstance(place.parent, _TESTS) for place in places)
