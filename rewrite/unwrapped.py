"""Macros that do nothing but call another macro: their callers call that one.

Two macros become one, and each is left as a call of it with some of its own arguments. What a
caller says for a parameter takes the place of the parameter in what the macro handed on.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, MutableMapping, MutableSequence, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.rewrite.library import HANDED_ON, Macro, MacroCall
from unwet.rewrite.placed_calls import arguments, call_node, calls_in, is_call, like_which
from unwet.rewrite.shapes import Leaf

_PARAMETER: Final = re.compile(r"h__(\w+?)__h(?![a-z])", re.IGNORECASE)
_Said = Mapping[str, Leaf]
_Calls = defaultdict[str, list[exp.Anonymous]]  # of one host, by what is called


def unwrapped(
    hosts: MutableMapping[str, exp.Expr],
    macros: Sequence[Macro],
    calls: MutableSequence[MacroCall],
) -> Iterator[tuple[str, AbstractSet[str]]]:
    """In place: nothing calls these macros any more; gives back their names, and the hosts of the
    calls that are changed."""
    known: dict[str, _Calls] = {}
    for macro in macros:
        tree = hosts[macro.name]
        if not is_call(tree):
            continue
        places = _places(macro, hosts, known)
        if _may_go(macro, tree, [node for _, node in places], calls):
            for host, node in places:
                like = like_which(node) or macro.name
                made = _inner(tree, dict(arguments(node)), calls, like)
                if node is hosts[host]:
                    hosts[host] = made
                else:
                    node.replace(made)
            for at, call in enumerate(calls):
                if call.macro == macro.name:
                    made = _inner(tree, dict((*call.args, *call.unsaid)), calls)
                    target, said = made.this[len("call__") :], tuple(arguments(made))
                    calls[at] = replace(call, macro=target, args=said, unsaid=())
            changed = {host for host, _ in places}
            for host in changed:
                del known[host]
            yield macro.name, changed


def _places(
    macro: Macro, hosts: Mapping[str, exp.Expr], known: MutableMapping[str, _Calls]
) -> list[tuple[str, exp.Anonymous]]:
    """The calls of a macro, and whose they are; ``known``: those of hosts that were looked at."""
    for host, root in hosts.items():
        if host not in known:
            own = known[host] = defaultdict(list)
            for node in calls_in(root):
                own[node.this].append(node)
    name = f"call__{macro.name}"
    return [(host, node) for host in hosts for node in known[host].get(name, ())]


def _may_go(
    macro: Macro, tree: exp.Expr, places: Sequence[exp.Expr], calls: Sequence[MacroCall]
) -> bool:
    """Whether all callers say what can take the place of a parameter."""
    every = [dict(arguments(node)) for node in places]
    every += [dict((*c.args, *c.unsaid)) for c in calls if c.macro == macro.name]
    parts = [leaf for _, leaf in _handed(tree, calls)]
    inside = [name for leaf in parts if not _PARAMETER.fullmatch(leaf.text)
              for name in _PARAMETER.findall(leaf.text)]  # fmt: skip
    plain = all(_is_plain(said[name]) for said in every for name in inside)
    return plain and set(macro.params) >= {n for leaf in parts for n in _names(leaf)}


def _names(leaf: Leaf) -> list[str]:
    return _PARAMETER.findall(leaf.text)


def _handed(tree: exp.Expr, calls: Sequence[MacroCall]) -> Iterator[tuple[str, Leaf]]:
    """What a call says, and the calls among that."""
    stack = list(arguments(tree))
    while stack:
        name, leaf = stack.pop()
        yield name, leaf
        if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
            stack += calls[int(inner[1])].args


def _is_plain(leaf: Leaf) -> bool:
    """Whether the value may stand within a text."""
    return (
        leaf.kind != "list"
        and not leaf.quoted
        and "'" not in leaf.text
        and (HANDED_ON.search(leaf.text) is None)
    )


def _inner(
    tree: exp.Expr, said: _Said, calls: MutableSequence[MacroCall], like: str = ""
) -> exp.Anonymous:
    args = tuple((name, _instead(leaf, said, calls)) for name, leaf in arguments(tree))
    return call_node(tree.this[len("call__") :], args, like=like)


def _instead(leaf: Leaf, said: _Said, calls: MutableSequence[MacroCall]) -> Leaf:
    """The leaf with what is said for the parameters in it."""
    if (whole := _PARAMETER.fullmatch(leaf.text)) is not None:
        return said[whole[1]]
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
        call = calls[int(inner[1])]
        args = tuple((name, _instead(each, said, calls)) for name, each in call.args)
        if args == call.args:
            return leaf
        calls.append(replace(call, args=args))
        return Leaf(leaf.kind, f"call__{len(calls) - 1}__call")
    text = _PARAMETER.sub(lambda found: said[found[1]].text, leaf.text)
    return Leaf(leaf.kind, text, leaf.quoted)
