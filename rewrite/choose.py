"""What pays: templates are taken greedily by the printed lines they save, until none does.

A template costs its own lines, two for the macro around them and one for being one more thing to
know; it saves each member's lines but those of the call. Chosen macros are hosts like the models:
what repeats inside two macros becomes a third one. (Lazy greedy over recomputed gains; exact among
few templates that want one query.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.abstract import (
    BRANCH,
    Family,
    Hole,
    Unit,
    UnitKind,
    families,
    is_table,
    template,
)
from unwet.rewrite.branch_runs import (
    around,
    branch_lines,
    has_branch_runs,
    say_branch_runs,
    vary_in_length,
)
from unwet.rewrite.branch_runs import put_back as put_back_branches
from unwet.rewrite.compose import Draft
from unwet.rewrite.deadline import Over, never
from unwet.rewrite.exact_choice import without_worse
from unwet.rewrite.group_all import by_all
from unwet.rewrite.grouping_sets import factored
from unwet.rewrite.idle_conditions import drop_idle_conditions, without_idle_conditions
from unwet.rewrite.in_step import Walks
from unwet.rewrite.item_runs import has_runs, say_runs, varies
from unwet.rewrite.item_runs import more_lines as items_of_runs
from unwet.rewrite.item_runs import put_back as put_back_runs
from unwet.rewrite.library import (
    NO_CONDITION,
    Library,
    Macro,
    MacroCall,
    MacroKind,
)
from unwet.rewrite.lifted import lift
from unwet.rewrite.limits import NO_LIMITS, Owners
from unwet.rewrite.list_parts import is_text
from unwet.rewrite.macro_names import Labels, name_of_list, names_for
from unwet.rewrite.naming import free, free_macro
from unwet.rewrite.own_relations import (
    ReadOfCallers,
    clash,
    may_have_own,
    place_own,
    without_ctes,
)
from unwet.rewrite.pieces import Items, expressions, item_runs, spellings
from unwet.rewrite.placed_calls import (
    Said,
    call_height,
    call_node,
    defaults_of,
    more_lines,
    numbered,
)
from unwet.rewrite.positions import by_position
from unwet.rewrite.replaced import Replaced, taken_off
from unwet.rewrite.shapes import CONDITION, Leaf, Shape, Survey
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.stand_ins import put_back, stand_ins
from unwet.rewrite.told_of import comment_of, is_branch, is_trivial, label_of, wrapped
from unwet.rewrite.unwrapped import unwrapped
from unwet.rewrite.value_lists import as_leaves, as_lists, as_parameters
from unwet.rewrite.variants import calls_said, lists_said, variants
from unwet.rewrite.written_parts import bound_calls, is_marked, letters

_MIN_LEAVES = 6
_FEW_LEAVES = 4  # of blocks that are looked at when all else is chosen
_NEVER = -1
_LIST = 8  # lines of a list of columns: a shorter one is read faster than it is looked up
_KNOWN = 12  # uses of a list that everybody soon knows by its name, however short
_SHORTER = 2  # lines that it may be short of what pays elsewhere
_OVERHEAD = 3  # the macro's first and last line, and one more name to know
_NAME = "call__of_a_list_of_columns__call"  # about as long as such a call


def choose(
    drafts: Sequence[Draft],
    dialect: str,
    pinned: frozenset[str] = frozenset(),
    owners: Owners | None = None,
    over: Over = never,
    lists: bool = False,
) -> Library:
    """Picks templates for all drafts but the ``pinned`` ones, which are printed as they are; no
    more of them when the time is ``over``. ``lists``: a macro may go over a list of columns."""
    shop = Workshop(dialect, {d.name: copied(d.tree) for d in drafts if d.name not in pinned})
    shop.comments = {d.name: " ".join(d.comments[:1]) for d in drafts}
    shop.reserved = frozenset(d.name for d in drafts)
    shop.owners = owners or shop.owners
    shop.labels = Labels(shop.hosts)
    for tree in shop.hosts.values():
        factored(tree, dialect)
        by_all(tree, dialect)
        by_position(tree, dialect)
        as_leaves(tree, dialect)
    if not over():
        lift(shop.hosts, dialect)
    if lists:
        shop.runs()
        shop.branch_runs()
    shop.sweep(whole=True)
    shop.tables()
    while not over() and (shop.sweep(whole=False) or shop.variants()):
        pass
    while not over() and (
        shop.variants(written=True) or shop.sweep(whole=False) or shop.variants()
    ):
        pass
    shop.number()
    shop.spelled = spellings(shop.hosts.values())
    while not over() and shop.pieces():
        pass
    return shop.library(drafts)


@dataclass
class Workshop:
    """Trees under work: replaced in place, owned by nobody else."""

    dialect: str
    hosts: dict[str, exp.Expr]
    comments: Mapping[str, str] = field(default_factory=dict)
    reserved: frozenset[str] = frozenset()
    macros: list[Macro] = field(default_factory=list)
    calls: list[MacroCall] = field(default_factory=list)
    numbers: dict[MacroCall, int] = field(default_factory=dict)  # of calls that stand for pieces
    known: dict[str, list[Unit]] = field(default_factory=dict)
    inner: dict[str, list[Unit]] = field(default_factory=dict)  # the expressions of each host
    items: dict[str, list[Items]] = field(default_factory=dict)
    surveys: dict[str, Survey] = field(default_factory=dict)
    walks: Walks = field(default_factory=Walks)
    sizes: dict[bytes, int] = field(default_factory=dict)
    owners: Owners = field(default_factory=lambda: Owners(NO_LIMITS))
    labels: Labels = field(default_factory=lambda: Labels({}))
    spelled: Mapping[str, str] = field(default_factory=dict)
    stand_in: dict[str, exp.Expr] = field(default_factory=dict)  # calls that words stand in for
    lists: dict[str, list[exp.Expr]] = field(default_factory=dict)  # and items, by their text
    queries: dict[str, exp.Expr] = field(default_factory=dict)  # calls of what one copy says
    longer: dict[int, int] = field(default_factory=dict)  # lines of branches that words stand for
    closed: frozenset[str] = frozenset()  # hosts in which nothing is looked for any more
    label: Callable[[exp.Expr], str] | None = None  # of blocks, where others are looked at
    listed: dict[str, Leaf] = field(default_factory=dict)  # the call of a macro of such items

    def finished(self, library: Library) -> Library:
        """What has come of a library."""
        self.number()
        return self._made(library.models)

    def number(self) -> None:
        """Words in place of the calls for queries: only pieces are looked at from now on."""
        self.surveys.clear()
        defaults = defaults_of(self.macros)
        for host, tree in self.hosts.items():
            as_lists(tree)
            self.hosts[host] = numbered(tree, defaults, self.calls)

    def library(self, drafts: Sequence[Draft]) -> Library:
        """What has come of it; the trees are not worked on any more."""
        return self._made({draft.name: draft.tree for draft in drafts})

    def _made(self, models: Mapping[str, exp.Expr]) -> Library:
        """The library; of models that nobody worked on, the tree that is given."""
        for tree in self.hosts.values():
            drop_idle_conditions(tree)
            as_parameters(tree)
        macros = tuple(replace(macro, tree=self.hosts[macro.name]) for macro in self.macros)
        found = {name: self.hosts.get(name, tree) for name, tree in models.items()}
        calls = tuple(without_idle_conditions(call, self.dialect) for call in self.calls)
        return Library(found, macros, calls)

    def sweep(self, whole: bool) -> bool:
        """Applies the families that pay, best first; what is around or inside a changed query, and
        what else was counted with it, waits for the next sweep, which sees what is left."""
        units = [u for host in list(self.hosts) for u in self._units(host, whole)]
        return self._take(families(units, self.owners))

    def sweep_open(self, label: Callable[[exp.Expr], str]) -> bool:
        """The same with other blocks, those that have a ``label``, in hosts that are not closed."""
        self.label = label
        hosts = [host for host in self.hosts if host not in self.closed]
        units = [unit for host in hosts for unit in self._units(host, whole=False)]
        return self._take(families(units, self.owners))

    def tables(self) -> None:
        """Branches that are rows of one table, as far as they differ in whole parts."""
        units: list[Unit] = []
        for host, tree in self.hosts.items():
            changed = stand_ins(tree, self.dialect)
            shape = Survey(tree).shape if changed else None
            units += (self._unit("block", host, n, shape(n), BRANCH) for n in changed if shape)
        self._take(each for each in families(units, self.owners) if is_table(each.units))
        for tree in self.hosts.values():
            put_back(tree)

    def runs(self) -> None:
        """Queries that say the same of other columns, which are a list then."""
        units: list[Unit] = []
        for host, tree in self.hosts.items():
            changed = say_runs(tree, self.dialect)
            shape = Survey(tree).shape if changed else None
            units += (self._run(host, n, shape(n)) for n in changed if shape)
        self._take(each for each in families(units, self.owners) if varies(each.holes))
        for tree in self.hosts.values():
            put_back_runs(tree)
        self._forget([*self.hosts])

    def branch_runs(self) -> None:
        """Queries of which branches say the same of other words, which are a list then."""
        units: list[Unit] = []
        for host in say_branch_runs(self.hosts, self.dialect):
            tree = self.hosts[host]
            shape = Survey(tree).shape
            units += (self._run(host, node, shape(node)) for node in around(tree))
        if units:
            self.longer = {id(unit.node): branch_lines(unit.node) for unit in units}
            self._take(each for each in families(units, self.owners) if vary_in_length(each))
            self.longer = {}
            put_back_branches(self.hosts)
            self._forget([*self.hosts])

    def _run(self, host: str, node: exp.Expr, found: Shape) -> Unit:
        if node.parent is None:
            return self._unit("whole", host, node, found, host)
        return self._unit("block", host, node, found, label_of(node))

    def variants(
        self, lists: bool = False, most: int | None = None, own: bool = False, written: bool = False
    ) -> bool:
        """Queries that differ in parts, which are arguments then; in lists, too. ``most``: shapes
        that one macro serves; ``own``: whether each may have relations of its own; ``written``: a
        query may be an argument as it is written."""
        pieces = {macro.name for macro in self.macros if macro.kind != "query"} | self.closed
        if own:
            pieces |= without_ctes(self.hosts, self.calls, self.dialect)
        surveys = {host: self._survey(host) for host in self.hosts if host not in pieces}
        units: list[Unit] = []
        for host, survey in surveys.items():
            units += self._outer(host, survey)
            units += (u for u in self._units(host, whole=False) if u.kind == "block")
        units = [unit for unit in units if not own or may_have_own(unit)]
        bound = bound_calls(self.calls) if written else None
        least, found = self.owners.limits.sharing.min_saved, list[Family]()
        trees = {macro.name: self.hosts[macro.name] for macro in self.macros}
        read = ReadOfCallers(trees, self.calls)
        how = (self.dialect, lists, most, own, bound, self.walks, read)
        for group in variants(units, surveys, *how):
            self.lists.update(lists_said(group))
            paying = [f for f in families(group, self.owners) if self._gain(f) >= least]
            found += paying  # what does not pay is not kept, as it has trees of its own
            self.stand_in.update(calls_said(unit for each in paying for unit in each.units))
        if not self._take(found):
            return False
        self._unwrap()
        return True

    def _unwrap(self) -> None:
        """Macros that do nothing but call another one are not needed."""
        for name, touched in unwrapped(self.hosts, self.macros, self.calls):
            self.macros = [macro for macro in self.macros if macro.name != name]
            del self.hosts[name]
            self._forget(touched | {name})
        self.numbers = {}

    def _forget(self, hosts: Iterable[str]) -> None:
        """What is known of hosts that are not what they were."""
        for host in hosts:
            for kept in (self.known, self.inner, self.items, self.surveys):
                kept.pop(host, None)

    def _survey(self, host: str) -> Survey:
        if host not in self.surveys:
            self.surveys[host] = Survey(self.hosts[host])
        return self.surveys[host]

    def _outer(self, host: str, survey: Survey) -> Iterator[Unit]:
        """The query of a model or a macro."""
        tree = self.hosts[host]
        if not isinstance(tree, exp.Query):
            return
        if (inner := wrapped(tree)) is not None:
            yield self._unit("block", host, inner, survey.shape(inner), host)
        else:
            yield self._unit("whole", host, tree, survey.shape(tree), host)

    def pieces(self) -> bool:
        """Expressions, and items beside one another."""
        units = [u for host, tree in self.hosts.items() for u in self._expressions(host, tree)]
        units += item_runs(self.hosts, self.items)
        return self._take(families(units, self.owners))

    def _take(self, made: Iterable[Family]) -> bool:
        """Whether any of the families pays."""
        least = self.owners.limits.sharing.min_saved
        found = [pair for family in made if (pair := (self._gain(family), family))[0] >= least]
        found.sort(key=lambda pair: (-pair[0], _place(pair[1])))
        found = without_worse(found)
        changed = Replaced()
        touched: set[str] = set()
        for _, family in found:
            met = any(changed.meets(unit.node) for unit in family.units) or clash(family.units)
            if not met and not self._refused(family):
                for node in (node for unit in family.units for node in taken_off(unit)):
                    changed.add(node)
                self._apply(family)
                touched.update(u.host for u in family.units)
        self._forget(touched)
        return bool(touched)

    def _expressions(self, host: str, tree: exp.Expr) -> list[Unit]:
        if host not in self.inner:
            self.inner[host] = list(expressions(host, tree, self.spelled))
        return self.inner[host]

    def _gain(self, family: Family) -> int:
        first = family.units[0]
        lines = self._lines(first)
        saved = sum(lines - call_lines(family, i) for i in range(len(family.units)))
        saved += self._saved_by_lists(family) - sum(bool(unit.own) for unit in family.units)
        longer = [items_of_runs(u.node) + self.longer.get(id(u.node), 0) for u in family.units]
        saved += sum(longer)
        least = self.owners.limits.sharing.min_lines
        if first.kind == "items":
            known = len(family.units) >= _KNOWN
            least = least - _SHORTER if known else max(least, _LIST)
        if lines + max(longer) < least:
            return _NEVER
        if first.kind not in PIECES and is_trivial(first.node) and not is_table(family.units):
            return _NEVER
        return saved - lines - _OVERHEAD - _OVERHEAD * len(_written(family))

    def _saved_by_lists(self, family: Family) -> int:
        """The lines of items that are an argument: as a text, or of a macro of their own."""
        if family.units[0].said is None:
            return 0
        saved, macros = 0, dict[str, int]()
        for hole in family.holes:
            for text in (leaf.text for leaf in hole.values if leaf.text in self.lists):
                listed = exp.Select(expressions=list(map(copied, self.lists[text])))
                lines = tree_lines(listed, self.dialect) - 1
                saved += lines - 1  # in the lines of the query it is one
                if not is_text(text):
                    saved += call_height(len(text)) - call_height(len(_NAME))
                    macros[text] = 0 if text in self.listed else lines + _OVERHEAD - 1
        return saved - sum(macros.values())

    def _lines(self, unit: Unit) -> int:
        """Printed lines; units of one shape have as many."""
        digest = unit.shape.digest
        if digest not in self.sizes:
            tree = unit.tree()
            more = more_lines(tree) - (unit.kind == "items")  # its SELECT
            self.sizes[digest] = tree_lines(numbered(tree, {}, []), self.dialect) + more
        return self.sizes[digest]

    def _units(self, host: str, whole: bool) -> list[Unit]:
        if whole:
            return list(self._outer(host, Survey(self.hosts[host])))
        if host not in self.known:
            self.known[host] = list(self._inside(host))
        return self.known[host]

    def _inside(self, host: str) -> Iterator[Unit]:
        survey = self._survey(host)
        for node in self.hosts[host].walk():
            if not isinstance(node, exp.Query) or not survey.has(node):
                continue  # what is in a condition that may be another one is looked at with that
            if isinstance(node, exp.Subquery) and not is_branch(node):
                continue
            label, least = label_of(node), _MIN_LEAVES
            if self.label is not None:
                label, least = self.label(node), _FEW_LEAVES
            found = survey.shape(node)
            if label and len(found.leaves) >= least:
                yield self._unit("block", host, node, found, label)
            block = node.args.get("with_")
            ctes = block.expressions if block is not None else []
            for skip, cte in enumerate(ctes):
                if skip and self.label is None:
                    tail = survey.tail(node, skip)
                    yield self._unit("tail", host, node, tail, cte.alias, skip)

    def _unit(
        self,
        kind: UnitKind,
        host: str,
        node: exp.Expr,
        found: Shape,
        label: str,
        skip: int = 0,
    ) -> Unit:
        return Unit(kind, host, node, found, label, self.comments.get(host, ""), skip)

    def _apply(self, family: Family) -> None:
        name = self._called(family)
        family = self._with_calls(self._with_own_names(family, name), name)
        first = family.units[0]
        self.owners.note(name, (unit.host for unit in family.units))
        params = tuple(hole.name for hole in family.holes)
        tree = template(family)
        put_back(tree)
        put_back_runs(tree)
        self.closed |= {name} if has_runs(tree) or has_branch_runs(tree) else set()
        for node in tree.walk():
            node.comments = None
        kind, usual = _KINDS.get(first.kind, "query"), _usual(family)
        defaults = {name: leaf.text for name, leaf in usual.items()}
        self.macros.append(Macro(name, params, tree, kind, comment_of(family), defaults))
        self.hosts[name] = tree
        for i, unit in enumerate(family.units):
            values = tuple((hole.name, hole.values[i]) for hole in family.holes)
            self._place(unit, self._call(name, values, usual, first.kind))

    def _with_own_names(self, family: Family, name: str) -> Family:
        """No parameter is called like a macro, which it would hide."""
        taken = {name, *(macro.name for macro in self.macros)}
        holes: list[Hole] = []
        for hole in family.holes:
            others = {each.name for each in (*holes, *family.holes) if each is not hole}
            own = f"{hole.name}_value" if hole.name in taken else hole.name
            named = free(own, taken | others) if own != hole.name else own
            holes.append(replace(hole, name=named))
        return replace(family, holes=tuple(holes))

    def _with_calls(self, family: Family, name: str) -> Family:
        """Numbers for the calls that arguments are, and macros for queries that are some."""
        holes: list[Hole] = []
        for hole in family.holes:
            for leaf, unit in zip(hole.values, family.units, strict=True):
                if is_marked(leaf.text) and leaf.text not in self.queries:
                    own = free(f"{unit.host}_{hole.name}", self._taken() | {name})
                    self.queries[leaf.text] = self._query_macro(own, self.stand_in[leaf.text])
            holes.append(replace(hole, values=tuple(map(self._handed_on, hole.values))))
        return replace(family, holes=tuple(holes))

    def _handed_on(self, leaf: Leaf) -> Leaf:
        if leaf.kind == "condition" and leaf.text in self.lists and not is_text(leaf.text):
            return self._list_macro(leaf.text)
        if leaf.kind != "condition" or leaf.text not in self.stand_in:
            return leaf
        node = self.queries.get(leaf.text, self.stand_in[leaf.text]).copy()
        word = numbered(node, defaults_of(self.macros), self.calls)
        self.calls[-1] = replace(self.calls[-1], named=True)
        return Leaf("condition", word.name)

    def _query_macro(self, name: str, tree: exp.Expr) -> exp.Anonymous:
        """The call of a macro that stands for a query which one copy has as an argument."""
        self.macros.append(Macro(name, (), tree, "query", "A query that a call hands on"))
        self.hosts[name] = copied(tree)
        return call_node(name, ())

    def _list_macro(self, text: str) -> Leaf:
        """The call of a macro of the items that have this text."""
        if text not in self.listed:
            tree = exp.Select(expressions=list(map(copied, self.lists[text])))
            name = free(name_of_list(tree), self._taken())
            self.macros.append(Macro(name, (), tree, "items", "A list of columns"))
            self.hosts[name] = tree
            self.calls.append(MacroCall(name, ()))
            self.listed[text] = Leaf("condition", f"call__{len(self.calls) - 1}__call")
        return self.listed[text]

    def _call(self, name: str, values: Said, usual: Mapping[str, Leaf], kind: UnitKind) -> exp.Expr:
        """What stands for a unit. Equal calls for pieces have one number, so that what is around
        them is equal, unless a parameter of the macro around is handed on, as others have
        others."""
        if kind not in PIECES:
            return call_node(name, values, kind == "tail")
        args = tuple((n, v) for n, v in values if v != usual.get(n))
        call = MacroCall(name, args, tuple((n, v) for n, v in values if v == usual.get(n)))
        handed_on = any("h__" in leaf.text for _, leaf in args)
        if handed_on or call not in self.numbers:
            self.calls.append(call)
            self.numbers[call] = len(self.calls) - 1
        return exp.Var(this=f"call__{self.numbers[call]}__call")

    def _refused(self, family: Family) -> bool:
        """Whether it would have a name that is forbidden."""
        if not self.owners.limits.forbidden:
            return False
        return self.owners.refuses(self._called(family), family.units[0].shape.digest)

    def _called(self, family: Family) -> str:
        names = names_for(family, [h for h in self.hosts if h in self.reserved], self.labels)
        taken = self._taken()
        said = family.units[0].kind in PIECES or names[0].endswith("_rows")
        last = names[0] if said else f"{names[0]}_rows"
        return free_macro(next((n for n in names if n not in taken), last), taken)

    def _taken(self) -> frozenset[str]:
        """Names that another macro or model has, or that nobody may have."""
        params = {name for macro in self.macros for name in macro.params}  # would hide a macro
        return self.reserved | {m.name for m in self.macros} | params | {*self.owners.refused}

    def _place(self, unit: Unit, call: exp.Expr) -> None:
        match unit.kind:
            case _ if unit.own:
                self.hosts[unit.host] = place_own(unit, call)
            case "whole":
                self.hosts[unit.host] = call
            case "items":
                items = unit.node.expressions
                items[unit.skip : unit.stop] = [call]
                unit.node.set("expressions", items)
            case "block" | "expression":
                unit.node.replace(call)
            case "tail":
                block = unit.node.args["with_"]
                block.set("expressions", block.expressions[: unit.skip])
                short = exp.Select(expressions=[call], with_=block)
                if unit.node.parent is None:
                    self.hosts[unit.host] = short
                else:
                    unit.node.replace(short)


PIECES = frozenset({"expression", "items"})
_KINDS: Mapping[UnitKind, MacroKind] = {
    "tail": "tail", "expression": "expression", "items": "items"
}  # fmt: skip


def _usual(family: Family) -> dict[str, Leaf]:
    """What parameters are where a call says nothing: no condition, where some member has none, and
    the expression that most members have for an item."""
    found: dict[str, Leaf] = {}
    for hole in sorted(family.holes, key=lambda each: each.name):
        leaf, times = Counter(hole.values).most_common(1)[0]
        if NO_CONDITION in hole.values:
            found[hole.name] = NO_CONDITION
        elif leaf.kind != "condition" or hole.name.startswith(CONDITION) or "__" in leaf.text:
            continue  # what is handed on, and rows that are left out, are always said
        elif 2 * times > len(hole.values) and not is_table(family.units):
            found[hole.name] = leaf
    return found


def call_lines(family: Family, member: int) -> int:
    """The lines of a member's macro call, wrapped."""
    usual = _usual(family)
    said = [h for h in family.holes if h.values[member] != usual.get(h.name)]
    words = sum(len(h.name) + letters(h.values[member].text) + 6 for h in said)
    return call_height(words + 30)


def _written(family: Family) -> set[str]:
    """The queries that members have as an argument, each a macro of its own."""
    return {leaf.text for hole in family.holes for leaf in hole.values if is_marked(leaf.text)}


def _place(family: Family) -> tuple[str, int]:
    unit = family.units[0]
    return (unit.host, unit.skip)
