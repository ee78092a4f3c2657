"""All relations of a pile by name, before any query is read: given, declared, or made."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.ddl import Retyped, agreed, untyped, with_additions
from unwet.lineage.findings import Finding
from unwet.lineage.headers import Altered, Header
from unwet.lineage.names import is_token, relation_name
from unwet.lineage.parse import Statement
from unwet.lineage.tables import CALLED, Catalog, Table, tail

Reads = Mapping[str, frozenset[str]]  # last part of a name -> the dotted names it is read by


@dataclass(frozen=True, slots=True)
class Known:
    """`catalog` holds a table without columns for each relation that only statements make;
    `apart`: relations that no known name stands for, though it ends theirs. `headers` are all of
    the pile, in its order; `retyped`: relations of which an ALTER TABLE changes types; findings are
    contradictions."""

    catalog: Catalog
    apart: Mapping[str, Table]
    headers: tuple[Header, ...]
    findings: tuple[Finding, ...]
    retyped: frozenset[str]


def know(
    schema: Sequence[Table],
    headers: Sequence[Header],
    altered: Iterable[Altered],
    reads: Reads,
    default_schema: str = "",
) -> Known:
    """What is known of the relations of a pile, from its headers in the order of the pile.

    `reads`: those of `dotted_reads` for `bare_names`.
    """
    changes = tuple(altered)
    tables, found = _declared(schema, headers, changes, default_schema)
    names = _names(schema, headers, default_schema)
    apart = _apart(names, reads)
    catalog = _catalog_of(apart | tables, names, default_schema)
    retyped = {
        catalog.qualified(change.name)
        for change in changes
        if any(isinstance(each, Retyped) for each in change.additions)
    }
    return Known(catalog, apart, tuple(headers), tuple(found), frozenset(retyped))


def bare_names(
    schema: Sequence[Table], headers: Sequence[Header], default_schema: str = ""
) -> frozenset[str]:
    """Known relations without a schema: dotted names that end so may mean them."""
    names = _names(schema, headers, default_schema)
    return frozenset(name for name in names if "." not in name and not name.endswith(CALLED))


_DOTTED = re.compile(r"\.\s*[`\"\[]?([#@]*\w+)")


def dotted_reads(bare: frozenset[str], statements: Iterable[Statement]) -> Reads:
    """The dotted names that statements use, by their last part, as far as it is a bare name."""
    read: dict[str, set[str]] = {}
    plain = {name.lower() for name in bare if re.fullmatch(r"[#@]*\w+", name)}
    odd = len(plain) < len(bare)
    for statement in statements if bare else ():
        if not odd and plain.isdisjoint(_DOTTED.findall(statement.text.lower())):
            continue  # most statements; walking every tree takes long
        for table in statement.tree.find_all(exp.Table):
            if table.args.get("db") is not None:
                name = relation_name(table, statement.dialect)
                if (last := tail(name)) in bare:
                    read.setdefault(last, set()).add(name)
    return {last: frozenset(names) for last, names in read.items()}


def _names(schema: Sequence[Table], headers: Sequence[Header], default_schema: str) -> set[str]:
    qualified = Catalog(default_schema=default_schema).qualified
    return {
        *(table.name for table in schema),
        *(qualified(each.name) for each in headers if not each.temp),
    }


def _declared(
    schema: Sequence[Table],
    headers: Sequence[Header],
    altered: Iterable[Altered],
    default_schema: str,
) -> tuple[dict[str, Table], list[Finding]]:
    """Tables with declared columns by name; the first declaration counts, as far as the others do
    not say other types."""
    qualified = Catalog(default_schema=default_schema).qualified
    tables = {table.name: table for table in schema}
    found: list[Finding] = []
    for each in headers:
        if each.declared is None or each.temp:
            continue
        name = qualified(each.name)
        table = replace(each.declared, name=name)
        if (given := tables.get(name)) is not None:
            found.extend(_contradiction(given, table))
            if given.origin == "ddl":
                tables[name] = agreed(given, table)
            elif given.names != table.names:
                tables[name] = replace(given, agreed=False)
        else:
            tables[name] = table
    for change in altered:
        name = qualified(change.name)
        if name in tables and tables[name].origin == "ddl":
            tables[name] = with_additions(tables[name], change.additions)
    for name in {qualified(h.name) for h in headers if h.declared is None and not h.temp}:
        if name in tables and tables[name].origin == "ddl":
            tables[name] = untyped(tables[name])  # a query makes it as well
    return tables, found


def _apart(names: set[str], reads: Reads) -> dict[str, Table]:
    """Relations that no known name stands for, though it ends theirs: a.t and b.t are two, so t
    cannot be both."""
    found: set[str] = set()
    for dotted in reads.values():
        full = {n for n in dotted if not is_token(n.partition(".")[0])}
        longest = [n for n in full if not any(other.endswith("." + n) for other in full)]
        found |= full if len(longest) > 1 else set()
    return {name: Table(name, (), False, "made") for name in sorted(found - names)}


def _catalog_of(tables: dict[str, Table], names: set[str], default_schema: str) -> Catalog:
    """A catalog in which a short name stands for the only longer one that the pile has, unless
    the pile has a relation of just that name as well."""
    longer: dict[str, set[str]] = {}
    for name in names:
        parts = name.split(".")
        for i in range(1, len(parts)):
            longer.setdefault(".".join(parts[i:]), set()).add(name)
    spellings = {
        short: next(iter(full))
        for short, full in longer.items()
        if len(full) == 1 and short not in names
    }
    placeholders = {name: Table(name, (), False, "made") for name in names if name not in tables}
    return Catalog({**placeholders, **tables}, default_schema, {}, spellings)


def _contradiction(given: Table, declared_: Table) -> list[Finding]:
    """A declaration that lists other columns than what was given or declared before."""
    missing = [c for c in declared_.names if c not in given.index]
    extra = [c for c in given.names if c not in declared_.index]
    if (not missing and not extra) or declared_.at is None:
        return []
    place = f" at {given.at}" if given.at is not None else ""
    source = ("the given schema" if given.origin == "schema" else "its declaration") + place
    said = [f"lacks {', '.join(missing)}"] if missing else []
    said += [f"has {', '.join(extra)} besides"] if extra else []
    text = f"{declared_.name} is declared differently: {source} {' and '.join(said)}"
    also = (given.at,) if given.at is not None else ()
    return [Finding("SCHEMA", text, declared_.at, "the earlier one is used", also)]
