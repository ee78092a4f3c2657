"""A wide model for reports that join the same tables in the same way, and ask other things of them:

    SELECT f(a.x) FROM a JOIN b ON j WHERE p AND q GROUP BY a.g
 =  SELECT f(w.x) FROM w WHERE q GROUP BY w.g
    where w is SELECT a.x, a.g, .. FROM a JOIN b ON j WHERE p

It has all columns that some report says, and the conditions that all of them have; each report has
its own columns, conditions and groups. The rows behind them are the same, one for one, so that it
makes no difference what is computed of them. Only queries that say of each column whose it is, with
no query inside: there a name may mean something else. Reports that join a part of the tables read
it, too, where the others neither drop nor repeat rows (`fewer_joins.py`), and they are too few for
a model of their own. What it saves is asked of who knows what macros would save instead; the
project is proved after it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, has_star
from unwet.rewrite.compose import Draft
from unwet.rewrite.conjuncts import conjuncts_of
from unwet.rewrite.fewer_joins import Lossless
from unwet.rewrite.naming import free, snake
from unwet.rewrite.sharing import Shared, redrafted

_FEWEST: Final = 4  # reports; fewer are told as well by a macro
_WIDEST: Final = 30  # columns
_CLAUSES: Final = frozenset({"expressions", "from_", "joins", "where", "group", "having", "order",
                             "limit", "distinct", "qualify"})  # fmt: skip
_TABLE: Final = frozenset({"this", "alias"})
_ODD: Final = (exp.Query, exp.Anonymous, exp.Rand, exp.Placeholder, exp.Parameter)

Size = Callable[[Shared], int]
Joined = tuple[exp.Expr, ...]
Groups = Mapping[Joined, Sequence[Draft]]


def with_wide_models(
    shared: Shared,
    own: AbstractSet[str],
    taken: AbstractSet[str],
    size: Size,
    least: int,
    known: Lossless,
) -> Shared:
    """What reports share, and wide models if each saves so many lines at ``least``, which may be
    less than none. ``own``: reports that keep their words; ``taken``: names that no model may have;
    ``size``: the lines of a project of these, with the macros that it has; ``known``: tells whether
    a join makes a difference."""
    groups: dict[Joined, list[Draft]] = defaultdict(list)
    for draft in shared.drafts:
        if draft.name not in own and (key := _joined(draft.tree)) is not None:
            groups[key].append(draft)
    served = set[str]()
    for key in sorted(groups, key=len, reverse=True):
        names = {*taken, *(d.name for d in (*shared.drafts, *shared.intermediates))}
        whole = [draft for draft in groups[key] if draft.name not in served]
        parts = [draft for draft in _parts(key, groups) if draft.name not in served]
        wide = _best(whole, parts, names, size, least, known) if whole else None
        if wide is not None:
            shared = _instead(shared, wide)
            served |= {draft.name for draft in wide.drafts}
    return shared


def _parts(key: Joined, groups: Groups) -> list[Draft]:
    """The reports that join some of these tables as these do, and are too few for a model of their
    own."""
    few = (g for g in groups if len(g) < len(key) and _askers(groups[g]) < _FEWEST)
    return [draft for group in few if _is_part(group, key) for draft in groups[group]]


def _is_part(part: Joined, whole: Joined) -> bool:
    """Whether it begins with the same table, and joins some of the others in their order."""
    rest = iter(whole[1:])
    return part[0] == whole[0] and all(each in rest for each in part[1:])


def _best(
    whole: Sequence[Draft],
    parts: Sequence[Draft],
    taken: AbstractSet[str],
    size: Size,
    least: int,
    known: Lossless,
) -> Shared | None:
    """The wide model of reports that takes the fewest lines: for all parts that lose nothing, for
    those with the conditions of all others, or for none; None where it saves too few."""
    parts = [each for each in parts if _loses_nothing(whole, each, taken, known)]
    common = _common(whole)
    alike = [each for each in parts if all(c in _conditions(each.tree) for c in common)]
    found: list[tuple[int, Shared]] = []
    for some in ([], alike, parts) if len(alike) < len(parts) else ([], parts):
        readers = [*whole, *some]
        wide = _wide(readers, taken) if _askers(readers) >= _FEWEST else None
        if wide is not None and (some or not found):
            rest = [each for each in parts if each not in some]
            found.append((size(replace(wide, drafts=(*wide.drafts, *rest))), wide))
    lines, best = min(found, key=lambda each: each[0], default=(0, None))
    if best is None or lines + least > size(Shared((*whole, *parts), ())):
        return None
    return best


def _loses_nothing(
    whole: Sequence[Draft], part: Draft, taken: AbstractSet[str], known: Lossless
) -> bool:
    """Whether a report has the same rows over the model of others."""
    wide = _wide([*whole, part], taken)
    if wide is None:
        return False
    return known.reads(part.tree, wide.drafts[-1].tree, wide.intermediates[0])


def _askers(drafts: Sequence[Draft]) -> int:
    """How many reports ask something else."""
    return len({_asked(draft.tree) for draft in drafts})


def _instead(shared: Shared, wide: Shared) -> Shared:
    new = {draft.name: draft for draft in wide.drafts}
    drafts = tuple(new.get(draft.name, draft) for draft in shared.drafts)
    return Shared(drafts, (*shared.intermediates, *wide.intermediates))


def _joined(tree: exp.Query) -> Joined | None:
    """The tables of a query, and how they are joined; None where it is not of this kind."""
    if not isinstance(tree, exp.Select) or tree.args.get("kind"):
        return None
    if {key for key, value in tree.args.items() if value} - _CLAUSES:
        return None
    source, joins = tree.args.get("from_"), tree.args.get("joins") or []
    if source is None or not joins or any(join.args.get("using") for join in joins):
        return None
    tables = [source.this, *(join.this for join in joins)]
    if not all(map(_is_named_table, tables)) or any(j.args.get("method") for j in joins):
        return None
    known = {table.alias for table in tables}
    columns = [*tree.find_all(exp.Column)]
    plain = all(c.table in known and not c.args.get("db") and not c.is_star for c in columns)
    if len(known) < len(tables) or not plain or has_star(tree):
        return None
    if any(isinstance(node, _ODD) and node is not tree for node in tree.walk()):
        return None
    return (source, *joins)


def _is_named_table(node: exp.Expr) -> bool:
    said = {key for key, value in node.args.items() if value}
    return isinstance(node, exp.Table) and said == _TABLE and not node.alias_column_names


def _asked(tree: exp.Query) -> tuple[object, ...]:
    """What a query asks of its rows, whatever constants it says."""
    masked = copied(exp.Tuple(expressions=[*map(copied, tree.expressions)]))
    for literal in [*masked.find_all(exp.Literal)]:
        literal.replace(exp.Literal.number(0))
    return (masked, tree.args.get("group"))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the tables behind a wide model."""

    table: str
    name: str
    quoted: bool


