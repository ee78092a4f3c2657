"""Names and constants as Jinja expressions that print what they are in SQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from sqlglot import exp

from unwet.rewrite.alternatives import NO_ALTERNATIVE
from unwet.rewrite.library import (
    HANDED_ON,
    HOLE,
    NAMES,
    NO_CONDITION,
    NO_NAMES,
    NO_VALUE,
    MacroCall,
)
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.negations import negated
from unwet.rewrite.targets.tokens import TOKEN

_CONSTANT = re.compile(r"'(?:[^']|'')*'|[^\s,']+")
# SQL Server, "Constants"; Oracle, before 23ai; Teradata: a condition is no value, and TRUE is none
_NO_TRUE = frozenset({"tsql", "fabric", "oracle", "teradata"})
_TELLS_NOTHING = frozenset({"none", "true", "false", "''"})
_WHOLE = re.compile(r"0|[1-9]\d{0,17}")
_SIGNS = {"\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\f": r"\f", "\v": r"\v"}
# the borders of a tag: who looks for its end knows nothing of the texts in it
_BORDERS = re.compile(r"\{(?=[{%#])|(?<=[}%#])\}")
# a schema with a parameter in it, and a table, which may have one, too
_HELD = re.compile(r"((?:[a-z0-9]+_)*h__[a-z]\w*?__h(?:_[a-z0-9]+)*)__(\w+)")


def argument(leaf: Leaf, dialect: str, calls: Sequence[MacroCall] = ()) -> str:
    """A leaf as a Jinja expression that prints what the leaf is in the dialect's SQL."""
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None and leaf.kind == "condition":
        call = calls[int(inner[1])]
        said = [(name, argument(each, dialect, calls)) for name, each in call.args]
        if not call.bare and (call.unsaid or (call.named and len(said) > 1)):
            return f"{call.macro}({', '.join(arguments(said, call.leading))})"
        return f"{call.macro}({', '.join(text for _, text in said)})"
    if leaf.kind == "names":
        return "none" if leaf == NO_VALUE else leaf.text
    if leaf.kind == "number":
        return word(leaf.text)
    if leaf.kind == "condition":
        return _joined(spoken(leaf.text, dialect), dialect, calls)
    if leaf.kind == "list":
        return _joined(leaf.text) if TOKEN.search(leaf.text) else _listed(leaf.text)
    if leaf.kind == "string":
        return _joined(exp.Literal.string(leaf.text).sql(dialect or None)[1:-1])
    if TOKEN.search(leaf.text):
        return _joined(leaf.text)
    return _joined(exp.to_identifier(leaf.text, quoted=leaf.quoted).sql(dialect or None))


def arguments(said: Sequence[tuple[str, str]], leading: Sequence[str]) -> list[str]:
    """What a call says by parameter, as Jinja expressions: the ``leading`` ones without a name, up
    to one whose value alone tells nothing (as `true`, the "boolean trap")."""
    texts = dict(said)
    first = [*takewhile(lambda name: texts.get(name, "none") not in _TELLS_NOTHING, leading)]
    named = (f"{name}={text}" for name, text in said if name not in first)
    return [*(texts[name] for name in first), *named]


def _listed(text: str) -> str:
    """Constants as a Jinja list of what each is in SQL."""
    values = [value for value in _CONSTANT.findall(text)]
    return f"[{', '.join(v if _WHOLE.fullmatch(v) else quoted(v) for v in values)}]"


def word(text: str) -> str:
    """A text that stands in SQL as it is, as a Jinja expression."""
    return text if _WHOLE.fullmatch(text) else _joined(text)


def _joined(text: str, dialect: str = "", calls: Sequence[MacroCall] = ()) -> str:
    """Literal text and tokens put together with Jinja's ``~``; ``calls``: those that may stand in
    it."""
    pieces: list[str] = []
    at = 0
    for match in TOKEN.finditer(text):
        if match.start() > at:
            pieces.append(quoted(text[at : match.start()]))
        called = calls and HANDED_ON.fullmatch(match.group())
        said = Leaf("condition", match.group())
        pieces.append(argument(said, dialect, calls) if called else expression(match))
        at = match.end()
    if at < len(text) or not pieces:
        pieces.append(quoted(text[at:]))
    return " ~ ".join(pieces)


def quoted(text: str) -> str:
    """A text as a Jinja string; of its blanks only spaces stand there as they are, as layouts move
    and widen the others."""
    escaped = _BORDERS.sub(_coded, "".join(_SIGNS.get(sign, sign) for sign in text))
    if "'" in text and '"' not in text:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"


def _coded(sign: re.Match[str]) -> str:
    return f"\\x{ord(sign.group()):02x}"


def expression(match: re.Match[str]) -> str:
    """What a token stands for, inside of a Jinja tag."""
    name = match["name"]
    match match["kind"].lower():
        case "ref":
            return f"ref({_joined(name) if HOLE.search(name) else quoted(name)})"
        case "src":
            names = _schema_and_table(name)
            said = (_joined(n) if HOLE.search(n) else quoted(n) for n in names)
            return f"source({', '.join(said)})"
        case "p":
            # the default is never seen: a model without the value is not enabled
            return f"var('{name.lower()}', '{name.lower()}')"
        case "list":
            return f"{name} | join(', ')"
        case "dashes":
            return f"{_joined(name)} | replace('_', '-')"
        case "underscores":
            return f"{_joined(name)} | replace('-', '_')"
        case first if first.startswith("first"):
            return f"{_joined(name)}[:{first.removeprefix('first')}]"
        case _:
            return name


def _schema_and_table(name: str) -> tuple[str, str]:
    """Of a source's token, both of which may have a parameter in them."""
    held = _HELD.match(name)
    schema, _, table = name.partition("__") if held is None else (held[1], "", held[2])
    return schema, table


def look_up(rows: Sequence[tuple[str, Leaf]], key: str, dialect: str) -> str:
    """What a macro says that has a value for each key. Only dbt has `return`."""
    items = _items(rows, dialect)
    return "\n".join(["{% set found = {", *items, "} %}", f"{{{{ return(found[{key}]) }}}}"])


def printed_look_up(rows: Sequence[tuple[str, Leaf]], key: str, dialect: str) -> str:
    """The same for a macro that prints the value, and nothing around it."""
    return "\n".join(["{{- {", *_items(rows, dialect), f"}}[{key}] -}}}}"])


def _items(rows: Sequence[tuple[str, Leaf]], dialect: str) -> list[str]:
    return [f"    {quoted(name)}: {argument(leaf, dialect)}," for name, leaf in rows]


def usual(text: str, dialect: str, calls: Sequence[MacroCall]) -> str:
    """What a parameter is where a call says nothing, as a Jinja expression."""
    if text in (NO_NAMES.text, NO_VALUE.text) or NAMES.fullmatch(text):
        return argument(Leaf("names", text), dialect)
    said = spoken(text, dialect)
    return said if _WHOLE.fullmatch(said) else _joined(said, dialect, calls)


def spoken(condition: str, dialect: str) -> str:
    """A condition in the dialect's words."""
    if condition == NO_CONDITION.text:
        return "1 = 1" if dialect in _NO_TRUE else condition
    if condition == NO_ALTERNATIVE.text:
        return "1 = 0" if dialect in _NO_TRUE else condition
    return negated(condition, dialect, is_whole=False)
