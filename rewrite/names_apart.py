"""Statements that name a table which other names of the pile are taken for.

    CREATE TABLE out."a.b" AS ...           out.a.b is table b in schema a
    SELECT id FROM d.Users                  BigQuery's d.users is another table
    SELECT id FROM d."users"                Snowflake's d.users is another table
    SELECT id FROM d."Users"                PostgreSQL's d.Users is another table

Where names are folded, and put together with dots, these are one. A statement that says the rarer
of such names cannot be composed with the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.lineage.names import relation_name, table_part, upper_case
from unwet.lineage.resolve import Resolved
from unwet.lineage.targets import into_of
from unwet.rewrite.reads import relations

_BY_CASE: Final = "bigquery"
"""Where names of tables and of their datasets differ in capitals, not those of CTEs and columns
("Lexical structure", "Case sensitivity"); MySQL's do as the file system has it."""
_AS_QUOTED: Final = frozenset({"postgres", "materialize", "risingwave"})
"""Where a name in quotes is that in these letters, and one without quotes in small ones
(PostgreSQL's manual, 4.1.1 "Identifiers and Key Words")."""
_SCHEMA: Final = "information_schema"
_NOBODYS: Final = ("another one",)


@dataclass(frozen=True, slots=True)
class _Mention:
    """A table in a statement, as it is written: its name, behind those of its schema and database
    (of BigQuery, of its dataset only), where they stand there."""

    path: str
    index: int
    relation: str
    name: tuple[str, ...]
    made: bool

    def is_like(self, other: tuple[str, ...]) -> bool:
        """Whether both may be one table: the shorter name says less of it."""
        pairs = zip(self.name[::-1], other[::-1], strict=False)
        return all(a == b or a.lower() != b.lower() for a, b in pairs) and other != _NOBODYS


def names_apart(resolved: Sequence[Resolved]) -> Mapping[str, Mapping[int, str]]:
    """By path of a script: why a statement, by its index, is about another table than it seems."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for each in resolved:
        if dotted := _dotted_target(each):
            told = f'it writes "{dotted}", in which a dot is no end of a schema'
            found[each.statement.path][each.statement.index] = told
    temps = {(each.statement.path, each.target) for each in resolved if each.temp and each.target}
    alike: dict[str, list[_Mention]] = defaultdict(list)
    targets = frozenset(each.target for each in resolved if each.target)
    for each in resolved:
        for mention in _mentions(each, temps, targets):
            alike[mention.relation].append(mention)
    for mentions in alike.values():
        usual = _usual(mentions)
        for mention in mentions:
            if not mention.is_like(usual):
                name, other = ".".join(mention.name), ".".join(usual)
                told = f"it says {name}, which is another table than {other}"
                found[mention.path].setdefault(mention.index, told)
    return found


def _dotted_target(resolved: Resolved) -> str:
    """A part of the name of what it writes that has a dot in itself; BigQuery's parser puts
    INFORMATION_SCHEMA.TABLES into one."""
    if resolved.statement.dialect == _BY_CASE or not resolved.target:
        return ""
    parts = (part for each in _written(resolved) for part in each.parts)
    return next((p.name for p in parts if isinstance(p, exp.Identifier) and "." in p.name), "")


def _written(resolved: Resolved) -> Iterator[exp.Table]:
    """Where the target stands in a statement."""
    args, into = resolved.statement.tree.args, into_of(resolved.statement.tree)
    for each in (args.get("this"), *(args.get("expressions") or ()), into and into.this):
        table = table_part(each) if isinstance(each, exp.Expression) else None
        named = isinstance(table, exp.Table) and relation_name(table, resolved.statement.dialect)
        if isinstance(table, exp.Table) and named == resolved.target:
            yield table


def _mentions(
    resolved: Resolved, temps: Container[tuple[str, str]], targets: Container[str]
) -> Iterator[_Mention]:
    """``targets``: what the pile makes, which gets a name of its own where quotes tell it apart."""
    statement = resolved.statement
    dialect = statement.dialect
    if dialect not in (_BY_CASE, *_AS_QUOTED) and not _in_capitals(dialect):
        return
    tables = [(item.relation, item.node, False)
              for item in (relations(resolved.query) if resolved.query is not None else ())
              if item.relation is not None and isinstance(item.node, exp.Table)]  # fmt: skip
    written = [(resolved.target, table, True) for table in _written(resolved) if resolved.target]
    for relation, table, made in (*tables, *written):
        if dialect in _AS_QUOTED and relation in targets:
            continue
        parts = (part for each in table.parts for part in _kept_as(each, statement.dialect))
        name = tuple(filter(None, parts))
        if statement.dialect == _BY_CASE:
            name = name[-2:]
        if _SCHEMA not in (part.lower() for part in name[-2:]):
            its_own = (statement.path, relation) in temps
            key = f"{relation.lower()}@{statement.path}" if its_own else relation.lower()
            yield _Mention(statement.path, statement.index, key, name, made)


def _in_capitals(dialect: str) -> bool:
    """Whether a name without quotes is one in capitals: `"users"` is another table than `users`."""
    return upper_case("a", dialect) == "A"


def _kept_as(part: exp.Expr, dialect: str) -> list[str]:
    """What the warehouse calls a part of a name, or several in one."""
    if dialect == _BY_CASE:
        return part.name.split(".")
    bare = part.name.lower() if dialect in _AS_QUOTED else part.name.upper()
    return [part.name if part.args.get("quoted") else bare]


def _usual(mentions: Sequence[_Mention]) -> tuple[str, ...]:
    """The name that the others are told apart from: the one that is made, else that of most. Where
    several are made, nobody says which: a name that is like none."""
    made = {mention.name for mention in mentions if mention.made}
    if len(made) > 1 and not all(m.is_like(other) for m in mentions if m.made for other in made):
        return _NOBODYS
    votes = Counter(m.name for m in mentions if m.made or not made)
    return max(votes, key=lambda name: (len(name), votes[name]) if made else (votes[name],))
