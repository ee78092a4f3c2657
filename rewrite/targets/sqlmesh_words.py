"""How a template of ours reads in SQLMesh: models by their names, parameters as `@x` where it can
be SQL, and as Jinja where macros are called."""

from __future__ import annotations

import re
from collections.abc import Collection

from sqlglot import exp

from unwet.lineage.lexer import CODE, pieces
from unwet.rewrite.library import Library, MacroCall, calls_within, numbers_in, numbers_of
from unwet.rewrite.mesh_names import TAKEN
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.jinja_values import spoken
from unwet.rewrite.targets.mesh_relations import in_schema, model_of, table_of
from unwet.rewrite.targets.placing import Places
from unwet.rewrite.targets.tokens import TOKEN

_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_REF = re.compile(r"\bref\('(\w+)'\)")
_SOURCE = re.compile(r"\bsource\('(\w+?)', '(\w+)'\)")
_EXPRESSION = r"((?:[^()']|'[^']*'|\((?:[^()']|'[^']*')*\))+)"
_ANY_SOURCE = re.compile(rf"\bsource\('(\w+?)', {_EXPRESSION}\)")
_WITHOUT_COMMA = _EXPRESSION.replace("[^()']", "[^()',]")
_IN_ANY_SCHEMA = re.compile(rf"\bsource\((?!'\w+', ){_WITHOUT_COMMA}, {_EXPRESSION}\)")
_ANY_REF = re.compile(rf"\bref\({_EXPRESSION}\)")
_VAR = re.compile(r"""\bvar\((['"])(\w+)\1, (['"])\w+\3\)""")
_GIVEN = re.compile(r"(?<!')\{\{ var\('(\w+)'\) \}\}(?![.'])")  # no schema, which no driver puts
_PLACEHOLDER = re.compile(
    r"p__(\w+?)__p(?:(?![a-z])|(?=p__))", re.IGNORECASE
)  # in the name of a source
_ALONE = re.compile(r"\{\{ (?:'([^'\\]*)'|\"([^\"\\]*)\") \}\}")
_BOTH = re.compile(r"\{\{ '((?:[^'\\]|\\')*)' \}\}")  # a name with quotes and a ' in them
_STRINGS = re.compile(r"'(?:[^'\\]|\\.|'')*'")
_PUT_TOGETHER = re.compile(r"\{\{ '([^'{}]*)' ~ (\w+)(?: ~ '([^'{}]*)')? \}\}")
_READ_BY_SQLMESH = re.compile(r"@(?:\w|\{|@)")


def spelled(template: str, where: Places) -> str:
    """The template with names in place of `ref` and `source`; the default of a variable, which
    nothing is compiled with, is left out."""

    def tag(hit: re.Match[str]) -> str:
        text = _REF.sub(lambda m: _text(where.relation("ref", m[1].lower())), hit.group())
        text = _SOURCE.sub(lambda m: _text(where.relation("src", f"{m[1]}__{m[2]}".lower())), text)
        text = _ANY_SOURCE.sub(lambda m: table_of(m[1], m[2], where), text)
        text = _IN_ANY_SCHEMA.sub(lambda m: in_schema(m[1], m[2], where), text)
        text = _ANY_REF.sub(lambda m: model_of(m[1], where), text)
        is_named = text != hit.group()
        text = _VAR.sub(r"var(\1\2\1)", text)
        if not is_named:
            return text
        if alone := _ALONE.fullmatch(text):
            return _given(alone[1] or alone[2])
        if (named := _BOTH.fullmatch(text)) is not None:
            return _given(named[1].replace("\\'", "'"))
        if (put := _PUT_TOGETHER.fullmatch(text)) is not None:
            return _given(f"{put[1]}{{{{ {put[2]} }}}}{put[3] or ''}")
        return _STRINGS.sub(lambda m: _joined(m.group()), text)

    return _TAG.sub(tag, template)


def _given(text: str) -> str:
    """SQL with variables in place of the placeholders in names of sources."""
    return _PLACEHOLDER.sub(lambda hit: f"{{{{ var('{hit[1].lower()}') }}}}", text)


def _joined(text: str) -> str:
    """The same of a text within a tag: `var('cdm') ~ '.person'`."""
    parts = _PLACEHOLDER.split(text[1:-1])
    said = [f"var('{part.lower()}')" if at % 2 else f"'{part}'" for at, part in enumerate(parts)]
    return " ~ ".join(part for part in said if part != "''") if len(parts) > 1 else text


