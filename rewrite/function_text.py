"""The statement that makes a function, under another name: its text, and what the text means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token

from unwet.lineage.parse import Statement, parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.lineage.tokenizing import Stretch, tokenize
from unwet.lineage.trees import copied
from unwet.rewrite.function_words import (
    defines,
    has_schema,
    is_temporary,
    meaning,
    plain,
    with_whole_names,
)

_HEAD: Final = re.compile(
    r"CREATE\b[\w\s]*?\b(FUNCTION|MACRO)\s+(?:IF\s+NOT\s+EXISTS\s+)?", re.IGNORECASE
)


def made_anew(statement: Statement, name: str, renames: Mapping[str, str]) -> str | None:
    """The text of a CREATE FUNCTION for one that lasts, called ``name``; ``renames``: other names
    for functions that it calls, by the names that it has for them, in lower case. The body stands
    there letter by letter. None where the text is not one that is surely understood."""
    text = statement.text.strip().rstrip(";").rstrip()
    tokens = _tokens(text, statement.dialect)
    opening = next((at for at, token in enumerate(tokens) if token.text == "("), 0)
    own = tokens[opening - 1] if opening else None
    head = _HEAD.fullmatch(text[: own.start]) if own is not None else None
    if own is None or head is None:
        return None
    body = _renamed(text, tokens[opening:], own.end + 1, renames)
    made = f"CREATE OR REPLACE {head[1].upper()} {name}{body}"
    found = created(made, statement.dialect)
    if found is None or is_temporary(found) or defines(found) != name.lower():
        return None
    wanted = copied(statement.tree)
    with_calls(wanted, renames)
    spoken = copied(found)
    with_whole_names(spoken, {*renames.values()})
    return made if meaning(spoken) == meaning(wanted) else None


def created(text: str, dialect: str) -> exp.Create | None:
    """The one CREATE FUNCTION that a text is; None for any other."""
    found = all_created(text, dialect)
    return found[0] if len(found) == 1 else None


def all_created(text: str, dialect: str) -> tuple[exp.Create, ...]:
    """The CREATE FUNCTIONs that a text is, with semicolons between them; none where it is anything
    else."""
    script = parse(verbatim(Source("function.sql", text, dialect)), dialect)
    trees = [statement.tree for statement in script.statements]
    made = tuple(tree for tree in trees if isinstance(tree, exp.Create) and defines(tree))
    starts = [statement.start for statement in script.statements]
    apart = all(_ends(text[one:two], dialect) for one, two in pairwise(starts))
    return made if len(made) == len(trees) and apart and not script.findings else ()


def _ends(text: str, dialect: str) -> bool:
    """Whether a statement has its semicolon."""
    return [token.text for token in _tokens(text, dialect)[-1:]] == [";"]


def with_calls(tree: exp.Expr, renames: Mapping[str, str]) -> None:
    """In place: other names for the functions that a tree calls."""
    for node in [*tree.find_all(exp.Anonymous)]:
        if not has_schema(node) and (new := renames.get(node.name.lower())) is not None:
            node.set("this", new)


def _tokens(text: str, dialect: str) -> Sequence[Token]:
    stretches = [*tokenize(text, dialect)]
    if len(stretches) != 1 or not isinstance(stretches[0], Stretch):
        return ()
    return stretches[0].tokens


def _renamed(text: str, tokens: Sequence[Token], at: int, renames: Mapping[str, str]) -> str:
    """The text from a place on, with other names for functions that it calls."""
    made = ""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        new = renames.get(plain(token.text).lower())
        if new is not None and after.text == "(" and before.text != ".":
            made += text[at : token.start] + new
            at = token.end + 1
    return made + text[at:]
