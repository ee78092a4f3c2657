"""The language of a function's body."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

_JAVASCRIPT: Final = frozenset({"js", "javascript"})


def language(tree: exp.Expr) -> str:
    """What a CREATE says of it, in lower case; empty where it says nothing."""
    said = tree.find(exp.LanguageProperty)
    return said.name.lower() if said is not None else ""


def is_javascript(tree: exp.Expr) -> bool:
    """Whether it makes a function whose body is a text in that language."""
    is_function = str(tree.args.get("kind") or "").upper() == "FUNCTION"
    return is_function and language(tree) in _JAVASCRIPT
