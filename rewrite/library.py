"""What the choice of abstractions results in: models, the macros they call, and the calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlglot import exp

from unwet.lineage.trees import found_in, texts
from unwet.rewrite.compose import Draft
from unwet.rewrite.shapes import Leaf

_WORD = re.compile(r"\w+")
LINE = 88  # the width a macro call is wrapped at
LEADING = 2  # parameters that calls say without their names
NO_CONDITION = Leaf("condition", "TRUE")
NO_NAMES = Leaf("names", "[]")
NAMES = re.compile(r"\['[a-z_]\w*'(?:, '[a-z_]\w*')+\]")  # that a loop goes over, as a default
NO_VALUE = Leaf("names", "[none]")  # of a parameter that a call may do without
EVERY = "every"  # the alias of a query of which a report takes some columns; nobody's name for it


MacroKind = Literal["query", "tail", "expression", "items", "look_up"]


@dataclass(frozen=True, slots=True, eq=False)
class Macro:
    """A template with its parameters; a tail begins after the first CTEs of its caller, items stand
    among those of a SELECT: their tree is one that selects nothing else; a look-up has no tree, but
    `rows` by what its only parameter is. `defaults`: what parameters are where a call says nothing,
    which may be a call. `optional`: a parameter that is a list of columns to leave out, and which
    ones can be; `scoped`: one that is a constant in front, if it is said, and that output.
    `unless`: where a default has another parameter in it that a call may do without, that one, and
    what it is then."""

    name: str
    params: tuple[str, ...]
    tree: exp.Expr
    kind: MacroKind
    comment: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[tuple[str, Leaf], ...] = ()
    optional: tuple[str, tuple[str, ...]] = ("", ())
    scoped: tuple[str, str] = ("", "")
    unless: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def uncounted(self) -> int:
        """How many parameters nobody counts: lists of columns, and a constant in front."""
        return bool(self.optional[0]) + bool(self.scoped[0])


@dataclass(frozen=True, slots=True)
class MacroCall:
    """One use: the leaf each parameter stands for; ``unsaid`` has those that are the default.
    ``like``: the calls that were of one macro, which has become a part of this one since.
    ``named``: handed on, it says the names of its arguments, as those with defaults come last;
    ``bare``: it never does, as they are the first ones; ``leading``: the first parameters of its
    macro, which are said without their names."""

    macro: str
    args: tuple[tuple[str, Leaf], ...]
    unsaid: tuple[tuple[str, Leaf], ...] = ()
    like: str = ""
    named: bool = False
    bare: bool = False
    leading: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What it says for all parameters, those that are the default, too."""
        return tuple(leaf.text for _, leaf in (*self.args, *self.unsaid))


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """The models' trees with ``call__n__call`` and ``tail__n__tail`` where ``calls[n]`` stands.
    ``blocks``: what a template says in front under a name, by the model or macro."""

    models: Mapping[str, exp.Expr]
    macros: tuple[Macro, ...]
    calls: tuple[MacroCall, ...]
    blocks: Mapping[str, tuple[tuple[str, Macro], ...]] = field(default_factory=dict)

    @property
    def trees(self) -> tuple[exp.Expr, ...]:
        """Those of all models and macros."""
        return (*self.models.values(), *(macro.tree for macro in self.macros))

    @property
    def hosts(self) -> dict[str, exp.Expr]:
        """The same by name: where calls stand."""
        return {**self.models, **{macro.name: macro.tree for macro in self.macros}}


HANDED_ON = re.compile(r"call__(\d+)__call")  # a query or an argument that another macro writes
HOLE = re.compile(r"h__(\w+?)__h", re.IGNORECASE)  # what stands for a parameter
LISTED = re.compile(r"list__(\w+?)__list", re.IGNORECASE)  # for one that is a list of items
_TOLD = re.compile(f"{HOLE.pattern}|{LISTED.pattern}", re.IGNORECASE)
_CALL = re.compile(r"(call|loop)__\d+__\1|h__\w+__h")
_NUMBER = re.compile(r"(?:call|tail)__(\d+)__", re.IGNORECASE)
_NO_NAME = "of_the_call"
_AROUND = (exp.SetOperation, exp.Subquery)  # where only what is a query stands
NAMELESS = re.compile(rf"(?:(?<=__call)|(?<=__loop)|(?<=__h))\s+AS\s+{_NO_NAME}\b", re.IGNORECASE)
# a call that is a whole branch, and not the first of several columns
SELECTED = re.compile(
    r"\bSELECT\s+((call|loop)__\d+__\2|branch__\w+__branch)\b(?=(?:\s|/\*.*?\*/)*(?:\)|;|\Z|UNION\b|EXCEPT\b|INTERSECT\b|MINUS\b"
    r"|ORDER\b|LIMIT\b|OFFSET\b|FETCH\b))",
    re.IGNORECASE | re.DOTALL,
)


