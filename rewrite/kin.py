"""Reports that are put together alike and keep other rows or columns, said in one author's words.

Copies are edited: one has another filter, one leaves columns out, a third has other constants.
Where two reports have one skeleton, the less common wording is replaced by the more common one,
with the report's own conditions put where the other's stood, and only its own columns taken. So
one template can serve both, with a hole for conditions. Whether the meaning was kept is not
guessed: the normal forms have to be the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.trees import copied
from unwet.rewrite.algebra import (
    Expr,
    Join,
    Lit,
    Rel,
    parts,
    walk,
)
from unwet.rewrite.compose import Draft
from unwet.rewrite.conjuncts import (
    Path,
    Words,
    all_of,
    conjuncts_of,
    edited,
    paths,
    plainly,
    selects_of,
    values_apart,
    with_values,
    words_of,
)
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.fingerprint import matching_literals, recurring
from unwet.rewrite.grounded import Ground, in_order
from unwet.rewrite.kin_groups import kin_groups
from unwet.rewrite.library import EVERY
from unwet.rewrite.moving import Computed, moved
from unwet.rewrite.naming import snake
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.reads import blocks
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.rereading import Reader, Rows
from unwet.rewrite.restated import Said, differing, placements, with_items
from unwet.rewrite.rules.order import masked_digest
from unwet.rewrite.shapes import CONDITION, HOLE, say_conditions
from unwet.rewrite.sizes import tree_nodes

_VAIN = 3  # wordings of a group that are tried without success
_HOLES = 2  # items of a report that may be other ones in the next copy
_PLACES = 3  # blocks that a condition is tried in
_OTHER = 12  # conditions in which two reports that are put together alike may differ
_TRIED = 12  # conjuncts that are taken out to see which conditions they are; of a large report
_ROUGHLY = 32  # nodes; a condition more or less makes no difference
_READ = 8_000  # fewer: as many as make so many nodes to be read


def kindred(
    drafts: Sequence[Draft],
    normal: Mapping[str, Rel],
    tables: Mapping[str, Table],
    dialect: str,
    pinned: frozenset[str],
    normalizer: Normalizer,
    remembered: Remembered | None = None,
    over: Over = never,
) -> tuple[Draft, ...]:
    """The drafts, reworded where that makes them alike. ``normal`` has the normal form of each
    draft that is understood; ``tables`` says what is behind each token in the trees; ``remembered``
    what came of groups in rounds before; ``over``: whether the time
    is over, and the rest stays as it is."""
    memory = remembered or Remembered()
    reader = Reader(Catalog(dict(tables)), dialect, normalizer)
    changed: dict[str, Draft] = {}
    for group in kin_groups(drafts, normal, pinned):
        if not over():
            made = memory.of("kin", group, partial(_alike, group, reader, over))
            changed.update({draft.name: draft for draft in made})
    return tuple(changed.get(draft.name, draft) for draft in drafts)


def _alike(group: Sequence[Draft], reader: Reader, over: Over) -> list[Draft]:
    """The drafts of one skeleton that get another one's words."""
    ground = Ground()
    every = [_Member(draft, reader, ground) for draft in group]
    riders, members = _riders(every)
    members = [member for member in members if member.meaning is not None]
    found: dict[str, Draft] = {}
    vain = 0
    while len(members) > 1 and vain < _VAIN and not over():
        done, members = _gathered(members, over)
        found.update({draft.name: draft for draft in done})
        vain += not done
    for leader, rider, values in riders:
        if (made := found.get(leader.draft.name)) is not None:
            if not _stand_alike(values, leader.draft.tree, made.tree):
                continue
            tree = with_values(made.tree, values)
            say_conditions(tree, reader.dialect)
            found[rider.draft.name] = replace(rider.draft, tree=tree, outside=made.outside,
                                              refs=made.refs)  # fmt: skip
    return list(found.values())


def _stand_alike(values: Mapping[Lit, Lit], old: exp.Query, new: exp.Query) -> bool:
    """Whether these constants stand in as many places of a new tree as in the old one: others
    that read the same would become other ones, too."""
    counts = [Counter(node.name for node in t.find_all(exp.Literal)) for t in (old, new)]
    return all(counts[0][each.text] == counts[1][each.text] for each in values)


