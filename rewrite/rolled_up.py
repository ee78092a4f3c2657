"""Reports that aggregate more are rolled up from one that aggregates the same rows by more keys.

    SELECT month, SUM(amount) FROM orders JOIN ... WHERE ... GROUP BY month

reads the report of amounts by month and country, where an author has one over the same joins and
conditions: its own joins and conditions go. What can be summed up is in `promised_rollup.py` of the
rules; each block that is written so is proved to return the rows that it returned, or it stays. A
condition over keys of the finer report is one of the new query.

It has to save lines. A query that is one of several alike, which a macro may say once, is rolled up
with all of them or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unwet.lineage.declared import Types, output_types
from unwet.lineage.resolve import Query
from unwet.lineage.tables import Catalog, Table
from unwet.lineage.trees import copied, stands_in
from unwet.rewrite.algebra import Opaque, Plan
from unwet.rewrite.compose import Draft
from unwet.rewrite.exact_numbers import Exact, ExactNumbers
from unwet.rewrite.grained import OF_QUERY, Grained, grained
from unwet.rewrite.limits import Owners
from unwet.rewrite.lower import Env, Lowerer, lower, trim
from unwet.rewrite.normal import Normalizer, same_by_promises
from unwet.rewrite.reads import blocks
from unwet.rewrite.referring import without_unread_ctes
from unwet.rewrite.rereading import resolved
from unwet.rewrite.rules.promised_rollup import AVERAGED
from unwet.rewrite.rules.promises import Promise, Promises
from unwet.rewrite.scalars import Unsupported
from unwet.rewrite.shapes import say_conditions
from unwet.rewrite.sharing import Shared, redrafted
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.stars import made_table

_CUT = ("having", "qualify", "limit", "offset", "fetch", "distinct")
_OF_ITSELF = (exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr)


@dataclass(frozen=True, slots=True, eq=False)
class RollingUp:
    """``tables``: what is behind the tokens in drafts; those that keep their ``own`` words stay."""

    tables: Mapping[str, Table]
    dialect: str
    own: AbstractSet[str]
    owners: Owners
    normalizer: Normalizer

    def rolled(self, shared: Shared) -> Shared:
        """The models with references to finer ones in place of what can be rolled up."""
        models = (*shared.intermediates, *shared.drafts)
        changed = self._shop(shared).run({draft.name for draft in models} - self.own)
        outside = {o.token: o for draft in models for o in draft.outside}

        def redone(draft: Draft) -> Draft:
            tree = changed.get(draft.name)
            return redrafted(draft, tree, outside) if tree is not None else draft

        return Shared(tuple(map(redone, shared.drafts)), tuple(map(redone, shared.intermediates)))

    def grains(self, shared: Shared) -> Mapping[tuple[str, ...], Sequence[Grained]]:
        """The blocks that aggregate, by the rows that they read."""
        return self._shop(shared).grains

    def _shop(self, shared: Shared) -> _Workshop:
        shop = _Workshop(self.dialect, dict(self.tables), self.owners, self.normalizer)
        for draft in shared.intermediates:
            shop.learn(draft)
        for draft in (*shared.intermediates, *shared.drafts):
            shop.read(draft)
        return shop


class _NotRolledUp(Exception):
    """Something in a block that the finer one does not tell."""


@dataclass(frozen=True, slots=True, eq=False)
class _Finer:
    """A model that others may be rolled up from: its name for each key and aggregate, in words, and
    of which type the numbers are that can be summed again."""

    grain: Grained
    plan: Plan
    keys: Mapping[exp.Expr, str]
    aggregates: Mapping[exp.Expr, str]
    kinds: Mapping[str, Exact | None]

    @property
    def token(self) -> str:
        """What stands for it in a tree."""
        return f"ref__{self.grain.host}__ref"


@dataclass(frozen=True, slots=True, eq=False)
class _RolledUp:
    """A block, and the query that it becomes."""

    grain: Grained
    finer: _Finer
    made: exp.Select


@dataclass
class _Workshop:
    dialect: str
    tables: dict[str, Table]
    owners: Owners
    normalizer: Normalizer
    trees: dict[str, exp.Query] = field(default_factory=dict)
    grains: dict[tuple[str, ...], list[Grained]] = field(default_factory=lambda: defaultdict(list))
    lowerers: dict[int, Lowerer] = field(default_factory=dict)  # of queries that aggregate
    understood: dict[int, bool] = field(default_factory=dict)  # whether they are
    catalog: Catalog = field(init=False)
    promises: Promises = field(init=False)

    def __post_init__(self) -> None:
        self.catalog = Catalog(self.tables)

    def learn(self, draft: Draft) -> None:
        """The columns of a model that nobody has declared."""
        query = resolved(draft.tree, self.catalog, self.dialect, draft.name)
        if query is not None and query.complete:
            token, names = f"ref__{draft.name}__ref", [o.name.lower() for o in query.outputs]
            self.tables[token] = made_table(token, names, output_types(query, Types()))
            self.catalog = Catalog(self.tables)

    def read(self, draft: Draft) -> None:
        """The blocks of a model that aggregate."""
        tree = copied(draft.tree)
        self.trees[draft.name] = tree
        query = resolved(tree, self.catalog, self.dialect, draft.name)
        if query is None:
            return
        lowerer = Lowerer(Env(self.catalog), query)
        for block in blocks(query):
            grain = grained(draft.name, query, block, lambda q: self._known(lowerer, q))
            if grain is not None:
                self.lowerers[id(query)] = lowerer
                self.grains[grain.rows].append(grain)

    def _known(self, lowerer: Lowerer, query: Query) -> str:
        """A word for the rows of what a block reads."""
        try:
            rel = self.normalizer.run(trim(lowerer.plan(query)))[0]
        except Unsupported:
            return ""
        return f"{OF_QUERY}{rel.digest.hex()}"

    def _plan(self, grain: Grained) -> Plan | None:
        """Of a block, if all of the query around it is understood: else that is compared as a
        text."""
        query, lowerer = grain.query, self.lowerers[id(grain.query)]
        if id(query) not in self.understood:
            whole = lower(query, Env(self.catalog), lowerer).rel
            self.understood[id(query)] = not isinstance(whole, Opaque)
        return lowerer.plan(grain.block) if self.understood[id(query)] else None

    def _finer(self, grain: Grained) -> _Finer | None:
        plan = self._plan(grain)
        if plan is None:
            return None
        keys: dict[exp.Expr, str] = {}
        aggregates: dict[exp.Expr, str] = {}
        for output in grain.block.outputs:
            said = grain.words.of(output.expression) if output.expression is not None else None
            if said is None or not output.name:
                continue
            if said in grain.keys:
                keys.setdefault(said, output.name)
            elif isinstance(_aggregate(said), exp.AggFunc):
                aggregates.setdefault(said, output.name)
        numbers = ExactNumbers(self.catalog.type_of, self.dialect)
        kinds = dict(zip(plan.names, numbers.outputs(plan.rel), strict=False))
        return _Finer(grain, plan, keys, aggregates, kinds)

    # --- which, and whether it pays

    def run(self, names: AbstractSet[str]) -> dict[str, exp.Query]:
        """The trees that have changed."""
        types = {
            token: Promise(types={c.name: c.type for c in table.columns if c.type})
            for token, table in self.tables.items()
        }
        self.promises = Promises(types, frozenset({self.dialect}))
        found = [r for grains in self.grains.values() for r in self._all_rolled(grains, names)]
        every = [grain for grains in self.grains.values() for grain in grains] if found else []
        kin, with_kin = _by_kind(every), _by_kind([each.grain for each in found])
        changed: dict[str, exp.Query] = {}
        for each in found:
            whole = self.trees[each.grain.host]
            has_all = kin[each.grain.kind] <= with_kin[each.grain.kind]
            if has_all and stands_in(each.grain.node, whole) and not self._reads(each):
                changed[each.grain.host] = self._put(each, whole)
        return changed

    def _all_rolled(
        self, grains: Sequence[Grained], names: AbstractSet[str]
    ) -> Iterator[_RolledUp]:
        """Blocks over the same rows that can be rolled up."""
        wholes = [g for g in grains if g.block is g.query and not any(map(g.node.args.get, _CUT))]
        pairs = [(g, f) for g in grains for f in wholes if g.host in names and self._fits(g, f)]
        known = {id(f): self._finer(f) for f in {id(f): f for _, f in pairs}.values()}
        for grain in {id(g): g for g, _ in pairs}.values():
            finer = [known[id(f)] for g, f in pairs if g is grain]
            rolled = self._rolled(grain, [f for f in finer if f is not None])
            if rolled is not None:
                yield rolled

    def _fits(self, grain: Grained, finer: Grained) -> bool:
        """Whether another block may be the finer one."""
        return (
            finer.host != grain.host
            and not finer.keys <= grain.keys
            and finer.conditions.keys() <= grain.conditions.keys()
            and len(self.owners.parted([finer, grain], _host)) == 1
        )

    def _rolled(self, grain: Grained, finer: Sequence[_Finer]) -> _RolledUp | None:
        """The block from the finer model with the fewest keys that it can be rolled up from."""
        for each in sorted(finer, key=lambda f: (len(f.grain.keys), f.grain.host)):
            try:
                made = _Rewriting(grain, each, self.dialect).select()
            except _NotRolledUp:
                continue
            least = self.owners.limits.sharing.min_saved
            saves = tree_lines(grain.node, self.dialect) - tree_lines(made, self.dialect)
            if saves >= least and self._proved(grain, each, made):
                return _RolledUp(grain, each, made)
        return None

    def _proved(self, grain: Grained, finer: _Finer, made: exp.Select) -> bool:
        """Whether the new query returns the block's rows."""
        query = resolved(made, self.catalog, self.dialect, grain.host)
        plan = self._plan(grain)
        env = Env(self.catalog, {finer.token: replace(finer.plan, order=())})
        try:
            new = Lowerer(env, query).plan(query) if query is not None else None
        except Unsupported:
            return False
        return plan is not None and new is not None and same_by_promises(plan, new, self.promises)

    def _reads(self, rolled: _RolledUp) -> bool:
        """Whether the finer model reads the one that would read it."""
        waiting, seen = [rolled.finer.grain.host], set[str]()
        while waiting:
            name = waiting.pop()
            if name == rolled.grain.host:
                return True
            seen.add(name)
            tables = {table.name for table in self.trees[name].find_all(exp.Table)}
            waiting += [n for n in self.trees if f"ref__{n}__ref" in tables and n not in seen]
        return False

    def _put(self, rolled: _RolledUp, whole: exp.Query) -> exp.Query:
        node = rolled.grain.node
        hosts = (rolled.finer.grain.host, rolled.grain.host)
        self.owners.note(rolled.finer.grain.host, hosts)
        if node is whole:
            self.trees[rolled.grain.host] = rolled.made
            return rolled.made
        node.replace(rolled.made)
        without_unread_ctes(whole)
        return whole


