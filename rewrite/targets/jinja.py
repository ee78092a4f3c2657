"""From a tree with tokens to a template: the one place that knows how tokens look in Jinja."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from sqlglot import exp

from unwet.lineage.parse import render
from unwet.lineage.trees import copied
from unwet.rewrite.library import LINE, MacroCall
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.tokens import TOKEN

# a brace in front of what becomes a tag would be read with it
_ESCAPE = re.compile(r"\{[{%#]|\{?[}%#]\}|\{(?=(?:ref|src|h|p|call)__)", re.IGNORECASE)
# dbt quotes what ref and source stand for; a quoted `{{ ref('x') }}` would be quoted twice
_QUOTED_RELATION = re.compile(r"([`\"\[])((ref|src|h)__\w+?__\3)[`\"\]]", re.IGNORECASE)
_CALL = re.compile(r"call__\d+__call")
_SELECTED = re.compile(r"\bSELECT\s+(call__\d+__call)\b", re.IGNORECASE)
_TAIL = re.compile(r"(?<=\))\s*SELECT\s+tail__(\d+)__tail", re.IGNORECASE)


def template(
    tree: exp.Expr,
    dialect: str,
    calls: Sequence[MacroCall],
    tail: bool = False,
    spent: bool = False,
) -> str:
    """The Jinja text of a tree. A tail's own WITH keyword is its caller's. ``spent``: nobody needs
    the tree again."""
    text = _text(tree, dialect, spent) if not isinstance(tree, exp.Var) else tree.name
    text = _ESCAPE.sub(lambda m: "{{ '" + m.group() + "' }}", text)
    text = _TAIL.sub(lambda m: ",\n" + call_text(calls[int(m.group(1))], dialect), text)
    text = _in_place(text, calls, dialect)
    if tail:
        text = re.sub(r"\AWITH(?: RECURSIVE)?\s+", "", text)
    return text


def _text(tree: exp.Expr, dialect: str, spent: bool) -> str:
    """The tree as SQL. Printing some dialects looks for sources: a call that stands for a query
    is given the look of one meanwhile."""
    tree = tree if spent else copied(tree)
    for word in [each for each in tree.find_all(exp.Var) if _CALL.fullmatch(each.name)]:
        if isinstance(word.parent, exp.Subquery):
            word.replace(exp.Table(this=exp.to_identifier(word.name)))
        elif isinstance(word.parent, exp.SetOperation):
            word.replace(exp.Select(expressions=[exp.Var(this=word.name)]))
    return _SELECTED.sub(r"\1", render(tree, dialect, spent=True))


def call_text(call: MacroCall, dialect: str) -> str:
    """``{{ macro(a=..., b=...) }}``, wrapped."""
    args = [f"{name}={argument(leaf, dialect)}" for name, leaf in call.args]
    line = f"{{{{ {call.macro}({', '.join(args)}) }}}}"
    if len(line) <= LINE:
        return line
    body = textwrap.fill(
        ", ".join(a.replace(" ", "\0") for a in args),
        LINE - 4,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{{{{ {call.macro}(\n" + textwrap.indent(body.replace("\0", " "), "    ") + "\n) }}"


def argument(leaf: Leaf, dialect: str) -> str:
    """A leaf as a Jinja expression that prints what the leaf is in the dialect's SQL."""
    if leaf.kind == "number" and re.fullmatch(r"0|[1-9]\d{0,8}", leaf.text):
        return leaf.text
    if leaf.kind == "condition":
        return _joined(leaf.text)
    if leaf.kind == "string":
        return _joined(exp.Literal.string(leaf.text).sql(dialect or None)[1:-1])
    if leaf.kind == "number" or TOKEN.search(leaf.text):
        return _joined(leaf.text)
    return _joined(exp.to_identifier(leaf.text, quoted=leaf.quoted).sql(dialect or None))


def _joined(text: str) -> str:
    """Literal text and tokens put together with Jinja's ``~``."""
    pieces: list[str] = []
    at = 0
    for match in TOKEN.finditer(text):
        if match.start() > at:
            pieces.append(_quoted(text[at : match.start()]))
        pieces.append(_expression(match))
        at = match.end()
    if at < len(text) or not pieces:
        pieces.append(_quoted(text[at:]))
    return " ~ ".join(pieces)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    if "'" in text and '"' not in text:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"


def _in_place(text: str, calls: Sequence[MacroCall], dialect: str) -> str:
    def put(match: re.Match[str]) -> str:
        if match["kind"].lower() == "call":
            call = call_text(calls[int(match["name"])], dialect)
            indent = re.search(r"[^\n]*\Z", text[: match.start()])
            pad = len(indent.group()) - len(indent.group().lstrip()) if indent else 0
            return call.replace("\n", "\n" + " " * pad)
        return "{{ " + _expression(match) + " }}"

    return TOKEN.sub(put, _QUOTED_RELATION.sub(r"\2", text))


def _expression(match: re.Match[str]) -> str:
    name = match["name"]
    match match["kind"].lower():
        case "ref":
            return f"ref('{name}')"
        case "src":
            schema, _, table = name.partition("__")
            return f"source('{schema}', '{table}')"
        case "p":
            # the default is never seen: a model without the value is not enabled
            return f"var('{name.lower()}', '{name.lower()}')"
        case _:
            return name