def _riders(
    every: Sequence[_Member],
) -> tuple[list[tuple[_Member, _Member, Mapping[Lit, Lit]]], list[_Member]]:
    """Members that say what another one says but for constants, with that one and their constants
    for its own; and the others. Nobody has to find out what the former mean."""
    riders: list[tuple[_Member, _Member, Mapping[Lit, Lit]]] = []
    leaders: dict[bytes, list[_Member]] = defaultdict(list)
    for member in every:
        for leader in leaders[member.shape]:
            values = values_apart(leader.words, member.words)
            if values is not None:
                leader.weight += 1
                riders.append((leader, member, values))
                break
        else:
            leaders[member.shape].append(member)
    return riders, [member for same in leaders.values() for member in same]


@dataclass
class _Member:
    """A draft, and what is found out about it when somebody asks."""

    draft: Draft
    reader: Reader
    ground: Ground
    weight: int = 1  # of how many drafts these are the words
    dues: dict[Path, frozenset[Expr]] = field(default_factory=dict)
    computed: Computed = field(default_factory=Computed)  # in its blocks

    @cached_property
    def meaning(self) -> Rows | None:
        return self.reader.rows(self.draft.tree)

    @cached_property
    def words(self) -> Words:
        return words_of(self.draft.tree)

    @property
    def shape(self) -> bytes:
        return self.words.shape.digest

    @cached_property
    def size(self) -> int:
        return tree_nodes(self.draft.tree)

    @cached_property
    def outer(self) -> tuple[bool, int]:
        """Whether another query than the outer one does the work, and how much that says itself,
        roughly."""
        stack, nodes = [self.draft.tree], list[exp.Expr]()
        while stack:
            nodes.append(node := stack.pop())
            stack += [child for child in node.iter_expressions() if child.arg_key != "with_"
                      and not isinstance(child, exp.Query)]  # fmt: skip
        counts = any(isinstance(node, exp.Group | exp.AggFunc) for node in nodes)
        return not counts, len(nodes) // _ROUGHLY

    @cached_property
    def conditions(self) -> frozenset[Expr]:
        assert self.meaning is not None
        return self.ground.conditions(self.meaning.rel)

    @cached_property
    def columns(self) -> tuple[Expr, ...]:
        """What the outputs are made of, in base columns."""
        assert self.meaning is not None
        return tuple(map(in_order, self.ground.columns(self.meaning.rel)))

    @cached_property
    def made(self) -> Mapping[str, bytes]:
        """What each output is made of, whatever its constants."""
        assert self.meaning is not None
        terms = map(masked_digest, self.columns)
        return dict(zip(self.meaning.names, terms, strict=False))

    @cached_property
    def selects(self) -> list[exp.Select]:
        return selects_of(self.draft.tree)

    @cached_property
    def blocks(self) -> Mapping[int, Query]:
        query = self.reader.query(self.draft.tree)
        return {id(b.node): b for b in blocks(query)} if query is not None else {}

    def sites(self, wanted: frozenset[Expr]) -> dict[Path, frozenset[Expr]]:
        """The conjuncts of WHEREs that these conditions come from; as many as are needed, those
        first that have their constants."""
        found: dict[Path, frozenset[Expr]] = {}
        left = set(wanted)
        constants = {p.text for term in wanted for p in parts(term) if isinstance(p, Lit)}
        likely = sorted(paths(self.draft.tree), key=lambda p: not self._has(p, constants))
        for path in likely[: min(_TRIED, _READ // self.size)]:
            if not left:
                break
            if due := self._due(path) & wanted:
                found[path] = due
                left -= due
        return dict(sorted(found.items()))

    def _has(self, path: Path, constants: AbstractSet[str]) -> bool:
        test = conjuncts_of(self.selects[path[0]])[path[1]]
        return any(literal.name in constants for literal in test.find_all(exp.Literal))

    def _due(self, path: Path) -> frozenset[Expr]:
        """The conditions that go when a conjunct does."""
        if path not in self.dues:
            found = self.reader.rows(edited(self.draft.tree, {path: None}, {}))
            left = self.ground.conditions(found.rel) if found is not None else None
            self.dues[path] = self.conditions - left if left is not None else frozenset()
        return self.dues[path]


# --- one group ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reworded:
    """A member as the model with other conditions: the model's conjuncts at ``drop`` go, ``added``
    come to the WHERE of a block; `values` are its own literals for the model's, `items` its own
    expressions for those of select items."""

    member: _Member
    drop: frozenset[Path] = frozenset()
    added: Mapping[int, tuple[exp.Expr, ...]] = field(default_factory=dict)
    values: Mapping[Lit, Lit] = field(default_factory=dict)
    items: Mapping[Path, exp.Expr] = field(default_factory=dict)


def _gathered(members: list[_Member], over: Over) -> tuple[list[Draft], list[_Member]]:
    """The drafts that one wording serves, and the members that it does not serve."""
    model = _model(members)
    others = [m for m in members if m is not model]
    found = [r for m in others if not over() and (r := _reworded(model, m)) is not None]
    found = _few(found, model)
    served = {id(r.member) for r in found}
    left = [m for m in others if id(m) not in served]
    return _written(model, [_Reworded(model), *found]) if found else [], left


def _few(found: Sequence[_Reworded], model: _Member) -> list[_Reworded]:
    """Without those that make columns otherwise, unless more members make them as the model does;
    and not with more holes for items than a macro should have."""
    counts = Counter[Path]()
    for each in found:
        counts.update(dict.fromkeys(each.items, each.member.weight))
    every = model.weight + sum(each.member.weight for each in found)
    holes = {path for path, times in counts.items() if path[0] or 2 * times < every}
    outer = sorted(path for path in holes if not path[0])
    holes.difference_update(sorted(outer, key=lambda path: -counts[path])[_HOLES:])
    return [each for each in found if holes.issuperset(each.items)]


def _written(model: _Member, all_of: Sequence[_Reworded]) -> list[Draft]:
    """The drafts of all members with holes where conditions vary."""
    varying = frozenset().union(*(each.drop for each in all_of))
    items = frozenset(path for each in all_of for path in each.items)
    places = {at for each in all_of for at in each.added} | {at for at, _ in varying}
    done: list[Draft] = []
    for each in all_of:
        kept: dict[int, list[exp.Expr]] = {at: [] for at in sorted(places)}
        for at, number in sorted(varying - each.drop):
            kept[at].append(conjuncts_of(model.selects[at])[number])
        for at, tests in each.added.items():
            kept[at].extend(tests)
        tree, own = _holed(model, each, varying, items, kept), each.member.draft
        done.append(replace(own, tree=tree, outside=model.draft.outside, refs=model.draft.refs))
    return done


def _holed(
    model: _Member,
    each: _Reworded,
    varying: frozenset[Path],
    items: frozenset[Path],
    kept: Mapping[int, Sequence[exp.Expr]],
) -> exp.Query:
    """The member's tree, its conditions and items in holes. It means what the attempt meant: the
    conjuncts of one WHERE have another order."""
    tree = edited(model.draft.tree, dict.fromkeys(varying), {})
    tree = with_items(tree, each.items)
    selects = selects_of(tree)
    for at, number in items:
        item = selects[at].expressions[number]
        item.unalias().meta.update({CONDITION: "", HOLE: snake(item.alias_or_name) or CONDITION})
    for at, tests in kept.items():
        hole = all_of(plainly(map(copied, tests), model.reader.dialect)) if tests else exp.true()
        hole.meta[CONDITION] = ""
        fixed = conjuncts_of(selects[at])
        selects[at].set("where", exp.Where(this=all_of([*fixed, hole])))
    tree = with_values(_with_columns(tree, model, each.member), each.values)
    say_conditions(tree, model.reader.dialect)
    return tree


def _adapted(tree: exp.Query, member: _Member) -> Mapping[Lit, Lit] | None:
    """The literals that make the tree mean what the member means; None where none do."""
    wanted, made = member.meaning, member.reader.rows(tree)
    if wanted is None or made is None or made.names != wanted.names:
        return None
    if wanted.same(made):
        return {}
    if recurring(made.rel) != recurring(wanted.rel):
        return None
    values = matching_literals(made.rel, wanted.rel)
    if not values:
        return None
    return values if wanted.same(member.reader.rows(with_values(tree, values))) else None


def _model(members: Sequence[_Member]) -> _Member:
    """Whose words are taken: who has most columns, then who says least outside of queries with a
    name, which others may have, too; then the most common wording."""
    counts = Counter[bytes]()
    for each in members:
        counts[each.shape] += each.weight

    def key(member: _Member) -> tuple[int, tuple[bool, int], int, str]:
        assert member.meaning is not None
        columns, uses = len(member.meaning.names), counts[member.shape]
        return -columns, member.outer, -uses, member.draft.name

    return min(members, key=key)


def _reworded(model: _Member, member: _Member) -> _Reworded | None:
    """The member in the model's words, if a way is found that keeps its meaning."""
    assert model.meaning is not None and member.meaning is not None
    if not set(member.meaning.names) <= set(model.meaning.names) or not _alike_made(model, member):
        return None
    for attempt in _attempts(model, member):
        if (found := _tried(attempt, model)) is not None:
            return found
    for items in _items(model, member):
        if _have_queries(model, items):
            continue
        for attempt in _attempts(model, member):
            found = _tried(replace(attempt, items=items), model)
            if found is not None:
                return _with_fewer_items(found, model)
    return None


def _have_queries(model: _Member, items: Mapping[Path, exp.Expr]) -> bool:
    """Whether an item that varies has a query in it: blocks go by their numbers, which a tree with
    one block more or less has otherwise."""
    own = (model.selects[at].expressions[number] for at, number in items)
    return any(each.find(exp.Query) is not None for each in (*own, *items.values()))


def _alike_made(model: _Member, member: _Member) -> bool:
    """Whether half of the member's columns are made of what the model makes them of."""
    mine, own = model.made, member.made
    return 2 * sum(mine[name] == made for name, made in own.items()) >= len(own)


def _tried(attempt: _Reworded, model: _Member) -> _Reworded | None:
    """The attempt with its literals, where it means what the member means."""
    tree = edited(model.draft.tree, dict.fromkeys(attempt.drop), attempt.added)
    tree = with_items(tree, attempt.items)
    values = _adapted(_with_columns(tree, model, attempt.member), attempt.member)
    return replace(attempt, values=values) if values is not None else None


def _with_fewer_items(found: _Reworded, model: _Member) -> _Reworded:
    """Without those items that are only said otherwise."""
    for path in list(found.items) if len(found.items) > 1 else ():
        left = {each: new for each, new in found.items.items() if each != path}
        found = _tried(replace(found, items=left, values={}), model) or found
    return found


def _items(model: _Member, member: _Member) -> Iterator[Mapping[Path, exp.Expr]]:
    """The member's expressions for the items of the model that make other columns: ways to put
    them into its blocks."""
    assert model.meaning is not None and member.meaning is not None
    ours, theirs = (m.reader.query(m.draft.tree) for m in (model, member))
    if ours is None or theirs is None:
        return
    mine = dict(zip(model.meaning.names, model.columns, strict=False))
    own = dict(zip(member.meaning.names, member.columns, strict=False))
    names = [name for name, made in own.items() if mine[name] != made]
    yield from placements(differing(ours, theirs, names), model.draft.tree, moved)


def _attempts(model: _Member, member: _Member) -> Iterator[_Reworded]:
    """With the conditions that only the member has in place of those that only the model has:
    first as if those that differ in constants were the same, then all of them."""
    ours, theirs = member.conditions, model.conditions
    ways = (_unpaired(ours, theirs), (ours - theirs, theirs - ours))
    found: list[_Reworded] = []
    for way in dict.fromkeys(ways):
        for each in _with_conditions(model, member, *way):
            found.append(each)
            yield each
    if _left_joins(member) < _left_joins(model):
        for attempt in found:
            for at, test in _matches(model):
                yield replace(attempt, added={**attempt.added,
                                              at: (*attempt.added.get(at, ()), test)})  # fmt: skip


def _with_conditions(
    model: _Member, member: _Member, missing: frozenset[Expr], extra: frozenset[Expr]
) -> Iterator[_Reworded]:
    if len(missing) + len(extra) > _OTHER:
        return
    drop, add = model.sites(extra), member.sites(missing)
    if not drop and not add:
        yield _Reworded(member)
        return
    order = dict.fromkeys((0, *(at for at, _ in drop), *range(len(model.selects))))
    places = [_places(member, path, model, order) for path in add]
    if len(add) == len(drop) == 1:
        places = [_instead_first(places[0], next(iter(drop)), model)]
    if all(places):
        for turn in range(min(_PLACES, max(map(len, places), default=1))):
            added: dict[int, tuple[exp.Expr, ...]] = {}
            for each in places:
                at, test = each[min(turn, len(each) - 1)]
                added[at] = (*added.get(at, ()), test)
            yield _Reworded(member, frozenset(drop), added)


def _left_joins(member: _Member) -> int:
    assert member.meaning is not None
    return sum(isinstance(node, Join) and node.kind == "left" for node in walk(member.meaning.rel))


def _matches(model: _Member) -> Iterator[tuple[int, exp.Expr]]:
    """For each LEFT JOIN of the outer query, the condition that there is a match: with it the
    join is an inner one."""
    for join in model.selects[0].args.get("joins") or ():
        on = join.args.get("on")
        if join.side.upper() != "LEFT" or on is None:
            continue
        for test in on.flatten() if isinstance(on, exp.And) else [on]:
            sides = [test.this, test.expression] if isinstance(test, exp.EQ) else []
            for side in sides:
                if isinstance(side, exp.Column) and side.table == join.alias_or_name:
                    null = exp.Is(this=copied(side), expression=exp.Null())
                    yield 0, exp.Not(this=null)
                    break
            else:
                continue
            break


def _places(
    member: _Member, path: Path, model: _Member, order: Iterable[int]
) -> list[tuple[int, exp.Expr]]:
    """The blocks of the model that have the columns of a condition, and how it reads there."""
    own = member.blocks.get(id(member.selects[path[0]]))
    if own is None:
        return []
    said = Said(conjuncts_of(member.selects[path[0]])[path[1]], own)
    blocks_of = ((at, model.blocks.get(id(model.selects[at]))) for at in order)
    found = (
        (at, moved(said, block, model.computed)) for at, block in blocks_of if block is not None
    )
    return [(at, test) for at, test in found if test is not None]


def _instead_first(
    places: Iterable[tuple[int, exp.Expr]], gone: Path, model: _Member
) -> list[tuple[int, exp.Expr]]:
    """The places in their order, but first where the one condition goes that the model has instead,
    if it is on the same columns: ``>= 0`` stands where ``> 0`` stood."""
    columns = _columns_in(conjuncts_of(model.selects[gone[0]])[gone[1]])
    return sorted(places, key=lambda e: (e[0], _columns_in(e[1])) != (gone[0], columns))


def _columns_in(test: exp.Expr) -> set[str]:
    return {column.name.lower() for column in test.find_all(exp.Column)}


def _unpaired(
    ours: frozenset[Expr], theirs: frozenset[Expr]
) -> tuple[frozenset[Expr], frozenset[Expr]]:
    """The conditions that each has alone. Those that differ in literals only are no others."""
    mine, others = _masked(ours - theirs), _masked(theirs - ours)
    left: list[Expr] = []
    right: list[Expr] = []
    for mask in dict.fromkeys((*mine, *others)):
        some, more = mine.get(mask, []), others.get(mask, [])
        left += some[len(more) :]
        right += more[len(some) :]
    return frozenset(left), frozenset(right)


def _masked(terms: Iterable[Expr]) -> dict[bytes, list[Expr]]:
    found: dict[bytes, list[Expr]] = defaultdict(list)
    for term in sorted(terms, key=lambda each: each.digest):
        found[masked_digest(term)].append(term)
    return found


def _with_columns(tree: exp.Query, model: _Member, member: _Member) -> exp.Query:
    """Only the columns of the member, in its order."""
    assert model.meaning is not None and member.meaning is not None
    if model.meaning.names == member.meaning.names:
        return tree
    names = member.draft.tree.named_selects
    inner = exp.Subquery(this=copied(tree), alias=exp.TableAlias(this=exp.to_identifier(EVERY)))
    return exp.Select(expressions=[exp.column(name) for name in names], from_=exp.From(this=inner))
