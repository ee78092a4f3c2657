"""What is read of a model between reports, and the columns that go as nobody reads them.

A model has the columns that some copy had, and is read by what is left of the others in the end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.rules.refs import PLAIN_FUNCTIONS, VOLATILE

# outputs, groups and the number of joins: models that have these in common are one family
_Said = tuple[tuple[exp.Expr, ...], exp.Expr | None, int]

_ROWS: Final = (exp.UDTF, exp.Explode, exp.Inline, exp.GenerateSeries)
_SETS: Final = (exp.Rollup, exp.Cube, exp.GroupingSets)
_ROWS_OF: Final = frozenset({"with_", "from_", "joins", "laterals"})
_AROUND: Final = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)


def narrow(made: Mapping[str, exp.Query], reports: Iterable[exp.Query]) -> None:
    """In place: models without the columns that none of their readers says.

    What is alike can be one macro, so a column goes from all models that say the same of other
    rows, or from none."""
    said = [*reports]
    readers = _readers([*said, *made.values()])
    families = _families(made, said)
    while any([_narrow_all(made, family, readers) for family in families]):
        pass  # what was read by an output that has gone may not be read any more


def _readers(trees: Iterable[exp.Query]) -> Mapping[str, Sequence[exp.Query]]:
    """The queries that read each relation."""
    found: dict[str, list[exp.Query]] = defaultdict(list)
    for tree in trees:
        for token in tables_of(tree):
            found[token].append(tree)
    return found


def tables_of(tree: exp.Expr) -> frozenset[str]:
    """The names of the tables in a query, in small letters."""
    return frozenset(table.name.lower() for table in tree.find_all(exp.Table))


def _families(
    made: Mapping[str, exp.Query], reports: Iterable[exp.Query]
) -> Sequence[Sequence[str]]:
    """Models that say the same of their rows, those that read before those that are read; without
    what a block of another query says too, which has all its columns."""
    found: dict[_Said, list[str]] = defaultdict(list)
    for name in reversed([*made]):
        tree = made[name]
        if isinstance(tree, exp.Select):
            found[_said(tree)].append(name)
    sizes = {len(outputs) for outputs, _, _ in found}
    whole = {id(tree) for tree in made.values()}
    for tree in (*reports, *made.values()):
        for block in tree.find_all(exp.Select):
            if len(block.expressions) in sizes and id(block) not in whole:
                found.pop(_said(block), None)
    return [*found.values()]


def _said(tree: exp.Select) -> _Said:
    """What a query says of the rows behind it, whichever these are."""
    group = tree.args.get("group")
    return (*tree.expressions,), group, len(tree.args.get("joins") or ())


def _narrow_all(
    made: Mapping[str, exp.Query],
    family: Sequence[str],
    readers: Mapping[str, Sequence[exp.Query]],
) -> bool:
    """In place: models of the same outputs without those that are read of none of them; whether
    there were such."""
    read: set[str] = set()
    for name in family:
        token = f"ref__{name}__ref".lower()
        columns = columns_read(token, readers.get(token, ()))
        if columns is None:
            return False
        read |= columns
    trees = [tree for name in family if isinstance(tree := made[name], exp.Select)]
    kept = [[i for i in tree.expressions if i.alias_or_name.lower() in read] for tree in trees]
    for tree, left in zip(trees, kept, strict=True):
        lost = [item for item in tree.expressions if not any(item is each for each in left)]
        if not left or not lost or not may_lose(tree, lost):
            return False
    for tree, left in zip(trees, kept, strict=True):
        tree.set("expressions", left)
    return True


def columns_read(token: str, trees: Iterable[exp.Expr]) -> frozenset[str] | None:
    """The columns that the readers of a relation say; None where these may be all."""
    found: set[str] = set()
    for tree in trees:
        for table in tree.find_all(exp.Table):
            if table.name.lower() != token.lower():
                continue
            reader = table.find_ancestor(exp.Select)
            if reader is None or table.args.get("pivots") or _reads_all(reader, table):
                return None
            alias = table.alias_or_name.lower()
            found |= {c.name.lower() for c in _said_in(reader)
                      if c.table.lower() in ("", alias)}  # fmt: skip
            found |= {*_in_parts(reader)}
            found |= {name.name.lower() for join in reader.find_all(exp.Join)
                      for name in join.args.get("using") or ()}  # fmt: skip
    return frozenset(found)


def _said_in(reader: exp.Select) -> Iterator[exp.Column]:
    """The columns that a query says, but for its own CTEs, which cannot see what it reads."""
    block = reader.args.get("with_")
    for node in reader.walk(prune=lambda each: each is block):
        if isinstance(node, exp.Column):
            yield node


def _in_parts(reader: exp.Select) -> Iterator[str]:
    """What may be columns of which a query says parts: `s.f`, `x.s.f`."""
    parts = [tuple(part.name.lower() for part in c.parts[:-1]) for c in _said_in(reader) if c.table]
    around = reader.root().find_all(exp.Table, exp.Subquery, exp.UDTF) if parts else ()
    tables = {each.alias_or_name.lower() for each in around}
    for first, *more in parts:
        yield from more if first in tables else (first, *more)


def _reads_all(reader: exp.Select, table: exp.Table) -> bool:
    """Whether a query may read columns that it does not say: by a star, as a row, by NATURAL, or
    under other names (`x AS y(p, q)`)."""
    joins = reader.find_all(exp.Join)
    if any(item.is_star for item in reader.expressions) or any(j.args.get("method") for j in joins):
        return True
    if isinstance(named := table.args.get("alias"), exp.TableAlias) and named.columns:
        return True
    alias = table.alias_or_name.lower()
    return any(c.is_star or c.name.lower() == alias for c in reader.find_all(exp.Column))


def may_lose(tree: exp.Select, items: Sequence[exp.Expr]) -> bool:
    """Whether a query has the same rows without these outputs, as nothing in it says them."""
    group, order = tree.args.get("group"), tree.args.get("order")
    keys = [*(group.expressions if group else ()),
            *(each.this for each in (order.expressions if order else ()))]  # fmt: skip
    if tree.args.get("distinct") or any(map(_says_places, keys)):
        return False
    if group is not None and group.args.get("all"):
        return False
    if tree.is_star or any(item.is_star for item in tree.expressions):
        return False
    if any(map(_may_make_rows, items)):
        return False
    left = [item for item in tree.expressions if not any(item is each for each in items)]
    if group is None and any(map(_is_of_all, items)) and not any(map(_is_of_all, left)):
        return False  # that there is one row, the others do not say
    named = (
        i for i in items if isinstance(i, exp.Alias) or (isinstance(i, exp.Column) and i.table)
    )
    names = {item.alias_or_name.lower() for item in named}
    said = (c for c in _behind_rows(tree) if not c.table)
    return not any(column.name.lower() in names for column in said)


def _behind_rows(tree: exp.Select) -> Iterator[exp.Column]:
    """The columns in a query, but for those that make its rows: these see none of its outputs."""
    for key, value in tree.args.items():
        for part in value if isinstance(value, list) else [value]:
            if key not in _ROWS_OF and isinstance(part, exp.Expr):
                yield from part.find_all(exp.Column)


def _says_places(key: exp.Expr) -> bool:
    """Whether a key says outputs by their places: `1`, `(1)`, `ROLLUP (1, 2)`, `ORDER BY ALL`."""
    if isinstance(key, _SETS):
        return key.find(exp.Literal) is not None
    return isinstance(key.unnest(), (exp.Literal, exp.Var))


def _may_make_rows(item: exp.Expr) -> bool:
    """Whether an output may be several rows, or another one each time: no proof does without it."""
    return any(
        isinstance(node, _ROWS)
        or node.key in VOLATILE
        or (isinstance(node, exp.Anonymous) and node.name.lower() not in PLAIN_FUNCTIONS)
        for node in item.walk()
    )


def _is_of_all(item: exp.Expr) -> bool:
    """Whether an output is said of all rows of a query, or of a group of them."""
    for node in item.walk(prune=lambda part: isinstance(part, exp.Query)):
        if isinstance(node, exp.AggFunc):
            around = node.parent
            while isinstance(around, _AROUND):
                node, around = around, around.parent
            if not isinstance(around, exp.Window) or around.this is not node:
                return True
    return False


def selecting(tree: exp.Query, names: Sequence[str]) -> exp.Select | None:
    """A copy of a query with these outputs only; None where it has not all, or needs the others."""
    if not isinstance(tree, exp.Select):
        return None
    new = copied(tree)
    items = {item.alias_or_name.lower(): item for item in new.expressions}
    if len(items) < len(new.expressions) or not {*names} <= items.keys():
        return None
    if not may_lose(new, [item for name, item in items.items() if name not in names]):
        return None
    new.set("expressions", [items[name] for name in names])
    return new


def all_of(tree: exp.Query) -> tuple[str, tuple[str, ...]]:
    """The relation of which a query says columns and nothing else, and these; empty otherwise."""
    said = {key for key, value in tree.args.items() if value}
    source = tree.args.get("from_")
    table = source.this if source is not None else None
    if said != {"expressions", "from_"} or not isinstance(table, exp.Table):
        return "", ()
    if {key for key, value in table.args.items() if value} - {"this", "alias"}:
        return "", ()
    if not all(isinstance(item, exp.Column) and not item.is_star for item in tree.expressions):
        return "", ()
    return table.name, tuple(item.name.lower() for item in tree.expressions)


def read_instead(old: str, new: str, trees: Iterable[exp.Query]) -> None:
    """In place: another relation where one is read, under the name that it had there."""
    for tree in trees:
        for table in [t for t in tree.find_all(exp.Table) if t.name.lower() == old.lower()]:
            if not table.alias and any(c.table.lower() == old.lower()
                                       for c in tree.find_all(exp.Column)):  # fmt: skip
                table.set("alias", exp.TableAlias(this=exp.to_identifier(old)))
            table.set("this", exp.to_identifier(new))


def reads(tree: exp.Query, token: str) -> bool:
    """Whether a query reads a relation."""
    return any(table.name.lower() == token.lower() for table in tree.find_all(exp.Table))