def with_told(text: str, told: Callable[[str], str | None]) -> str:
    """A text with what parameters are in their places; ``told``: the text of one, None where it
    stays. A list that its caller hands on is one there, too."""

    def put(found: re.Match[str]) -> str:
        value = told(found[1] or found[2])
        if value is None:
            return found[0]
        whole = HOLE.fullmatch(value) if found[2] else None
        return f"list__{whole[1]}__list" if whole is not None else value

    return _TOLD.sub(put, text)


def with_calls_as_queries(tree: exp.Expr) -> exp.Expr:
    """In place: a call that stands for a query gets the look of one, as printing some dialects
    looks for what a query reads. `SELECTED` finds them in the text again. A call among the items of
    a SELECT, which may be several columns, gets a name, or T-SQL's printer would give it one:
    `NAMELESS` finds it."""
    words = [each for each in found_in(tree, exp.Var)
             if _CALL.fullmatch(each.name) or isinstance(each.parent, _AROUND)]  # fmt: skip
    for word in words:
        if isinstance(word.parent, exp.Subquery):
            word.replace(exp.Table(this=exp.to_identifier(word.name)))
        elif isinstance(word.parent, exp.SetOperation):
            word.replace(exp.Select(expressions=[exp.Var(this=_as_branch(word.name))]))
        elif isinstance(word.parent, exp.Select) and word.arg_key == "expressions":
            word.replace(exp.alias_(exp.Var(this=word.name), _NO_NAME))
    return tree


def _as_branch(word: str) -> str:
    """A parameter that is a query is no constant that a query selects."""
    return f"branch__{word[len('h__') : -len('__h')]}__branch" if word.startswith("h__") else word


def call_at(node: exp.Expr) -> int | None:
    """The number of the call that stands where a query or an item does."""
    hit = HANDED_ON.fullmatch(node.name) if isinstance(node, exp.Var) else None
    return int(hit[1]) if hit is not None else None


def numbers_in(text: str) -> list[int]:
    """The numbers of the calls that stand in a text."""
    return [int(number) for number in _NUMBER.findall(text)]


def numbers_of(tree: exp.Expr) -> list[int]:
    """The numbers of the calls that stand in a tree."""
    return numbers_in("\n".join(texts(tree)))


def numbers_by_macro(
    calls: Sequence[MacroCall], only: Iterable[int] | None = None
) -> dict[str, Sequence[int]]:
    """The numbers of the calls of each macro that has some; ``only``: of these calls, in their
    order."""
    found: dict[str, list[int]] = {}
    for number in range(len(calls)) if only is None else only:
        found.setdefault(calls[number].macro, []).append(number)
    return {**found}


def calls_within(numbers: Iterable[int], calls: Sequence[MacroCall]) -> set[int]:
    """The numbers of these calls, and of those that stand in what they say."""
    waiting, found = [*numbers], set[int]()
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += [n for text in calls[at].texts for n in numbers_in(text)]
    return found


def texts_within(tree: exp.Expr, calls: Sequence[MacroCall]) -> Iterator[str]:
    """The texts in a tree, and all that the calls in it say."""
    yield from texts(tree)
    for number in sorted(calls_within(numbers_of(tree), calls)):
        yield from calls[number].texts


def texts_said(text: str, calls: Sequence[MacroCall]) -> list[str]:
    """A text, and what calls in it say."""
    within = calls_within(numbers_in(text), calls)
    return [text, *(each for number in within for each in calls[number].texts)]


def says_one_of(text: str, names: AbstractSet[str], calls: Sequence[MacroCall]) -> bool:
    """Whether one of the words, in small letters, is in a text or in what calls in it say."""
    said = texts_said(text, calls)
    return any(not names.isdisjoint(_WORD.findall(each.lower())) for each in said)


def calls_made(library: Library) -> list[int]:
    """The numbers of the calls that are made: by a query, a default, or what another call says."""
    usual = (text for macro in library.macros for text in macro.defaults.values())
    roots = [n for tree in library.trees for n in numbers_of(tree)]
    roots += [n for text in usual for n in numbers_in(text)]
    return sorted(calls_within(roots, library.calls))


