"""What one source says by itself: a pure map over sources, and all that `unwet scan` needs of them.

Facts are values without trees. They may be made anywhere and in any order; `inventory.combined`
puts those of all sources together.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from sqlglot import exp

from unwet.lineage.catalog import placed, unsupported
from unwet.lineage.findings import Finding
from unwet.lineage.headers import Altered, Header, Place, alterations, headers
from unwet.lineage.known import Known, bare_names, know
from unwet.lineage.names import alias_of, relation_name
from unwet.lineage.parse import Script, Statement, parse
from unwet.lineage.reports import Act, act
from unwet.lineage.resolve import resolve
from unwet.lineage.sources import Source
from unwet.lineage.tables import Table, tail
from unwet.lineage.templating import NO_PARAMS, Placeholder, mask

Moving = TypeVar("Moving", Header, Altered)


@dataclass(frozen=True, slots=True)
class Mentions:
    """The tables that a statement reads, writes or drops, under the names that it uses; `dotted`:
    those with a schema, of whatever stands there."""

    place: Place
    index: int
    names: tuple[str, ...]
    dotted: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """One source. Places have 0 for its number; names are as written, not yet looked up."""

    path: str
    lines: int
    statements: int
    findings: tuple[Finding, ...]
    headers: tuple[Header, ...]
    altered: tuple[Altered, ...]
    mentions: tuple[Mentions, ...]
    acts: tuple[Act, ...]
    placeholders: tuple[Placeholder, ...]


class _Nothing:
    """A catalog that knows nothing: names mean what they say."""

    def find(self, name: str, path: str = "", before: int = -1) -> tuple[str, Table | None]:
        return name, None

    def relation(self, name: str, path: str = "", before: int = -1) -> str:
        return name

    def uses(self, relation: str, decides: bool = True) -> Table | None:
        return None


def facts_of(source: Source, dialect: str = "", params: Mapping[str, str] = NO_PARAMS) -> Facts:
    """The facts of one source; raises UnknownDialect."""
    return facts(parse(mask(source, params), dialect))


def facts(script: Script) -> Facts:
    """The facts of a source that has been parsed."""
    statements = placed([(0, script)])
    resolved = [(place, resolve(each, _Nothing())) for place, each in statements.items()]
    own = (f for _, each in resolved for f in unsupported(each))
    some = next(iter(statements.values()), None)
    return Facts(
        script.source.path,
        script.lines,
        len(script.statements),
        (*script.findings, *own),
        tuple(headers(statements)),
        tuple(alterations(statements)),
        tuple(_mentions(statements)),
        tuple(act(each) for place, each in resolved if not place.inner),
        some.masked.placeholders if some is not None else (),
    )


def known_of(given: tuple[Table, ...], all_facts: Iterable[Facts], default_schema: str) -> Known:
    """What a pile knows by name, from the facts of its sources in their order."""
    numbered = list(enumerate(all_facts))
    made = sorted(
        (_moved(h, number) for number, each in numbered for h in each.headers),
        key=lambda h: h.place,
    )
    altered = sorted(
        (_moved(a, number) for number, each in numbered for a in each.altered),
        key=lambda a: a.place,
    )
    dotted: dict[str, set[str]] = {}
    bare = bare_names(given, made, default_schema)
    for _, each in numbered:
        for name in (name for one in each.mentions for name in one.dotted):
            if tail(name) in bare:
                dotted.setdefault(tail(name), set()).add(name)
    reads = {last: frozenset(names) for last, names in dotted.items()}
    return know(given, made, altered, reads, default_schema)


# --- inside ----------------------------------------------------------------------------------


def _moved(each: Moving, number: int) -> Moving:
    """The same in the source of that number."""
    return replace(each, place=each.place._replace(source=number))


def _mentions(statements: Mapping[Place, Statement]) -> Iterator[Mentions]:
    for place, each in statements.items():
        tables = list(each.tree.find_all(exp.Table))
        full = (t for t in tables if t.args.get("db") is not None)
        dotted = tuple(sorted({relation_name(t, each.dialect) for t in full}))
        names = _names(each, tables)
        if names or dotted:
            yield Mentions(place, each.index, names, dotted)


def _names(statement: Statement, tables: Iterable[exp.Table]) -> tuple[str, ...]:
    """The tables that a statement mentions; CTEs and aliases that stand for them are none."""
    tree, dialect = statement.tree, statement.dialect
    if isinstance(tree, exp.Drop) and not _is_relation(tree):
        return ()
    skipped = tree.this if isinstance(tree, exp.Create) and not _is_relation(tree) else None
    tables = [each for each in tables if not _names_other(each, skipped)]
    aliases = {alias_of(each, dialect) for each in tables} if isinstance(tree, _CHANGES) else set()
    found: set[str] = set()
    for table in tables:
        name = "" if isinstance(table.this, exp.Func) else relation_name(table, dialect)
        if not name:
            continue
        bare = table.args.get("db") is None
        if bare and (_is_cte(table, name, dialect) or (name in aliases and not table.alias)):
            continue
        found.add(name)
    return tuple(sorted(found))


def _is_relation(tree: exp.Create | exp.Drop) -> bool:
    """Whether it is about a table or a view; not a function, a schema, a format of files."""
    return str(tree.args.get("kind") or "").upper().endswith(("TABLE", "VIEW"))


def _names_other(table: exp.Table, made: exp.Expr | None) -> bool:
    """Whether it is the name of what CREATE makes, if that is no relation."""
    return table is made or (made is not None and table.parent is made)


_CHANGES = (exp.Update, exp.Delete, exp.Merge)


def _is_cte(table: exp.Table, name: str, dialect: str) -> bool:
    """Whether a CTE of that name is in sight: one of a query around, but for those that come after
    the CTE that the table stands in, and this itself unless it is recursive."""
    below: exp.Expr = table
    while (node := below.parent) is not None:
        clause: exp.Expr | None = node if isinstance(node, exp.With) else node.args.get("with_")
        recursive = clause is not None and clause.args.get("recursive")
        for cte in clause.expressions if clause is not None else ():
            if cte is below and not recursive:
                break
            if alias_of(cte, dialect) == name:
                return True
        # what stands in a WITH does not see all of it again from the query that has it
        below = node.parent if isinstance(node, exp.With) and node.parent is not None else node
    return False
