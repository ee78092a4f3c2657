"""What templates say about the queries of a pile: macros that stand for a query and read the CTEs
that they are handed by name, and loops whose variable is a table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from unwet.lineage.names import is_token
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Query, Resolved
from unwet.rewrite.reads import blocks

_LOOP: Final = re.compile(r"\{%[-+]?\s*for\s+([\w\s,]+?)\s+in\b")
_CALL: Final = re.compile(r"\{\{[-+]?\s*([\w.]+)\s*\(")
_STRING: Final = re.compile(r"'(\w+)'|\"(\w+)\"")
LOOP_VARIABLE: Final = "{{ loop variable }}"


class Macros:
    """The macros and loops of one pile."""

    def __init__(self, pile: Pile) -> None:
        self._texts: dict[str, str] = {}
        self._handed: dict[int, tuple[Query, ...]] = {}
        loops = {name for script in pile.scripts for name in _loop_variables(script.source.text)}
        for resolved in pile.resolved:
            for place in resolved.statement.masked.placeholders:
                self._texts.setdefault(place.token.lower(), place.text)
        self._loops = {
            token for token, text in self._texts.items() if text.strip("{}-+ \n") in loops
        }
        for resolved in pile.resolved:
            self._note(resolved)

    def relation(self, name: str) -> str:
        """A relation's name; a loop's variable has none of its own, it is every table in turn."""
        return LOOP_VARIABLE if name.lower() in self._loops else name

    def called(self, query: Query) -> str | None:
        """`{{ name }}` where a query is nothing but a call of that macro."""
        token = _token(query.node) if query.kind == "other" else None
        call = _CALL.match(self._texts.get(token, "")) if token is not None else None
        return f"{{{{ {call[1]} }}}}" if call is not None else None

    def handed(self, query: Query) -> tuple[Query, ...]:
        """The CTEs whose names a macro is called with: it reads them."""
        return self._handed.get(id(query), ())

    def _note(self, resolved: Resolved) -> None:
        if resolved.query is None or not any(
            _CALL.match(place.text) for place in resolved.statement.masked.placeholders
        ):
            return
        found = list(blocks(resolved.query))
        ctes = {name: cte for query in found for name, cte in query.ctes.items()}
        for query in found:
            if self.called(query) is not None:
                self._handed[id(query)] = self._named(query, ctes)

    def _named(self, query: Query, ctes: Mapping[str, Query]) -> tuple[Query, ...]:
        text = self._texts[_token(query.node) or ""]
        names = dict.fromkeys((one or other).lower() for one, other in _STRING.findall(text))
        return tuple(ctes[name] for name in names if name in ctes and ctes[name] is not query)


def _loop_variables(text: str) -> set[str]:
    if "{%" not in text:
        return set()
    return {name.strip() for found in _LOOP.findall(text) for name in found.split(",")}


def _token(node: exp.Expression) -> str | None:
    name = node.name.lower() if isinstance(node, (exp.Column, exp.Identifier, exp.Table)) else ""
    return name if is_token(name) else None