def said_to(library: Library) -> dict[str, dict[str, list[str]]]:
    """By macro and parameter: what all calls say."""
    found: dict[str, dict[str, list[str]]] = {}
    for call in (library.calls[n] for n in calls_made(library)):
        for name, leaf in (*call.args, *call.unsaid):
            found.setdefault(call.macro, {}).setdefault(name, []).append(leaf.text)
    return found


def says_all(macro: Macro, calls: Iterable[MacroCall]) -> bool:
    """Whether each of its calls says what each of its parameters is."""
    said = ({name for name, _ in (*call.args, *call.unsaid)} for call in calls)
    return all(each >= {*macro.params} for each in said)


def parameters(macro: Macro) -> tuple[str, ...]:
    """The parameters as a template has them: those with a default come last, and those that follow
    from another one behind these."""
    return tuple(sorted(macro.params, key=lambda name: _rank(macro.defaults.get(name))))


def _rank(default: str | None) -> int:
    if default is None:
        return 0
    return 2 if HANDED_ON.fullmatch(default) or "h__" in default else 1


def with_tree(library: Library, host: str, tree: exp.Expr) -> Library:
    """The library in which a model or macro says that."""
    if host in library.models:
        return replace(library, models={**library.models, host: tree})
    macros = (replace(m, tree=tree) if m.name == host else m for m in library.macros)
    return replace(library, macros=tuple(macros))


def with_names_of_arguments(library: Library) -> Library:
    """The library in which calls that are handed on name their arguments where these do not stand
    as the parameters of the macro do."""
    order = {macro.name: parameters(macro) for macro in library.macros}

    def named(call: MacroCall) -> MacroCall:
        said = tuple(name for name, _ in call.args)
        same = order.get(call.macro, said)[: len(said)] == said
        return call if same else replace(call, named=True)

    return replace(library, calls=tuple(map(named, library.calls)))


def with_leading(library: Library) -> Library:
    """The library in which calls say the first parameters that they have to say without a name, as
    is usual in Python: the reader of a call knows what a macro is about, and not what else varies.
    Further ones are named, as nobody counts them."""
    required = {
        macro.name: [name for name in parameters(macro) if name not in macro.defaults]
        for macro in library.macros
    }
    calls = (
        replace(call, leading=tuple(required.get(call.macro, ())[:LEADING]))
        for call in library.calls
    )
    return replace(library, calls=tuple(calls))


def called_by(library: Library, hosts: Iterable[str]) -> frozenset[str]:
    """The macros that these models and macros call, and those that such macros do."""
    trees = library.hosts
    waiting = [trees[name] for name in hosts if name in trees]
    found: set[str] = set()
    while waiting:
        made = calls_within(numbers_of(waiting.pop()), library.calls)
        for name in {library.calls[n].macro for n in made} - found:
            found.add(name)
            if name in trees:
                waiting.append(trees[name])
    return frozenset(found)


def plain_library(drafts: Iterable[Draft]) -> Library:
    """Every model in its own words: nothing is a macro."""
    return Library({draft.name: draft.tree for draft in drafts}, (), ())


def users_of(library: Library) -> dict[str, frozenset[str]]:
    """By model or macro: the models whose SQL has its text, which are itself or those that call it,
    through other macros, too."""
    found: dict[str, set[str]] = {name: {name} for name in library.models}
    found |= {macro.name: set() for macro in library.macros}
    for model in library.models if library.macros else ():
        for macro in called_by(library, [model]):
            found[macro].add(model)
    return {name: frozenset(models) for name, models in found.items()}


def said_for(library: Library, macro: str, parameter: str) -> Iterator[tuple[str, str]]:
    """What calls of a macro say for a parameter, each with the macro that it may be one of."""
    own = next((each for each in library.macros if each.name == macro), None)
    if own is not None and parameter in own.defaults:
        yield "", own.defaults[parameter]
    inside = {
        n: each.name
        for each in library.macros
        for n in calls_within(numbers_of(each.tree), library.calls)
    }
    for number, call in enumerate(library.calls):
        if call.macro == macro:
            for name, leaf in (*call.args, *call.unsaid):
                if name == parameter:
                    yield inside.get(number, ""), leaf.text


def all_said_in(library: Library, model: str) -> frozenset[str]:
    """All that a model says, and the macros that it calls."""
    macros = called_by(library, [model])
    own = [each for each in library.macros if each.name in macros]
    trees = [library.models[model], *(each.tree for each in own)]
    said = (text for tree in trees for text in texts_within(tree, library.calls))
    return frozenset((*said, *(text for each in own for text in each.defaults.values())))
