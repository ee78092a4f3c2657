"""Names that mean tables of several databases, because USE or ATTACH says which one is meant.

USE stage; DELETE FROM dbo.orders; USE dw; SELECT n INTO dbo.r FROM dbo.orders
ATTACH 'jan.db' AS z; SELECT n FROM z.orders; DETACH z; ATTACH 'feb.db' AS z; SELECT n FROM z.orders
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.lineage.parse import Script, Statement
from unwet.rewrite.changed_by_text import plain

_USE: Final = re.compile(
    r"\s*USE\s+(?P<what>DATABASE\s+|CATALOG\s+)?(?P<name>[^\s;]+)\s*;?\s*$", re.I
)
_SET: Final = re.compile(r"\s*SET\s+CATALOG\s+(?P<name>[^\s;]+)\s*;?\s*$", re.I)


def in_several_databases(scripts: Sequence[Script]) -> dict[str, dict[int, str]]:
    """By path and statement index: why a statement may mean another table than its name says."""
    uses = {used for script in scripts for s in script.statements if (used := _used(s))}
    if len(uses) < 2:
        return {}
    under: dict[str, set[str]] = {}
    for script in scripts:
        for _, used, names in _placed(script):
            for name in names if used else ():
                under.setdefault(name, set()).add(used)
    several = {name for name, databases in under.items() if len(databases) > 1}
    return {script.source.path: _reasons(script, several) for script in scripts}


def in_attached(scripts: Sequence[Script]) -> dict[str, dict[int, str]]:
    """By path and statement index: what is read or made under a name of a file (ATTACH) that is one
    of two, or is of two files."""
    pairs = {pair for script in scripts for s in script.statements if (pair := _attached(s))}
    names, files = Counter(name for name, _ in pairs), Counter(file for _, file in pairs)
    unsure = {name for name, file in pairs if names[name] > 1 or files[file] > 1}
    found: dict[str, dict[int, str]] = {}
    for script in scripts if unsure else ():
        for statement in script.statements:
            tables = statement.tree.find_all(exp.Table)
            said = {part.lower() for t in tables for part in (t.db, t.catalog)} & unsure
            if said:
                told = f"{min(said)} is not the only name of its file, or of several (ATTACH)"
                found.setdefault(script.source.path, {})[statement.index] = told
    return found


def _attached(statement: Statement) -> tuple[str, str] | None:
    """The name that a statement gives to a file, and the file."""
    tree = statement.tree
    if not isinstance(tree, exp.Attach) or not isinstance(tree.this, exp.Alias):
        return None
    return tree.this.alias.lower(), tree.this.this.name


def _reasons(script: Script, several: set[str]) -> dict[int, str]:
    return {
        statement.index: f"{min(names & several)} is a table of several databases, by USE"
        for statement, _, names in _placed(script)
        if names & several
    }


def _placed(script: Script) -> Iterator[tuple[Statement, str, frozenset[str]]]:
    """The statements, in which database each stands, and the names whose database is not said."""
    used = ""
    for statement in sorted(script.statements, key=lambda each: each.span):
        used = _used(statement) or used
        tables = statement.tree.find_all(exp.Table)
        names = (f"{t.db}.{t.name}".lower() for t in tables if t.db and not t.catalog)
        yield statement, used, frozenset(names)


def _used(statement: Statement) -> str:
    """The database that a statement makes the current one; empty of all others."""
    hit = _USE.match(statement.text)
    if hit is not None and (hit["what"] or statement.dialect in TSQL):
        return plain(hit["name"])
    hit = _SET.match(statement.text)
    return plain(hit["name"]) if hit is not None else ""
