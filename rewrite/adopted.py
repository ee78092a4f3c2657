"""Queries that are still written out although a macro says nearly the same become calls of it.

A branch of a UNION ALL that is a report with one constant more, a report over another relation or
another column, a second macro: the macro takes what is different as a parameter, which is what it
was where a call says nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.abstract import fill, role
from unwet.rewrite.as_query import as_query
from unwet.rewrite.fitting import Fit, New, fitted
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    LISTED,
    NO_NAMES,
    NO_VALUE,
    Library,
    Macro,
    MacroCall,
    call_at,
    called_by,
    calls_made,
    numbers_of,
    with_told,
)
from unwet.rewrite.naming import free_parameter, snake
from unwet.rewrite.own_parts import STEM, part_call, part_macro, put
from unwet.rewrite.placed_calls import height_of
from unwet.rewrite.positions import by_expression
from unwet.rewrite.query_parts import name_of, sources
from unwet.rewrite.selections import WITHOUT, may_leave_out
from unwet.rewrite.shapes import Leaf, as_leaf
from unwet.rewrite.sizes import tree_lines
from unwet.rewrite.unions import branches, is_top
from unwet.rewrite.usual_values import calls_by_macro

_MOST: Final = 2  # parameters more, for one query
_LEAST: Final = 4  # lines that are saved
_FEW: Final = 6  # calls of a macro that may be those of others
_AROUND: Final = 2  # the first and the last line of a macro
_RELATION: Final = re.compile(r"(?:ref|src)__\w+?__(?:ref|src)", re.IGNORECASE)


def adopted(
    library: Library, dialect: str, most: int, alone: Collection[str] = frozenset()
) -> Library:
    """The library with such calls. ``most``: parameters of a macro; ``alone``: models that stay as
    they are, and the macros that they call."""
    work = _Work(library, dialect, most)
    stay = called_by(library, alone)
    for macro in sorted(library.macros, key=lambda each: (work.uses(each.name), each.name)):
        if macro.name not in stay:
            work.macro(macro.name)
        if macro.name not in stay and work.uses(macro.name) <= _FEW:
            work.parted(macro.name)
    for name in sorted(library.models):
        if name not in alone:
            work.model(name)
    return work.library()


@dataclass
class _Work:
    """The library while it changes; trees are copied before they do."""

    start: Library
    dialect: str
    most: int
    macros: dict[str, Macro] = field(default_factory=dict)
    models: dict[str, exp.Expr] = field(default_factory=dict)
    calls: list[MacroCall] = field(default_factory=list)
    given: set[str] = field(default_factory=set)  # macros that are calls of others now
    parts: dict[str, Macro] = field(default_factory=dict)  # for outputs, by what stands for them

    def __post_init__(self) -> None:
        self.macros = {macro.name: macro for macro in self.start.macros}
        self.models = dict(self.start.models)
        self.calls = list(self.start.calls)
        self._uses = Counter(call.macro for call in self.calls)
        self._tables: dict[str, tuple[exp.Expr, Counter[str], int]] = {}  # of macros, with trees

    def uses(self, macro: str) -> int:
        """How many calls it has."""
        return self._uses[macro]

    def library(self) -> Library:
        """What has come of it, without the macros that nothing calls any more."""
        self._hand_on()
        made = Library(self.models, tuple(self.macros.values()), tuple(self.calls))
        called = {made.calls[n].macro for n in calls_made(made)}  # also by what calls say
        gone = self.given - called
        return replace(made, macros=tuple(m for m in made.macros if m.name not in gone))

    def macro(self, name: str) -> None:
        """A macro that becomes a call of another one, with more calls or of whole reports."""
        macro = self.macros[name]
        if macro.kind == "query" and isinstance(macro.tree, exp.Select) and not macro.optional[0]:
            call = self._called(macro.tree, name)
            if call is not None:
                self.macros[name] = replace(macro, tree=call)
                self.given.add(name)

    def parted(self, name: str) -> None:
        """A macro whose calls, all of whole models, become those of others, each of another one
        maybe, where no more lines are written in all."""
        if name in self.given or name not in self.macros:
            return
        macro, hosts = self.macros[name], self._hosts(name)
        made = {h: as_query(macro, self.calls[n], self.dialect) for h, n in hosts.items()}
        if not made or len(made) < self.uses(name):
            return
        macros, calls, parts = dict(self.macros), [*self.calls], dict(self.parts)
        self.given.add(name)  # so that none is its own
        new = {h: self._called(tree, host=h) if tree is not None else None
               for h, tree in made.items()}  # fmt: skip
        found = {host: call for host, call in new.items() if call is not None}
        if len(found) == len(new):
            pairs = [(each, macros.get(name)) for name, each in self.macros.items()]
            grown = sum(self._size(now) - (self._size(old) if old is not None else 0)
                        for now, old in pairs if now is not old)  # fmt: skip
            heights = [(self.calls[numbers_of(call)[0]], calls[hosts[host]])
                       for host, call in found.items()]  # fmt: skip
            lines = sum(height_of(now) - height_of(old)
                        for now, old in heights)  # fmt: skip
            if grown + lines + _LEAST <= self._size(macro):
                self.models |= found
                return
        self.macros, self.calls, self.parts = macros, calls, parts
        self.given.remove(name)
        self._uses = Counter(call.macro for call in calls)

    def _size(self, macro: Macro) -> int:
        """Lines of its file."""
        return tree_lines(macro.tree, self.dialect) + _AROUND + len(macro.optional[1])

    def _hosts(self, macro: str) -> dict[str, int]:
        """The models that are a call of a macro and nothing else, and the number of that call."""
        found: dict[str, int] = {}
        for name, tree in self.models.items():
            number = call_at(tree)
            if number is not None and self.calls[number].macro == macro:
                found[name] = number
        return found

    def model(self, name: str) -> None:
        """A model that becomes a call, or branches in it."""
        tree = self.models[name]
        if isinstance(tree, exp.Select):
            self.models[name] = self._called(_unwrapped(tree), host=name) or tree
            return
        tree = copied(tree)
        found = False
        for union in [node for node in tree.find_all(exp.Union) if is_top(node)]:
            for branch in branches(union):
                if not isinstance(branch, exp.Select):
                    continue
                call = self._called(branch, is_branch=True, host=name)
                if call is not None:
                    branch.replace(call)
                    found = True
        if found:
            self.models[name] = tree

    def _called(
        self, tree: exp.Select, name: str = "", is_branch: bool = False, host: str = ""
    ) -> exp.Expr | None:
        """The call that a query of the macro ``name`` or the model ``host`` is, once the macro is
        what it has to be. A branch of a UNION cannot begin with CTEs of its own, whatever a parser
        takes."""
        block = tree.args.get("with_")
        ctes = {cte.alias.lower() for cte in block.expressions} if block is not None else set()
        if block is not None:
            if name or block.args.get("recursive"):
                return None
            tree = copied(tree)
            tree.set("with_", None)
        near = self._near(tree, name)
        lines = tree_lines(tree, self.dialect) if near else 0  # printed only if it may be a call
        best = self._best(near, tree, name, is_branch, ctes) if lines >= 2 * _LEAST else None
        if best is None:
            return None
        macro, fit = best
        fit, parts, own = self._with_parts(fit, macro.name, name or host)
        made, call = _taken(macro, fit, self.dialect, self.macros.keys())
        inner = sum(tree_lines(query, self.dialect) + 2 for query in fit.inner.values())
        left = 2 * (bool(name) and not parts)  # of a macro that is only a call now
        if lines - inner - own - height_of(call) - left < _LEAST:
            return None
        self.parts |= parts
        self.macros |= {part.name: part for part in parts.values()}
        self.calls += [part_call(self.parts[word]) for word in fit.parts]
        usual = {n: leaf for n, leaf in made.more.items() if n not in macro.params}
        for at, each in enumerate(self.calls):
            if each.macro == macro.name:
                self.calls[at] = replace(each, unsaid=(*each.unsaid, *usual.items()))
        self.macros[macro.name] = made.macro
        self.calls.append(call)
        self._uses[macro.name] += 1
        return _behind(block, fit.inner, f"call__{len(self.calls) - 1}__call")

    def _near(self, tree: exp.Select, name: str) -> list[Macro]:
        """The macros that a query of the macro ``name`` may be a call of, by what they read."""
        tables = _tables(tree)
        many = tables.total()
        return [
            macro
            for macro in self.macros.values()
            if self._reads(macro, tables, many) and self._may_take(macro, tree, name)
        ]

    def _best(
        self, near: Sequence[Macro], tree: exp.Select, name: str, is_branch: bool, ctes: set[str]
    ) -> tuple[Macro, Fit] | None:
        """The macro that needs the fewest parameters more to say what a query does."""
        best: tuple[tuple[int, int, str], Macro, Fit] | None = None
        for macro in near:
            room = max(0, min(_MOST, self.most - len(macro.params) + macro.uncounted))
            fit = fitted(macro, tree, self.dialect, room, ctes)
            if fit is None or not self._sound(macro, fit):
                continue
            if is_branch and fit.inner:
                continue
            if not (name and (fit.inner or (fit.renamed and self._says_columns(name)))):
                rank = len(fit.new), -self.uses(macro.name), macro.name
                if best is None or rank < best[0]:
                    best = rank, macro, fit
        return best[1:] if best is not None else None

    def _with_parts(self, fit: Fit, macro: str, host: str) -> tuple[Fit, dict[str, Macro], int]:
        """The fit with calls in place of the parts that are to be macros of their own, those of
        these that are not yet there, and their lines that are more."""
        wanted = {value.text: name for name, value in fit.said.items()}
        wanted |= {new.value.text: new.whole for new in fit.new}
        usual = {new.usual.text: new.whole for new in fit.new}
        fit = replace(fit, parts={w: n for w, n in fit.parts.items() if w in wanted or w in usual})
        params = {name for each in self.macros.values() for name in each.params}
        taken, made, lines = {*self.macros, *self.models, *params}, dict[str, Macro](), 0
        for word, node in fit.parts.items():
            if word in self.parts:
                continue
            of = (host, wanted[word]) if word in wanted else (macro, usual[word])
            made[word] = part_macro(node, of[0], of[1], taken, self.calls)
            taken.add(made[word].name)
            lines += self._size(made[word]) if word in wanted else _AROUND
        numbers = range(len(self.calls), len(self.calls) + len(fit.parts))
        words = {word: f"call__{n}__call" for word, n in zip(fit.parts, numbers, strict=True)}
        said = {name: put(leaf, words) for name, leaf in fit.said.items()}
        new = tuple(replace(n, usual=put(n.usual, words), value=put(n.value, words))
                    for n in fit.new)  # fmt: skip
        return replace(fit, said=said, new=new), made, lines

    def _says_columns(self, macro: str) -> bool:
        """Whether calls of it say columns, in its own names for relations."""
        said = (leaf for call in self.calls if call.macro == macro
                for _, leaf in (*call.args, *call.unsaid))  # fmt: skip
        return any(leaf.kind == "condition" and "." in leaf.text for leaf in said)

    def _may_take(self, macro: Macro, tree: exp.Select, name: str) -> bool:
        if macro.name == name or macro.name in self.given or macro.kind != "query":
            return False
        if name and not _has_constant(tree):
            # another thing that is counted has its own name
            fewer = self.uses(macro.name) < self.uses(name)
            if fewer or STEM.sub("", macro.name) != STEM.sub("", name):
                return False
        return True

    def _reads(self, macro: Macro, tables: Counter[str], many: int) -> bool:
        """Whether a macro reads these relations, which are so many, but for two."""
        known = self._tables.get(macro.name)
        if known is None or known[0] is not macro.tree:
            mine = _tables(macro.tree)
            known = self._tables[macro.name] = macro.tree, mine, mine.total()
        return known[2] == many and (known[1] - tables).total() <= 2

    def _sound(self, macro: Macro, fit: Fit) -> bool:
        """Whether the macro can be what the query wants: columns that it does without can be left
        out, and all that it has no usual value for is said."""
        every = [item.alias_or_name for item in fit.tree.expressions]
        if fit.scope is not None and macro.scoped[0] and macro.scoped[1] != fit.scope.alias:
            return False
        said = {*fit.said, *macro.defaults}
        if not all(name in said for name in macro.params):
            return False
        left = sorted({*macro.optional[1], *fit.left})
        return not left or may_leave_out(fit.tree, every, left)

    def _hand_on(self) -> None:
        """Macros that are calls of others are not called: the others are. In a loop what follows
        from another argument is not said in each row."""
        made = Library(self.models, tuple(self.macros.values()), tuple(self.calls))
        apart = {at for numbers in calls_by_macro(made).values() for at in numbers}
        for at in sorted({n for tree in made.trees for n in numbers_of(tree)}):
            name = self.calls[at].macro
            if name not in self.given:
                continue
            call, own = self.calls[numbers_of(self.macros[name].tree)[0]], self.calls[at]
            said = dict((*own.unsaid, *own.args))
            args = tuple((n, _said(leaf, said, self.dialect)) for n, leaf in call.args)
            if at in apart or not any(_is_open(leaf, self.calls) for _, leaf in args):
                like = "" if at in apart else own.like or name
                args = tuple((n, self._inside(leaf, said)) for n, leaf in args)
                self.calls[at] = MacroCall(call.macro, args, call.unsaid, like)

    def _inside(self, leaf: Leaf, values: Mapping[str, Leaf]) -> Leaf:
        """A leaf in which a call that is handed on says what parameters are in one call."""
        hit = HANDED_ON.fullmatch(leaf.text)
        if hit is None or leaf in values.values() or not _is_open(leaf, self.calls):
            return leaf
        call = self.calls[int(hit[1])]
        args, unsaid = (
            tuple((n, self._inside(_said(each, values, self.dialect), values)) for n, each in group)
            for group in (call.args, call.unsaid)
        )
        self.calls.append(replace(call, args=args, unsaid=unsaid))
        return replace(leaf, text=f"call__{len(self.calls) - 1}__call")


def _is_open(leaf: Leaf, calls: Sequence[MacroCall]) -> bool:
    """Whether a parameter stands in it, or in a call that it hands on."""
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
        return any(_is_open(each, calls) for _, each in calls[int(inner[1])].args)
    return HOLE.search(leaf.text) is not None or LISTED.search(leaf.text) is not None


def _said(leaf: Leaf, values: Mapping[str, Leaf], dialect: str) -> Leaf:
    """A leaf in which parameters are what they are in one call."""
    if (hole := HOLE.fullmatch(leaf.text)) is not None and hole[1] in values:
        value = values[hole[1]]
        return value

    def told(name: str) -> str | None:
        value = values.get(name)
        if value is not None and value.kind == "string" and leaf.kind == "condition":
            return str(exp.Literal.string(value.text).sql(dialect or None))[1:-1]
        return value.text if value is not None else None

    return replace(leaf, text=with_told(leaf.text, told))


@dataclass(frozen=True, slots=True)
class _Taken:
    """The macro with what it takes now, and the usual values of its parameters that are new."""

    macro: Macro
    more: Mapping[str, Leaf]


def _taken(
    macro: Macro, fit: Fit, dialect: str, hidden: Collection[str]
) -> tuple[_Taken, MacroCall]:
    """`hidden`: macros, which a parameter of their name would hide."""
    tree, said = fit.tree, dict(fit.said)
    params, defaults, usual = [*macro.params], dict(macro.defaults), dict[str, Leaf]()

    def add(wanted: str, default: Leaf, value: Leaf) -> str:
        own = f"{wanted}_value" if wanted in hidden else wanted
        name = free_parameter(own, {*params, *hidden})
        params.append(name)
        defaults[name], usual[name], said[name] = default.text, default, value
        return name

    for new in fit.new:
        _fill(new, add(_word(new), new.usual, new.value), tree, fit.left)
    scoped, optional = macro.scoped, macro.optional
    if fit.scope is not None:
        value = Leaf("string", fit.scope.this.name)
        if scoped[0]:
            said[scoped[0]] = value
        else:
            by_expression(tree, dialect)
            name = add(fit.scope.alias, NO_VALUE, value)
            scoped = name, fit.scope.alias
            item = exp.alias_(exp.Literal.string(f"h__{name}__h"), fit.scope.alias)
            tree.set("expressions", [item, *tree.expressions])
    if fit.left:
        every = [item.alias_or_name for item in tree.expressions]
        names = tuple(n for n in every if n in optional[1] or n in fit.left)
        value = Leaf("names", f"[{', '.join(map(repr, fit.left))}]")
        if optional[0]:
            said[optional[0]] = value
            optional = optional[0], names
        else:
            optional = add(WITHOUT, NO_NAMES, value), names
    made = replace(macro, params=tuple(params), tree=tree, defaults=defaults, optional=optional,
                   scoped=scoped)  # fmt: skip
    args = tuple((n, said[n]) for n in params if n in said and said[n].text != defaults.get(n))
    unsaid = tuple((n, said.get(n) or _default(n, defaults[n], usual)) for n in params
                   if n not in dict(args))  # fmt: skip
    return _Taken(made, usual), MacroCall(macro.name, args, unsaid)


def _default(name: str, text: str, usual: Mapping[str, Leaf]) -> Leaf:
    if name in usual:
        return usual[name]
    return Leaf("names" if text in (NO_NAMES.text, NO_VALUE.text) else "condition", text)


def _fill(new: New, name: str, tree: exp.Select, left: Collection[str]) -> None:
    """In place: the parameter; in outputs that the query does without it is what it is in all that
    both have."""
    for node in new.nodes:
        _keep_name(node)
    if new.whole:
        [node] = new.nodes
        node.replace(exp.Var(this=f"h__{name}__h"))
        return
    both, others = (
        [node for item in tree.expressions if (item.alias_or_name in left) is without
         for node in item.find_all(type(new.nodes[0])) if as_leaf(node) == new.usual]
        for without in (False, True)
    )  # fmt: skip
    alike = all(any(node is each for each in new.nodes) for node in both)
    for node in (*new.nodes, *(others if alike and both else ())):
        fill(node, name)


def _keep_name(node: exp.Expr) -> None:
    """A column that is an output by itself keeps its name when it becomes a parameter."""
    column = node.parent if isinstance(node, exp.Identifier) else node
    if isinstance(column, exp.Column) and isinstance(column.parent, exp.Select):
        item = exp.Alias(alias=column.this.copy())
        column.replace(item)
        item.set("this", column)


def _word(new: New) -> str:
    """What a new parameter is called: the output that it is, or what the macro has there."""
    if new.whole:
        return snake(new.whole)
    if _RELATION.fullmatch(new.usual.text):
        sources = all(leaf.text.startswith("src") for leaf in (new.usual, new.value))
        return "table" if sources else "relation"
    name = snake(new.usual.text) if new.usual.kind == "name" else role(new.nodes[0])
    return name if name.isidentifier() else "value"


def _has_constant(tree: exp.Select) -> bool:
    first = tree.expressions[0]
    return isinstance(first, exp.Alias) and isinstance(first.this, exp.Literal)


def _tables(tree: exp.Expr) -> Counter[str]:
    """The relations that a query reads itself; other queries have no name."""
    found = sources(tree) if isinstance(tree, exp.Select) else ()
    return Counter(name_of(source) for source, _ in found)


def _behind(block: exp.Expr | None, inner: Mapping[str, exp.Query], call: str) -> exp.Expr:
    """The call, behind the CTEs that it reads."""
    word = exp.Var(this=call)
    ctes = [copied(cte) for cte in block.expressions] if block is not None else []
    ctes += [exp.CTE(this=copied(query), alias=exp.TableAlias(this=exp.to_identifier(name)))
             for name, query in inner.items()]  # fmt: skip
    return exp.Select(expressions=[word], with_=exp.With(expressions=ctes)) if ctes else word


def _unwrapped(tree: exp.Select) -> exp.Select:
    """The query that a model takes some columns of and does nothing else with, without the others;
    the model itself where there is none."""
    source = tree.args.get("from_")
    inner = (
        source.this.this if source is not None and isinstance(source.this, exp.Subquery) else None
    )
    said = {name for name, value in tree.args.items() if value}
    if said != {"expressions", "from_"} or not isinstance(inner, exp.Select):
        return tree
    names = [item.name for item in tree.expressions if isinstance(item, exp.Column)]
    every = [item.alias_or_name for item in inner.expressions]
    left = [name for name in every if name not in names]
    kept = [name for name in every if name in names]
    if len(names) != len(tree.expressions) or kept != names:
        return tree
    if left and not may_leave_out(inner, every, left):
        return tree
    made = copied(inner)
    made.set("expressions", [i for i in made.expressions if i.alias_or_name in names])
    return made
