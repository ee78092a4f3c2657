"""A model that aggregates by the keys of several reports, each of which is rolled up from it.

    SELECT month, SUM(x) FROM r GROUP BY month        SELECT month, SUM(s) FROM f GROUP BY month
    SELECT country, SUM(x) FROM r GROUP BY country    SELECT country, SUM(s) FROM f GROUP BY country
                                                =     where f is SELECT month, country, SUM(x) AS s
                                                      FROM r GROUP BY month, country

where r is the same joins and conditions in all of them, and no report has the finer grain itself.
It has the keys of all and their sums, counts, least and greatest values; what can be summed up, and
of which types, is proved of each block by `rolled_up.py`, and a report of which it cannot be keeps
its own joins. COUNT(DISTINCT) and floats never are. A condition that only some reports have has to
be on keys: an amount does not become a key for it. It has to save lines, counted as those of a
project with the macros that it would have instead, and it has few keys: each makes it larger.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.grained import Grained, grouped_by
from unwet.rewrite.limits import Owners
from unwet.rewrite.naming import free, snake
from unwet.rewrite.rolled_up import RollingUp
from unwet.rewrite.sharing import Shared, redrafted

_MOST_KEYS = 4
_MOST_COLUMNS = 30
_WORDS = {exp.Sum: "sum", exp.Count: "count", exp.Min: "min", exp.Max: "max"}
Size = Callable[[Shared], int]


def with_finer_grains(
    shared: Shared, rolling: RollingUp, taken: AbstractSet[str], size: Size, least: int
) -> Shared:
    """What reports share, and models of a finer grain if each saves so many lines at ``least``;
    ``taken``: names that no model may have; ``size``: the lines of a project of these."""
    found = rolling.grains(shared)
    kinds = Counter(each.kind for grains in found.values() for each in grains)
    drafts = {draft.name: draft for draft in shared.drafts}
    for _, grains in sorted(found.items()):
        mine = [each for each in grains if each.host in drafts.keys() - rolling.own]
        for readers in _together(mine, kinds) if len(mine) > 1 else ():
            some = [drafts[name] for name in dict.fromkeys(each.host for each in readers)]
            names = {*taken, *drafts, *(each.name for each in shared.intermediates)}
            made = _with_finer(some, readers, shared.intermediates, rolling, names)
            if (
                made is not None
                and not _is_refused(made, rolling)
                and size(made) + least <= size(Shared(tuple(some), ()))
            ):
                drafts |= {draft.name: draft for draft in made.drafts}
                new = tuple(drafts[draft.name] for draft in shared.drafts)
                shared = Shared(new, (*shared.intermediates, *made.intermediates))
                [model] = made.intermediates
                rolling.owners.note(model.name, _readers(made))
                break
    return shared


def _is_refused(made: Shared, rolling: RollingUp) -> bool:
    """Whether nobody wants the model, or some of the reports have to share nothing."""
    [model] = made.intermediates
    hosts, owners = _readers(made), rolling.owners
    label = re.sub(r"_\d+$", "", model.name)
    forbidden = {model.name, label} & owners.limits.forbidden
    if forbidden:
        owners.refused.update(dict.fromkeys(forbidden, model.tree))
    return bool(forbidden) or len(owners.parted(hosts, str)) > 1


def _readers(made: Shared) -> list[str]:
    [model] = made.intermediates
    return [draft.name for draft in made.drafts if model.name in draft.refs]


def _together(grains: Sequence[Grained], kinds: Mapping[str, int]) -> Iterator[list[Grained]]:
    """Blocks of several reports by different keys, which have all conditions that the most have;
    then those that have what all have. Those of a kind that others are of, too, which a macro says
    with them, are left to it."""
    times = Counter(frozenset(each.conditions) for each in grains)
    usual = max(times, key=lambda said: (times[said], -len(said)))
    every = frozenset(grains[0].conditions).intersection(*(g.conditions for g in grains))
    for common in dict.fromkeys((usual, every)):
        some = [each for each in grains if common <= each.conditions.keys()]
        while True:
            keys = frozenset[exp.Expr]().union(*(each.keys for each in some))
            own = Counter(each.kind for each in some)
            whole = (each for each in some if own[each.kind] == kinds[each.kind])
            fits = [each for each in whole if _fits(each, keys, common)]
            if len(fits) == len(some):
                break
            some = fits
        few = 2 <= len(keys) <= _MOST_KEYS and all(each.keys < keys for each in some)
        if few and all(key.find(exp.Column) for key in keys) and len({e.host for e in some}) > 1:
            yield some


def _fits(grain: Grained, keys: AbstractSet[exp.Expr], common: AbstractSet[exp.Expr]) -> bool:
    """Whether what only it asks of its rows is asked of keys."""
    own = (said for said in grain.conditions if said not in common)
    return all(_is_of(said, keys) for said in own) and bool(_aggregates(grain))


def _is_of(said: exp.Expr, keys: AbstractSet[exp.Expr]) -> bool:
    if said in keys:
        return True
    if isinstance(said, exp.Column):
        return False
    return all(_is_of(each, keys) for each in said.iter_expressions())


def _with_finer(
    drafts: Sequence[Draft],
    readers: Sequence[Grained],
    known: Sequence[Draft],
    rolling: RollingUp,
    taken: AbstractSet[str],
) -> Shared | None:
    """The reports over the model of some of their blocks, which has what is read of it only."""
    outside = {o.token: o for draft in drafts for o in draft.outside}
    read = [each for each in known if any(each.name in draft.refs for draft in drafts)]
    while len({each.host for each in readers}) > 1:
        finer = _Finer(readers).draft(taken)
        if finer is None:
            return None
        model = redrafted(finer, finer.tree, outside)
        own = rolling.own | {each.name for each in read}
        trial = replace(rolling, own=own, owners=Owners(rolling.owners.limits))
        made = trial.rolled(Shared(tuple(drafts), (*read, model)))
        served = {draft.name for draft in made.drafts if finer.name in draft.refs}
        left = [each for each in readers if each.host in served]
        if len(left) == len(readers):
            return Shared(made.drafts, made.intermediates[-1:])
        readers = left
    return None


def _aggregates(grain: Grained) -> dict[exp.Expr, exp.Expr]:
    """What a block aggregates, in words, and as it is written; none where one of them cannot be
    summed up. An average is a sum and a count."""
    found: dict[exp.Expr, exp.Expr] = {}
    clauses = [(each, "select") for each in grain.node.expressions]
    clauses += [(each, key) for key in ("having", "qualify", "order")
                if isinstance(each := grain.node.args.get(key), exp.Expr)]  # fmt: skip
    for clause, key in clauses:
        for expr in _summed(clause):
            said = grain.words.of(expr, key)
            if said is None or said.find(exp.Distinct):
                return {}
            for one, other in zip(_sums(said), _sums(expr), strict=True):
                found.setdefault(one, other)
    return found


def _summed(node: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates in an expression; the function of a window is none."""
    if isinstance(node, exp.AggFunc | exp.Filter) and not isinstance(node.parent, exp.Window):
        yield node
        return
    for each in node.iter_expressions():
        yield from _summed(each)


