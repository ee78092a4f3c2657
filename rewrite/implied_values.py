"""What one argument of a call tells is not said again by another: it follows from a parameter.

    {{ stats(best=ref('int_best_7'), events=ref('int_events_7'), ids=[1, 2], others=[1, 2]) }}
 -> {{ stats(report=7, ids=[1, 2]) }}

where the macro has `best=ref('int_best_' ~ report), events=ref('int_events_' ~ report),
others=ids`. A call that wants something else still says it. So is it with a call: `p=ranked(q=pe)`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from unwet.rewrite.affixed_names import affixed_names
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    Library,
    Macro,
    MacroCall,
    calls_within,
    numbers_by_macro,
    numbers_in,
    numbers_of,
)
from unwet.rewrite.named_alike import named_alike, of_one_word
from unwet.rewrite.origins import named_after, of_one_origin
from unwet.rewrite.said_less import LEAST, SHARE, Change, head, height, with_defaults, without_idle
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.two_words import beside_a_word, of_two_words


def with_implied_values(library: Library, taken: Collection[str]) -> Library:
    """The library in which calls do not say what follows from what they say, as far as that makes
    lines fewer. ``taken``: names that no parameter may have."""
    calls, macros = list(library.calls), list(library.macros)
    roots = _roots(library)
    numbers = numbers_by_macro(calls, sorted(roots))
    hidden = {*taken, *(macro.name for macro in macros)}
    together = [numbers_of(tree) for tree in library.trees]
    steps: tuple[Callable[[Macro, Mapping[int, MacroCall]], Change | None], ...] = (
        lambda macro, own: named_after(macro, own, together),
        lambda macro, own: named_alike(macro, own, hidden),
        lambda macro, own: of_one_origin(macro, own, together, hidden),
        lambda macro, own: _repeated(macro, own, calls),
        lambda macro, own: _around(macro, own, calls),
        lambda macro, own: affixed_names(macro, own, together),
        lambda macro, own: beside_a_word(macro, own, together, hidden),
        lambda macro, own: of_one_word(macro, own, together, hidden),
        lambda macro, own: of_two_words(macro, own, together, hidden),  # the first of its words
    )
    for at in range(len(macros)):
        for step in steps:
            macro, own = macros[at], {n: calls[n] for n in numbers.get(macros[at].name, ())}
            change = step(macro, own) if len(own) >= LEAST and macro.kind != "look_up" else None
            if change is None or not in_order(change.macro, macro, calls):
                continue
            shown = sorted({root for number in own for root in roots[number]})
            after = [*calls, *change.more]
            for number, call in change.calls.items():
                after[number] = call
            before, now = (sum(height(each[n], each) for n in shown) for each in (calls, after))
            if now + head(change.macro) < before + head(macro):
                macros[at], calls = change.macro, after
    return Library(library.models, tuple(macros), tuple(calls))


def in_order(macro: Macro, before: Macro, calls: Sequence[MacroCall]) -> bool:
    """Whether no default is new that another default reads: it would be read before it is known,
    and a look-up would have no row for it."""
    new = {*macro.defaults} - {*before.defaults}
    within = calls_within((n for text in before.defaults.values() for n in numbers_in(text)), calls)
    told = [text for n in within for text in calls[n].texts]
    said = {name for text in (*before.defaults.values(), *told) for name in HOLE.findall(text)}
    return new.isdisjoint(said)


def _roots(library: Library) -> dict[int, frozenset[int]]:
    """For each call that something says, those that it is written in: itself, where a query calls;
    none where it is a default."""
    found: dict[int, set[int]] = defaultdict(set)
    for tree in library.trees:
        for root in numbers_of(tree):
            waiting = [root]
            while waiting:
                number = waiting.pop()
                found[number].add(root)
                waiting += _handed(library.calls[number])
    usual = [text for macro in library.macros for text in macro.defaults.values()]
    waiting = [number for text in usual for number in numbers_in(text)]
    while waiting:
        number = waiting.pop()
        found[number] |= set()
        waiting += _handed(library.calls[number])
    return {number: frozenset(roots) for number, roots in found.items()}


def _handed(call: MacroCall) -> list[int]:
    return [number for _, leaf in call.args for number in numbers_in(leaf.text)]


def _repeated(
    macro: Macro, own: Mapping[int, MacroCall], calls: Sequence[MacroCall]
) -> Change | None:
    """The macro in which a parameter is another one where a call does not say it."""
    said = {number: {name: _whole(leaf, calls) for name, leaf in call.args if _is_long(leaf)}
            for number, call in own.items()}  # fmt: skip
    follow: dict[str, str] = {}
    free = [name for name in macro.params if name not in macro.defaults]
    for at, name in enumerate(free):
        for first in free[:at]:
            same = sum(name in each and each.get(first) == each[name] for each in said.values())
            if same >= max(LEAST, SHARE * len(own)) and first not in follow:
                follow[name] = first
                break
    idle = {number: {name for name, first in follow.items()
                     if name in told and told.get(first) == told[name]}
            for number, told in said.items()}  # fmt: skip
    follow = {name: f"h__{first}__h" for name, first in follow.items()}
    return Change(with_defaults(macro, follow), without_idle(own, idle)) if follow else None


def _around(
    macro: Macro, own: Mapping[int, MacroCall], calls: Sequence[MacroCall]
) -> Change | None:
    """The macro in which a parameter is a call with another one where a call does not say it."""
    free = [name for name in macro.params if name not in macro.defaults]
    votes: dict[str, dict[tuple[str, MacroCall], set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, call in own.items():
        said = dict(call.args)
        for name in free:
            hit = HANDED_ON.fullmatch(said[name].text) if name in said else None
            if hit is None:
                continue
            for first in free:
                if first != name and first in said and _is_long(said[first]):
                    inner = _given(calls[int(hit[1])], said[first], first, calls)
                    if inner is not None:
                        votes[name][first, inner].add(number)
    follow: dict[str, str] = {}
    idle: dict[int, set[str]] = {number: set() for number in own}
    more: list[MacroCall] = []
    bases = set[str]()
    for name, found in votes.items():
        (first, inner), fit = max(found.items(), key=lambda each: len(each[1]))
        if len(fit) >= max(LEAST, SHARE * len(own)) and first not in follow and name not in bases:
            follow[name] = f"call__{len(calls) + len(more)}__call"
            more.append(inner)
            bases.add(first)
            for number in fit:
                idle[number].add(name)
    return (
        Change(with_defaults(macro, follow), without_idle(own, idle), tuple(more))
        if follow
        else None
    )


def _given(call: MacroCall, value: Leaf, name: str, calls: Sequence[MacroCall]) -> MacroCall | None:
    """The call with a parameter in place of the arguments that have its value; None without."""
    whole = _whole(value, calls)
    mine = Leaf("condition", f"h__{name}__h")
    args = tuple((each, mine if _whole(leaf, calls) == whole else leaf) for each, leaf in call.args)
    hidden = any(
        "h__" in leaf.text or numbers_in(leaf.text) for _, leaf in args if leaf is not mine
    )
    return (
        None
        if args == call.args or hidden
        else MacroCall(call.macro, args, call.unsaid, named=True)
    )


def _is_long(leaf: Leaf) -> bool:
    """Numbers and short names are the same by chance."""
    return leaf.kind in ("list", "condition")


def _whole(leaf: Leaf, calls: Sequence[MacroCall]) -> object:
    """A value that is equal for equal arguments, whichever call they are."""
    hit = HANDED_ON.fullmatch(leaf.text) if leaf.kind == "condition" else None
    if hit is None:
        return leaf
    call = calls[int(hit[1])]
    return call.macro, frozenset((name, _whole(each, calls)) for name, each in call.args)
