"""The text of one SQLMesh model file: its MODEL block, blueprints, and the query behind it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from unwet.lineage.lexer import CODE, COMMENT, STRING, pieces
from unwet.rewrite.mesh_names import TAKEN, VARIABLES
from unwet.rewrite.prove.sandbox import TemplateFailure

_MODEL = re.compile(r"\bMODEL\s*\(", re.IGNORECASE)
_JINJA = re.compile(r"JINJA_QUERY_BEGIN\s*;(.*?)JINJA_END\s*;?", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"\s*(\w+)\s*:=\s*(.*?)\s*\Z", re.DOTALL)
_AT = re.compile(r"@(?:\{(\w+)\}|(\w+))(\s*\()?")
_ENTRY = re.compile(r"\s*(\w+)\s*(.*?)\s*\Z", re.DOTALL)
_QUERY = re.compile(r"[\s(]*(?:SELECT|WITH|VALUES|FROM)\b", re.IGNORECASE)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """`settings`: the entries of the MODEL block, keys in lower case; `query` is the text behind
    it, `jinja` whether that is a template, `besides` the statements around it. `blueprints`: what
    stands for each variable, as SQL; `above`: how many lines stand above the query."""

    settings: Mapping[str, str]
    query: str
    jinja: bool
    blueprints: tuple[Mapping[str, str], ...]
    besides: tuple[str, ...] = ()
    above: int = 0


def read_model(text: str, dialect: str) -> ModelFile:
    """Raises TemplateFailure where it is none."""
    start = _model(text, dialect)
    if start is None:
        raise TemplateFailure("no MODEL block", 1)
    end = _closing(text, start, dialect)
    settings: dict[str, str] = {}
    for entry in _split(text[start:end], dialect):
        match = _ENTRY.match(entry)
        if match is not None and match[1]:
            settings[match[1].lower()] = match[2]
    rest = text[end + 1 :].strip().removeprefix(";").strip()
    template = _JINJA.search(rest)
    around = _statements(_JINJA.sub(";", rest), dialect)
    query = template[1] if template is not None else ""
    if template is None:
        query, around = _of_several(rest, around)
    blueprints = tuple(_blueprints(settings.get("blueprints", ""), dialect))
    if len(_JINJA.findall(rest)) > 1:
        around = (*around, query)
    said = query.strip()
    above = text.count("\n", 0, max(text.find(said), 0)) if said else 0
    return ModelFile(settings, said, template is not None, blueprints, around, above)


def _of_several(rest: str, statements: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The one query, and the statements around it."""
    if len(statements) < 2:
        return rest.strip().removesuffix(";"), ()
    queries = [each for each in statements if _QUERY.match(each)]
    if len(queries) != 1:
        return rest, statements
    return queries[0], tuple(each for each in statements if each is not queries[0])


def _statements(text: str, dialect: str) -> tuple[str, ...]:
    """What stands between semicolons, comments left out."""
    found, begin = [], 0
    for at, sign in _code(text, dialect):
        if sign == ";":
            found.append(text[begin:at])
            begin = at + 1
    found.append(text[begin:])
    return tuple(each for part in found if (each := _uncommented(part, dialect).strip()))


def filled(text: str, values: Mapping[str, str], dialect: str) -> str:
    """SQL with what stands for `@name` and `@{name}`, outside of strings and comments. Raises
    TemplateFailure for a name that nobody knows, or that is SQLMesh's own, and for macros."""

    def put(hit: re.Match[str]) -> str:
        name = hit[1] or hit[2]
        if not hit[3] and name.lower() in TAKEN:
            raise TemplateFailure(f"@{name} is what SQLMesh has under that name")
        if hit[3] or name.lower() not in values:
            what = "macro" if hit[3] else "variable"
            raise TemplateFailure(f"the {what} @{name} is not understood")
        value = values[name.lower()]
        return _bare(value) if hit[1] else value

    return "".join(
        _AT.sub(put, text[piece.start : piece.end])
        if piece.kind == CODE
        else text[piece.start : piece.end]
        for piece in pieces(text, dialect)
    )


def misread(text: str, values: Mapping[str, str], dialect: str) -> str:
    """What SQLMesh 0.236 would run otherwise than it stands there, or nothing: it puts variables
    into quoted names, too, and prints `E'\\\\'` with one backslash (its sqlglot 30.8 does)."""
    for piece in pieces(text, dialect):
        said = text[piece.start : piece.end]
        if piece.kind != STRING:
            continue
        if said[0] in '"`[' and any(
            hit[1] or hit[2].lower() in {*values, *VARIABLES} for hit in _AT.finditer(said)
        ):
            return f"SQLMesh would put a variable into the name {said}"
        escaped = said[0] in "eE" or re.search(
            r"(?<!\w)[eE]\Z", text[max(0, piece.start - 2) : piece.start]
        )
        if escaped and "\\\\" in said:
            return f"SQLMesh would read the backslash in {said} otherwise"
    return ""


def _bare(value: str) -> str:
    """`@{name}` is part of a name: what stands there has no quotes."""
    inner = re.fullmatch(r"\"([^\"]*)\"|'([^']*)'|`([^`]*)`", value)
    return next(part for part in inner.groups() if part is not None) if inner else value


# --- the block -------------------------------------------------------------------------------


def _model(text: str, dialect: str) -> int | None:
    """The offset behind `MODEL (`, which stands first but for comments."""
    for piece in pieces(text, dialect):
        if piece.kind == COMMENT or not text[piece.start : piece.end].strip():
            continue
        hit = _MODEL.match(text, piece.start + _blanks(text[piece.start : piece.end]))
        return hit.end() if hit is not None else None
    return None


def _blanks(text: str) -> int:
    return len(text) - len(text.lstrip())


def _code(text: str, dialect: str) -> Iterator[tuple[int, str]]:
    """Every character outside of strings and comments, with its offset."""
    for piece in pieces(text, dialect):
        if piece.kind == CODE:
            yield from enumerate(text[piece.start : piece.end], piece.start)


def _closing(text: str, start: int, dialect: str) -> int:
    depth = 1
    for at, sign in _code(text[start:], dialect):
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if not depth:
            return start + at
    raise TemplateFailure("its MODEL block has no end", 1)


def _split(text: str, dialect: str) -> Iterator[str]:
    """The parts between commas that stand in no parentheses; comments left out."""
    depth, begin = 0, 0
    for at, sign in _code(text, dialect):
        depth += (sign in _OPEN) - (sign in _CLOSE)
        if sign == "," and not depth:
            yield _uncommented(text[begin:at], dialect)
            begin = at + 1
    last = _uncommented(text[begin:], dialect)
    if last.strip():
        yield last


def _uncommented(text: str, dialect: str) -> str:
    kept = (text[p.start : p.end] for p in pieces(text, dialect) if p.kind != COMMENT)
    return "".join(kept)


def _blueprints(text: str, dialect: str) -> Iterator[Mapping[str, str]]:
    text = text.strip()
    if not text:
        return
    if not text.startswith("("):
        raise TemplateFailure("blueprints that a macro makes are not understood")
    for entry in _split(text[1:-1], dialect):
        found: dict[str, str] = {}
        for part in _split(entry.strip()[1:-1], dialect):
            match = _ASSIGNED.match(part)
            if match is None:
                raise TemplateFailure(f"a blueprint says {part.strip()!r}")
            found[match[1].lower()] = match[2]
        yield found
