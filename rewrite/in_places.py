"""Tables whose rows lie at a place that the script says, and what else is there.

CREATE EXTERNAL TABLE q (a INT) LOCATION '/x'     -- has the rows of the files that are there
CREATE TABLE r USING delta LOCATION '/x/' AS ...  -- and r is q
SELECT a FROM delta.`/x`                          -- and so is this
CREATE TABLE q (...) USING jdbc OPTIONS (...)     -- has those of another server
COPY q TO 'x.parquet'                             -- writes a file,
SELECT a FROM read_parquet('x.parquet')           -- and so this reads q

A model lies where the project puts it. place_of(statement) -> where the table lies that a statement
makes, "" where the engine puts it; in_places(resolved) -> relations of which nobody knows what they
hold, and statements that read one by its place, with the reasons
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from sqlglot import exp

from unwet.lineage.findings import Span
from unwet.lineage.parse import Script, Statement
from unwet.lineage.resolve import Resolved
from unwet.rewrite.files_written import files_in, files_of, is_begun, is_file, plain_path
from unwet.rewrite.lost import gap_places
from unwet.rewrite.script_order import base_reads

FILLED: Final = "it has the rows that are at its place before (LOCATION, EXTERNAL, ...)"

_ELSEWHERE: Final = "elsewhere"
_MAKING: Final = frozenset({"create_table", "ctas", "view"})
_READING: Final = frozenset({"query", "ctas", "view", "select_into", "insert"})
_PLACES: Final = frozenset({"external_location", "location", "path", "uris"})
_SERVERS: Final = frozenset({"url", "dbtable"})
_QUOTED: Final = re.compile(r"['\"`](?P<path>[^'\"`\n]+)['\"`]")
_STAGED: Final = re.compile(r"(?P<path>@[\w.~%$\"/=-]+)")  # of Snowflake
_ENGINES: Final = frozenset({"FEDERATED", "CONNECT", "SPIDER", "CSV"})  # of MySQL and MariaDB


def place_of(statement: Statement) -> str:
    """The path, or that there is one, of CREATE."""
    tree = statement.tree
    properties = tree.args.get("properties") if isinstance(tree, exp.Create) else None
    found = [_said(each) for each in properties.expressions] if properties is not None else []
    told = [each for each in found if each]
    return next((each for each in told if each != _ELSEWHERE), told[0] if told else "")


def _said(one: exp.Expr) -> str:
    match one:
        case exp.LocationProperty():
            return _path(one) or _ELSEWHERE
        case exp.ExternalProperty() | exp.StorageHandlerProperty():
            return _ELSEWHERE
        case exp.EngineProperty():
            return _ELSEWHERE if one.this.name.upper() in _ENGINES else ""
        case exp.Property() if one.this is not None and _key(one) in _PLACES:
            return _path(one) or _ELSEWHERE
        case exp.Property() if one.this is not None and _key(one) in _SERVERS:
            return _ELSEWHERE
        case _ if one.key == "optionsproperty":
            inner = [_said(each) for each in one.find_all(exp.Property) if each is not one]
            return next((each for each in inner if each), "")
        case _:
            return ""


def _key(one: exp.Property) -> str:
    return (one.this if isinstance(one.this, str) else one.this.name).lower()


def _path(one: exp.Expr) -> str:
    texts = [each.name for each in one.find_all(exp.Literal) if each.is_string]
    return texts[-1].rstrip("/") if texts else ""


def in_places(
    resolved: Sequence[Resolved], scripts: Iterable[Script] = ()
) -> tuple[Mapping[str, str], Mapping[str, Mapping[int, str]]]:
    """By relation, and by script and index of the statement."""
    lying: dict[str, dict[str, None]] = {}
    files = dict(_files(resolved, scripts))
    for each in resolved:
        place = place_of(each.statement) if each.kind in _MAKING and each.target else ""
        if "/" in place:
            lying.setdefault(plain_path(place), {})[each.target or ""] = None
    doubts = {
        name: f"it lies where {other} does: {place}"
        for place, names in lying.items()
        for name in names
        if (other := next((each for each in names if each != name), ""))
    }
    for each in resolved if files else ():
        if each.kind in _MAKING and each.target and place_of(each.statement):
            doubts |= {each.target: why} if (why := _of_files(each, files)) else {}
    shared, readers = {**doubts}, dict[str, dict[int, str]]()
    for each in resolved if lying or files else ():
        at, is_read = each.statement, each.kind in _READING
        names = base_reads(each.query) if is_read and each.query is not None else frozenset[str]()
        why = next((f"it reads {n}: {shared[n]}" for n in sorted(names & shared.keys())), "")
        why = why or (_of_files(each, files) if is_read else "")
        for place in {*map(plain_path, _places_in(at))} & lying.keys():
            first = next(iter(lying[place]))
            if each.target in lying[place]:
                continue
            if is_read and place not in (each.target or ""):
                why = why or f"it reads {first} by its place: {place}"
                continue
            told = f"line {at.span.line} of {at.path} may change what lies at its place: {place}"
            doubts |= dict.fromkeys(lying[place], told)
        if why:
            readers.setdefault(at.path, {})[at.index] = why
    return doubts, readers


def _files(resolved: Sequence[Resolved], scripts: Iterable[Script]) -> Iterator[tuple[str, Span]]:
    """The files that are written, each with the place that does."""
    for each in resolved:
        yield from ((place, each.statement.span) for place in files_of(each.statement))
    for script in scripts:
        for _, line, text in gap_places(script):
            at = Span(script.source.path, line, 1, line, 1)
            yield from ((place.rstrip("/"), at) for place in files_in(text))


def _of_files(resolved: Resolved, files: Mapping[str, Span]) -> str:
    """Why a statement reads what another one writes: a file, all of a pattern or of a folder."""
    for path in sorted(_places_in(resolved.statement)) if files else ():
        for written, by in files.items():
            if by != resolved.statement.span and _meet(path, written):
                return f"it reads {path}, which line {by.line} of {by.path} writes"
    return ""


def _meet(one: str, other: str) -> bool:
    """Whether two paths may be of one file; the other one is written."""
    if not is_file(one):
        return False
    one, other = plain_path(one), plain_path(other)
    inside = f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
    return inside or is_begun(one, other) or fnmatchcase(one, other) or fnmatchcase(other, one)


def _places_in(statement: Statement) -> frozenset[str]:
    hits = (*_QUOTED.finditer(statement.text), *_STAGED.finditer(statement.text))
    return frozenset(hit["path"].rstrip("/") for hit in hits)