def _sums(expr: exp.Expr) -> list[exp.Expr]:
    if isinstance(expr, exp.Avg):
        return [exp.Sum(this=copied(expr.this)), exp.Count(this=copied(expr.this))]
    return [expr]


@dataclass
class _Finer:
    """The model for some blocks, in the words of the first one."""

    readers: Sequence[Grained]
    columns: dict[exp.Expr, tuple[str, exp.Expr]] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def draft(self, taken: AbstractSet[str]) -> Draft | None:
        """None where it would be too wide, or a name is nobody's."""
        base = self.readers[0]
        aliases = {word: i.alias for i in base.block.inputs for word in [base.words.inputs[id(i)]]}
        if not all(item.named and item.query is None for item in base.block.inputs):
            return None
        for grain in self.readers:
            for said, expr in _keys(grain):
                self._add(said, expr, grain, aliases, _label(said, grain))
        keys = len(self.columns)
        for grain in self.readers:
            for said, expr in _aggregates(grain).items():
                self._add(said, expr, grain, aliases, _label(said, grain))
        if not keys or not keys < len(self.columns) <= _MOST_COLUMNS:
            return None
        tree = self._tree(base, keys)
        words = [snake(_word(item.node.name)) for item in base.block.inputs]
        by = [name for name, _ in [*self.columns.values()][:keys]]
        label = "int_" + "_".join(dict.fromkeys(words[:2])) + "_by_" + "_".join(map(snake, by))
        return Draft(free(label, taken), tree, (), ())

    def _tree(self, base: Grained, keys: int) -> exp.Select:
        items = [*self.columns.values()]
        common = [expr for said, expr in base.conditions.items()
                  if all(said in each.conditions for each in self.readers)]  # fmt: skip
        on = {id(test) for join in base.node.args.get("joins") or [] for test in join.walk()}
        where = [copied(each) for each in common if id(each) not in on]
        made = exp.Select(
            expressions=[_called(expr, name) for name, expr in items],
            from_=copied(base.node.args["from_"]),
            joins=[*map(copied, base.node.args.get("joins") or [])],
            group=exp.Group(expressions=[copied(expr) for _, expr in items[:keys]]),
        )
        if where:
            made.set("where", exp.Where(this=exp.and_(*where, copy=False)))
        return made

    def _add(
        self,
        said: exp.Expr,
        expr: exp.Expr,
        grain: Grained,
        aliases: Mapping[str, str],
        label: str,
    ) -> None:
        if said in self.columns:
            return
        name = free(snake(label), self.taken, frozenset())
        self.taken.add(name)
        self.columns[said] = name, _in_words_of(expr, grain, aliases)