def _wide(drafts: Sequence[Draft], taken: AbstractSet[str]) -> Shared | None:
    """The reports over a model of all that they say of the same tables, and that model."""
    first = drafts[0].tree
    common = _common(drafts)
    columns = _columns(drafts, common)
    if not columns or len(columns) > _WIDEST:
        return None
    names = _names(columns)
    if names is None:
        return None
    outside = {each.token: each for draft in drafts for each in draft.outside}
    tables = [first.args["from_"].this, *(join.this for join in first.args["joins"])]
    words = [snake(table.name[5:-5].partition("__")[2] or table.name[5:-5]) for table in tables]
    name = free("int_" + "_".join(dict.fromkeys(words[:3])), taken)
    items = [_item(column, names[column]) for column in columns]
    tree = exp.Select(expressions=items, from_=copied(first.args["from_"]),
                      joins=[*map(copied, first.args["joins"])])  # fmt: skip
    if common:
        tree.set("where", exp.Where(this=exp.and_(*map(copied, common), copy=False)))
    alias = tables[0].alias
    new = tuple(
        redrafted(draft, _over(draft.tree, f"ref__{name}__ref", alias, names, common), outside)
        for draft in drafts
    )
    return Shared(new, (redrafted(Draft(name, tree, (), ()), tree, outside),))


def _common(drafts: Sequence[Draft]) -> list[exp.Expr]:
    """The conditions that all have, in the order of the first one."""
    sets = [_conditions(draft.tree) for draft in drafts]
    return [each for each in sets[0] if all(each in other for other in sets[1:])]


def _conditions(tree: exp.Query) -> list[exp.Expr]:
    assert isinstance(tree, exp.Select)
    return conjuncts_of(tree)


def _columns(drafts: Sequence[Draft], common: Sequence[exp.Expr]) -> list[_Column]:
    """The columns that reports say beside the joins and the common conditions, those of each table
    together, in the order in which they are said."""
    found: dict[_Column, None] = {}
    tables: dict[str, None] = {}
    first = drafts[0].tree
    for table in (first.args["from_"].this, *(join.this for join in first.args["joins"])):
        tables[table.alias] = None
    for draft in drafts:
        for part in _own(draft.tree, common):
            for column in part.find_all(exp.Column):
                found[_key(column)] = None
    order = {table: at for at, table in enumerate(tables)}
    return sorted(found, key=lambda column: order[column.table])


def _own(tree: exp.Query, common: Sequence[exp.Expr]) -> list[exp.Expr]:
    """What a report says for itself."""
    said = [each for each in _conditions(tree) if each not in common]
    clauses = (tree.args.get(key) for key in ("group", "having", "order", "qualify", "distinct"))
    return [*tree.expressions, *said, *(each for each in clauses if isinstance(each, exp.Expr))]


def _key(column: exp.Column) -> _Column:
    return _Column(column.table, column.name, bool(column.this.args.get("quoted")))


def _names(columns: Sequence[_Column]) -> Mapping[_Column, str] | None:
    """What the model calls each: as its table does, with that one's alias where several do."""
    times = Counter(column.name.lower() for column in columns)
    names = {c: c.name if times[c.name.lower()] == 1 else f"{c.table}_{c.name}" for c in columns}
    return names if len({name.lower() for name in names.values()}) == len(columns) else None


def _item(column: _Column, name: str) -> exp.Expr:
    own = exp.column(exp.Identifier(this=column.name, quoted=column.quoted), table=column.table)
    return own if name == column.name else exp.alias_(own, name)


def _over(
    tree: exp.Query,
    token: str,
    alias: str,
    names: Mapping[_Column, str],
    common: Sequence[exp.Expr],
) -> exp.Select:
    """A report over the model."""
    new = copied(tree)
    assert isinstance(new, exp.Select)
    said = [each for each in _conditions(new) if each not in common]
    new.set("where", exp.Where(this=exp.and_(*said, copy=False)) if said else None)
    called = exp.TableAlias(this=exp.to_identifier(alias))
    table = exp.Table(this=exp.to_identifier(token), alias=called)
    new.set("from_", exp.From(this=table))
    new.set("joins", None)
    for column in [*new.find_all(exp.Column)]:
        key = _key(column)
        name, shown = names[key], column.parent is new and column.arg_key == "expressions"
        column.set("table", exp.to_identifier(alias))
        column.set("this", exp.Identifier(this=name, quoted=key.quoted))
        if shown and name != key.name:
            column.replace(exp.alias_(column.copy(), key.name, quoted=key.quoted))
    return new