def _by_kind(grains: Sequence[Grained]) -> Mapping[str, set[int]]:
    """The blocks, by what one macro may say."""
    found: dict[str, set[int]] = defaultdict(set)
    for grain in grains:
        found[grain.kind].add(id(grain.node))
    return found


def _host(grain: Grained) -> str:
    return grain.host


def _aggregate(expr: exp.Expr) -> exp.Expr:
    """The function of an aggregate, which may have a FILTER."""
    return expr.this if isinstance(expr, exp.Filter) else expr


@dataclass(frozen=True, slots=True, eq=False)
class _Rewriting:
    """A block in the words of a finer model."""

    grain: Grained
    finer: _Finer
    dialect: str

    def select(self) -> exp.Select:
        """The query over the finer model. Raises _NotRolledUp."""
        node = self.grain.node
        table = exp.Table(this=exp.to_identifier(self.finer.token))
        table.set("alias", exp.TableAlias(this=exp.to_identifier(self.alias)))
        made = exp.Select(
            expressions=[self._item(item) for item in node.expressions],
            from_=exp.From(this=table),
        )
        own = self.grain.conditions
        tests = [own[said] for said in own if said not in self.finer.grain.conditions]
        if tests:
            made.set("where", exp.Where(this=exp.and_(*(self._over(t, "where") for t in tests))))
        for clause in ("group", "having", "qualify", "order"):
            said = node.args.get(clause)
            if said is not None:
                made.set(clause, self._over(said, clause))
        for clause in ("distinct", "limit", "offset", "fetch"):
            said = node.args.get(clause)
            if isinstance(said, exp.Expression):
                made.set(clause, said.copy())
        say_conditions(made, self.dialect)
        return made

    @property
    def alias(self) -> str:
        """What the author calls the first relation that the block reads."""
        first = self.grain.block.inputs[0]
        return first.alias if first.named else "finer"

    def _item(self, item: exp.Expr) -> exp.Expr:
        made, name = self._over(item.unalias(), "select"), item.alias_or_name
        if not name or item.is_star:
            raise _NotRolledUp
        if isinstance(made, exp.Column) and made.name == name:
            return made
        return exp.alias_(made, name)

    def _column(self, name: str) -> exp.Column:
        return exp.column(name, table=self.alias)

    def _over(self, expr: exp.Expr, clause: str) -> exp.Expr:
        if isinstance(expr, exp.Query | exp.Star):
            raise _NotRolledUp
        if isinstance(expr, exp.Column) and self.grain.words.ref(expr, clause).alias is not None:
            return expr.copy()  # an output of the block, which is called as before
        if isinstance(expr, exp.Condition) and not isinstance(expr, exp.Window | exp.Literal):
            said = self.grain.words.of(expr, clause)
            if said is not None and said in self.finer.keys:
                return self._column(self.finer.keys[said])
            if isinstance(_aggregate(expr), exp.AggFunc):
                return self._aggregated(expr, said, clause)
        if isinstance(expr, exp.Column):
            raise _NotRolledUp
        return self._with_parts(expr, clause)

    def _with_parts(self, expr: exp.Expr, clause: str) -> exp.Expr:
        """The same with all that stands in it over the finer model."""
        made = copied(expr)
        window = isinstance(expr, exp.Window)
        for key, value in expr.args.items():
            if isinstance(value, list):
                made.set(key, [self._part(each, clause) for each in value])
            elif window and key == "this" and isinstance(_aggregate(value), exp.AggFunc):
                made.set(key, self._with_parts(value, clause))
            else:
                made.set(key, self._part(value, clause))
        return made

    def _part(self, value: object, clause: str) -> object:
        return self._over(value, clause) if isinstance(value, exp.Expression) else value

    def _aggregated(self, expr: exp.Expr, said: exp.Expr | None, clause: str) -> exp.Expr:
        name = self.finer.aggregates.get(said) if said is not None else None
        function = _aggregate(expr)
        if name is not None:
            return self._summed_up(function, name)
        if isinstance(function, exp.Avg) and isinstance(said, exp.Avg):
            return self._average(said)
        if isinstance(function, _OF_ITSELF) or isinstance(function.this, exp.Distinct):
            return self._with_parts(expr, clause)  # of keys, each of which is there once or more
        raise _NotRolledUp

    def _summed_up(self, function: exp.Expr, name: str) -> exp.Expr:
        column = self._column(name)
        if isinstance(function, _OF_ITSELF):
            return type(function)(this=column)
        if not isinstance(function, exp.Sum | exp.Count) or isinstance(function.this, exp.Distinct):
            raise _NotRolledUp
        made: exp.Expr = exp.Sum(this=column)
        if isinstance(function, exp.Count) and not self.grain.keys:
            made = exp.Coalesce(this=made, expressions=[exp.Literal.number(0)])
        kind = self.finer.kinds.get(name)
        total = ExactNumbers(lambda _table, _column: "", self.dialect).sum_of(kind)
        if total is not None and total == kind:
            return made
        if total is None or kind != "big":
            raise _NotRolledUp
        return exp.cast(made, exp.DataType.build("BIGINT"))

    def _average(self, said: exp.Avg) -> exp.Expr:
        """As the quotient that PostgreSQL and SQL Server compute."""
        if self.dialect not in AVERAGED:
            raise _NotRolledUp
        total, times = (self._total(kind(this=copied(said.this))) for kind in (exp.Sum, exp.Count))
        if self.dialect == "postgres":
            decimal = exp.DataType.build("DECIMAL")
            total, times = (exp.cast(each, decimal) for each in (total, times))
        else:
            times = exp.Nullif(this=times, expression=exp.Literal.number(0))
        return exp.Div(this=total, expression=times, typed=True, safe=False)

    def _total(self, said: exp.Expr) -> exp.Expr:
        name = self.finer.aggregates.get(said)
        if name is None:
            raise _NotRolledUp
        return exp.Sum(this=self._column(name))
