"""Arms of UNION that a condition of SqlRender decides about: rows of a loop, under the condition.

{@v in ('2')}?{UNION SELECT b FROM t}  ->  {% for name in [
                                               'a',
                                           ] + ([
                                               'b',
                                           ] if var('v', '') | string in ['2'] else []) %}

The script is read with all its arms, and the loop that they become is given the conditions; that
the model means what the script does, for each value that it asks for and for any other, is proved
of what is written (`unproved`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import indent
from typing import Final

import yaml

from unwet.lineage.asked import OTHER, InParts, Part, in_parts
from unwet.lineage.lexer import in_code
from unwet.lineage.parse import Script, parse
from unwet.lineage.pile import Pile
from unwet.lineage.resolve import Resolved
from unwet.lineage.sources import Source
from unwet.lineage.sqlrender import NAME, declared, defaults, with_blanks
from unwet.lineage.templating import mask
from unwet.rewrite.definitions import Report
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.against import setting
from unwet.rewrite.prove.judge import judge
from unwet.rewrite.prove.roundtrip import read_back
from unwet.rewrite.script_order import base_reads
from unwet.rewrite.targets.jinja import wrapped

_OPERATOR: Final = re.compile(r"\b(?:UNION(?:\s+ALL)?|EXCEPT|INTERSECT)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\w")
_LOOP: Final = re.compile(
    r"^(?P<pad> *)\{% for [\w, ]+ in \[(?P<rows>.*?)\] %\}", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Optional:
    """A script of one statement, by the values that its conditions ask for."""

    script: Script
    asked: InParts

    @property
    def values(self) -> tuple[str, ...]:
        return (*self.asked.constants, OTHER)


def optional(pile: Pile, given: Mapping[str, str]) -> tuple[Optional, ...]:
    """The scripts whose text one parameter decides that has no value (``given``: those that have
    one), and of whose relation no other script knows: what these mean does not depend on it."""
    asking = []
    for script in pile.scripts:
        asked = in_parts(script.source.text) if len(script.statements) == 1 else None
        if asked is not None and asked.name not in given and all(map(_is_text, asked.constants)):
            asking.append(Optional(script, asked))
    texts = {script.source.path: script.source.text.lower() for script in pile.scripts if asking}
    return tuple(one for one in asking if _is_unknown(pile, one.script, texts))


def _is_text(constant: str) -> bool:
    """Whether one who writes it into dbt_project.yml gives this text: `true` is True there."""
    try:
        return str(yaml.safe_load(constant)) == constant
    except (yaml.YAMLError, ValueError):
        return False


def _is_unknown(pile: Pile, script: Script, texts: Mapping[str, str]) -> bool:
    targets = [each.target for each in pile.resolved if each.statement.path == script.source.path]
    if len(targets) != 1 or not targets[0]:
        return False
    name = script.statements[0].masked.restore(targets[0]).rpartition(".")[2].lower()
    others = (text for path, text in texts.items() if path != script.source.path)
    return bool(name) and not any(name in text for text in others)


def bound(pile: Pile, found: Sequence[Optional], given: Mapping[str, str]) -> Pile:
    """The pile as it reads for any other value."""
    if not found:
        return pile
    read = {each.script.source.path: _read(each, given, OTHER) for each in found}
    whole = pile.with_scripts(read.get(s.source.path, s) for s in pile.scripts)
    noted = {finding for each in found for finding in each.script.statements[0].masked.findings}
    return replace(whole, findings=tuple(f for f in pile.findings if f not in noted))


def with_value(pile: Pile, one: Optional, given: Mapping[str, str], value: str) -> Pile:
    """The script alone, as it reads for a value."""
    return pile.with_scripts([_read(one, given, value)])


def _read(one: Optional, given: Mapping[str, str], value: str) -> Script:
    return _parsed(one, one.script.source, {**given, one.asked.name: value})


def _parsed(one: Optional, source: Source, given: Mapping[str, str]) -> Script:
    return parse(mask(source, given), one.script.statements[0].dialect)


# --- the model -------------------------------------------------------------------------------


def model(
    pile: Pile, one: Optional, given: Mapping[str, str], alone: Callable[[Pile], tuple[str, str]]
) -> tuple[str, str]:
    """The name of its report, and the text of the model; empty where it cannot be one. ``alone``:
    what writes the only report of a pile."""
    text = "".join(part.text for part in one.asked.parts if not part.between)
    dialect = one.script.statements[0].dialect
    operators = {" ".join(hit[0].upper().split()) for hit in in_code(_OPERATOR, text, dialect)}
    if operators not in ({"UNION"}, {"UNION ALL"}):
        return "", ""
    parts = tuple(_joined(one.asked.parts, *operators))
    source = replace(one.script.source, text="".join(part for part, _ in parts))
    whole = pile.with_scripts([_parsed(one, source, given)])
    others = (each for each in pile.resolved if each.statement.path != source.path)
    known = _read_by((*others, *with_value(pile, one, given, OTHER).resolved))
    if not _read_by(whole.resolved) <= known:  # a source that nobody declares
        return "", ""
    name, written = alone(whole)
    if not name:
        return "", ""
    return name, _conditional(written, one.asked, tuple(_arms(parts, dialect)))


def _read_by(statements: Iterable[Resolved]) -> frozenset[str]:
    queries = (each.query for each in statements if each.query is not None)
    return frozenset(name for query in queries for name in base_reads(query))


def _joined(parts: Iterable[Part], operator: str) -> Iterator[tuple[str, frozenset[str]]]:
    """The text with all branches that are read at all, an operator between two of which one is."""
    for part in parts:
        if part.between or part.values:
            yield (f"\n{operator}\n" if part.between else part.text), part.values


def _arms(parts: Sequence[tuple[str, frozenset[str]]], dialect: str) -> Iterator[frozenset[str]]:
    """For which values each arm is read, in order."""
    text = "".join(part for part, _ in parts)
    starts, at = [], 0
    for part, values in parts:
        starts += [(at + hit.start(), values) for hit in in_code(_WORD, part, dialect)]
        at += len(part)
    hits = [*in_code(_OPERATOR, text, dialect)]
    if hits:
        yield next(values for place, values in reversed(starts) if place < hits[0].start())
    for hit in hits:
        yield next(values for place, values in starts if place >= hit.end())


def _conditional(text: str, asked: InParts, arms: Sequence[frozenset[str]]) -> str:
    """A model with one loop, whose rows are there for these values; empty where it has others."""
    loops = [*_LOOP.finditer(text)]
    rows = _rows(loops[0]["rows"]) if len(loops) == text.count("{% for ") == 1 else []
    if not rows or len(rows) != len(arms):
        return ""
    (loop,) = loops
    groups: dict[frozenset[str], list[str]] = {frozenset((*asked.constants, OTHER)): []}
    for row, values in zip(rows, arms, strict=True):
        groups.setdefault(values, []).append(row)
    pad = loop["pad"]
    lists = (_list(some, _condition(values, asked), pad) for values, some in groups.items() if some)
    return text[: loop.start("rows") - 1] + " + ".join(lists) + text[loop.end("rows") + 1 :]


def _rows(text: str) -> list[str]:
    """The items of a list of constants, as they stand; none where it is something else."""
    try:
        listed = ast.parse(f"[{text}]", mode="eval").body
        ast.literal_eval(listed)
    except (SyntaxError, ValueError):
        return []
    items = listed.elts if isinstance(listed, ast.List) else []
    return [ast.get_source_segment(f"[{text}]", each) or "" for each in items]


def _list(rows: Sequence[str], condition: str, pad: str) -> str:
    lines = "\n".join(f"    {row}," for row in rows) if rows[0].startswith("(") else wrapped(rows)
    text = f"[\n{indent(lines, pad)}\n{pad}]"
    return f"({text} if {condition} else [])" if condition else text


def _condition(values: frozenset[str], asked: InParts) -> str:
    """In words of Jinja; empty where it holds for all."""
    without = [each for each in asked.constants if each not in values]
    within = [each for each in asked.constants if each in values]
    if not without:
        return "" if OTHER in values else _said(asked, "in", within)
    return _said(asked, "not in", without) if OTHER in values else _said(asked, "in", within)


def _said(asked: InParts, word: str, constants: Sequence[str]) -> str:
    return f"{_variable(asked.name)} | string {word} {constants!r}"


def _variable(name: str) -> str:
    return f"var('{name.lower()}', '{OTHER}')"


def asks_for(one: Optional, text: str) -> bool:
    """Whether a model asks for what the script asks for, and for nothing else of it: then no two of
    its other values are told apart."""
    name = one.asked.name.lower()
    asking = rf"{re.escape(_variable(name))} \| string (?:not )?in \[([^\]]*)\] else"
    lists = re.findall(asking, text)
    known = {repr(each) for each in one.asked.constants}
    said = len(re.findall(rf"\b{re.escape(name)}\b", text, re.IGNORECASE))
    return 0 < said == len(lists) and all({*each.split(", ")} <= known for each in lists)


def chosen(pile: Pile, given: Mapping[str, str]) -> dict[str, str]:
    """The values of variables that models with conditions ask for, of those that are given."""
    asked = (in_parts(script.source.text) for script in pile.scripts)
    return {each.name.lower(): given[each.name] for each in asked if each and each.name in given}


def granted(pile: Pile, given: Mapping[str, str], paths: Container[str]) -> frozenset[str]:
    """What is taken for granted of scripts that SqlRender reads."""
    read = (script for script in pile.scripts if script.source.path in paths)
    return frozenset(told for script in read for told in _granted(script, given))


def _granted(script: Script, given: Mapping[str, str]) -> Iterator[str]:
    path, text = script.source.path, script.source.text
    for name, value in defaults(text).items():
        if name not in given:
            yield f"@{name} has its default {value!r} in {path}"
    yield from _beginnings(path, text, given)
    for constant, listed in with_blanks(text):
        yield (
            f"SqlRender compares {constant!r} in {' '.join(listed.split())} with the blank beside "
            f"it, which no value has, in {path}"
        )
    asked = in_parts(text) if len(script.statements) == 1 else None
    if asked is not None and asked.name not in given:
        yield (
            f"@{asked.name} is given as text: without quotes or blanks around it, and without "
            "the signs of a condition (& | ! = < > ( ))"
        )


def _beginnings(path: str, text: str, given: Container[str]) -> Iterator[str]:
    """Parameters that begin with the name of another one, which SqlRender puts in where nobody
    gives them a value of their own."""
    known = declared(text)
    for name in sorted({*NAME.findall(text)} - known):
        first = max((each for each in known if name.startswith(each)), key=len, default="")
        if first and name not in given:
            told = f"@{name} is @{first} with {name.removeprefix(first)} behind it"
            yield f"{told}, and has no value of its own, in {path}"


# --- the proof -------------------------------------------------------------------------------


def unproved(pile: Pile, one: Optional, given: Mapping[str, str], root: Path, dialect: str) -> str:
    """For which of its values the model in a project is not proved to be the report, and why; empty
    where it is for all."""
    for value in one.values:
        meaning = Meaning(with_value(pile, one, given, value))
        reports: tuple[Report, ...] = tuple(meaning.state.reports)
        said = {one.asked.name.lower(): value}
        against = setting(meaning.pile, reports, dialect, said, meaning.functions)
        judged = judge(reports, read_back(root, against), dialect, meaning.normalizer,
                       meaning.pile.catalog)  # fmt: skip
        for why in (*judged.unproved.values(), *judged.unfixed.values()):
            return f"{why}, where {one.asked.name} is {value or 'something else'}"
    return ""