def _in_words_of(expr: exp.Expr, grain: Grained, aliases: Mapping[str, str]) -> exp.Expr:
    """An expression of a block with the aliases of another one for the same relations."""
    copy = exp.paren(copied(expr.unnest()), copy=False)
    pairs = zip(expr.unnest().find_all(exp.Column), [*copy.find_all(exp.Column)], strict=True)
    for old, new in pairs:
        item = grain.words.ref(old, "select").input
        if item is not None:
            new.set("table", exp.to_identifier(aliases[grain.words.inputs[id(item)]]))
    made: exp.Expr = copy.this
    return made.pop() if made.parent is not None else made


def _called(expr: exp.Expr, name: str) -> exp.Expr:
    if isinstance(expr, exp.Column) and expr.name == name:
        return copied(expr)
    return exp.alias_(copied(expr), name)


def _keys(grain: Grained) -> Iterator[tuple[exp.Expr, exp.Expr]]:
    """What a block groups by, as outputs say it where they call it by their name."""
    shown = {}
    for output in grain.block.outputs:
        said = grain.words.of(output.expression) if output.expression is not None else None
        if said is not None and output.expression is not None:
            shown[said] = output.expression
    group = grain.node.args.get("group")
    for each in group.expressions if group is not None else ():
        expr = grouped_by(each, grain.node)
        said = grain.words.of(expr, "group")
        if said is not None:
            yield said, shown.get(said, expr)


def _label(said: exp.Expr, grain: Grained) -> str:
    """What its author calls it; else the column that it is made of."""
    for output in grain.block.outputs:
        of = grain.words.of(output.expression) if output.expression is not None else None
        if of == said and output.name:
            return output.name
    column = said.find(exp.Column)
    name = column.name if column is not None else "rows"
    word = next((word for kind, word in _WORDS.items() if isinstance(said, kind)), "")
    return f"{word}_{name}" if word else name


def _word(token: str) -> str:
    return token[5:-5].partition("__")[2] or token[5:-5]
