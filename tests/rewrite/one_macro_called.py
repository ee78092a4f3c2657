"""A library of one macro, from what its calls say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp, parse_one

from unwet.rewrite.library import Library, Macro, MacroCall
from unwet.rewrite.shapes import Leaf


def library(
    *said: Mapping[str, Leaf], models: Iterable[Sequence[int]] = (), name: str = "m"
) -> Library:
    """A macro with its calls, each in a model of its own unless ``models`` says which ones are
    branches of one."""
    calls = tuple(MacroCall(name, tuple(each.items())) for each in said)
    hosts: dict[str, exp.Expr] = {}
    for n, numbers in enumerate(models or [[n] for n in range(len(said))]):
        words: list[exp.Expr] = [exp.Var(this=f"call__{each}__call") for each in numbers]
        tree = words[0]
        for word in words[1:]:
            tree = exp.Union(this=tree, expression=word, distinct=False)
        hosts[f"r{n}"] = tree
    params = tuple(said[0])
    tree = parse_one("SELECT " + ", ".join(f"h__{each}__h" for each in params))
    return Library(hosts, (Macro(name, params, tree, "query"),), calls)