def is_template(text: str) -> bool:
    """Whether there is any Jinja in it."""
    return _TAG.search(text) is not None


def is_plain(sql: str, dialect: str) -> bool:
    """Whether SQLMesh leaves the SQL alone: it reads @x outside of strings as its own."""
    code = (sql[p.start : p.end] for p in pieces(sql, dialect) if p.kind == CODE)
    return not any(_READ_BY_SQLMESH.search(text) for text in code)


def as_variables(template: str, params: Collection[str]) -> str:
    """SQL with `@x` in place of Jinja's parameters, which are SQL with their quotes; empty where
    that cannot be said so: other Jinja, a parameter inside of a text, or one that is called as
    something of SQLMesh's own."""
    if any(name.lower() in TAKEN for name in params):
        return ""
    names = "|".join(map(re.escape, sorted(params))) or r"(?!)"
    whole = re.sub(rf"(?<!')'\{{\{{ ({names}) \}}\}}'(?!')", r"@\1", template)
    found = re.sub(
        rf"\{{\{{ ({names}) \}}\}}(?!\w)",
        r"@\1",
        re.sub(rf"(?<=\w)\{{\{{ ({names}) \}}\}}|\{{\{{ ({names}) \}}\}}(?=\w)", _at, whole),
    )
    texts = {*_STRINGS.findall(found)} - {*_STRINGS.findall(template)}
    return "" if texts or is_template(found) else found


def bound_variables(template: str, bound: Collection[str]) -> str:
    """The template with `@x` where a driver puts a value; empty where variables that are text of
    any kind stand in it, too. (In SQL, `@x` of a text in config.yaml is a text with quotes.)"""
    bound = {name for name in bound if name.lower() not in TAKEN}
    found = _GIVEN.sub(lambda hit: f"@{hit[1]}" if hit[1] in bound else hit.group(), template)
    return "" if _GIVEN.search(found) or "var(" in "".join(_TAG.findall(found)) else found


def value(leaf: Leaf, where: Places) -> str | None:
    """What stands for a parameter in a blueprint, as SQL; None where that cannot be said there."""
    dialect = where.dialect or None
    if leaf.kind == "string":
        if TOKEN.search(leaf.text):
            return None
        return exp.Literal.string(leaf.text).sql(dialect)
    if leaf.kind not in ("name", "number", "condition"):
        return None
    relation = TOKEN.fullmatch(leaf.text)
    if relation is not None and relation["kind"].lower() in ("ref", "src"):
        name = where.relation(relation["kind"].lower(), relation["name"].lower())
        return None if _PLACEHOLDER.search(name) else name
    if TOKEN.search(leaf.text):
        return None
    if leaf.kind == "name":
        return exp.to_identifier(leaf.text, quoted=leaf.quoted).sql(dialect)
    return spoken(leaf.text, where.dialect)


def calls_of(library: Library, whole: bool = False) -> dict[str, dict[str, MacroCall]]:
    """For each macro that stands for several whole models its call in each of them; ``whole``: only
    those that nothing else calls."""
    found: dict[str, dict[str, MacroCall]] = {}
    partly = [n for m in library.macros for n in numbers_of(m.tree)]
    partly += [n for m in library.macros for text in m.defaults.values() for n in numbers_in(text)]
    for name, tree in library.models.items():
        token = TOKEN.fullmatch(tree.name) if isinstance(tree, exp.Var) else None
        if token is not None and token["kind"].lower() == "call":
            call = library.calls[int(token["name"])]
            found.setdefault(call.macro, {})[name] = call
            partly += [n for text in call.texts for n in numbers_in(text)]  # what it hands on
        else:
            partly += numbers_of(tree)
    others = {library.calls[n].macro for n in calls_within(partly, library.calls)}
    return {m: c for m, c in found.items() if len(c) > 1 and not (whole and m in others)}


def _at(hit: re.Match[str]) -> str:
    return f"@{{{hit[1] or hit[2]}}}"


def _text(name: str) -> str:
    """A name as Jinja's literal."""
    if "'" in name and '"' in name and "\\" not in name:
        return "'" + name.replace("'", "\\'") + "'"
    return f"'{name}'" if "'" not in name else f'"{name}"'
