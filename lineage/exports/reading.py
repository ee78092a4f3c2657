"""Reading our own pictures back: the lineage that a file shows, as lines that can be compared.

Not the bytes: another version of Graphviz places the same boxes elsewhere. A line is an edge as a
reader would say it, `mart.t.a <- raw.s.b  AGGREGATION`. What cannot be read shows nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any
from xml.etree import ElementTree

from unwet.lineage.columns import ColumnId
from unwet.lineage.exports import png
from unwet.lineage.exports.arrows import ROW, Arrow

_SVG = "{http://www.w3.org/2000/svg}"
_ID = re.compile(r"e_([0-9a-f]*)_(h|c[0-9a-f]*)_([0-9a-f]*)_(h|c[0-9a-f]*)")
_DOT = re.compile(r'class="(\w+) ([\w+]+) (\w+)", id="(\w+)"')
_GROUP = re.compile(r'^\s*subgraph (r\d+)\["(.*)"\]\s*$')
_ITEM = re.compile(r'^\s*(c\d+)\["(.*)"\]\s*$')
_LINK = re.compile(r"^\s*([cr]\d+) (-->|-\.->)(?:\|(.*?)\|)? ([cr]\d+)\s*$")
_ENTITY = re.compile(r"#(\d+);")
_UNRESOLVED = re.compile(r"^unresolved: (.*?:\d+:\d+): (.*)$")
_DATA = re.compile(r'(?s)<script type="application/json" id="data">(.*?)</script>')


def shown(data: bytes, format: str) -> list[str]:
    """The edges that a file of this format shows, one line each, in the order of the file."""
    try:
        return list(_READERS[format](data))
    except (ValueError, KeyError, IndexError, TypeError, ElementTree.ParseError):
        return []  # not a file of ours: nothing in it is lineage


# --- drawn by dot


def _svg(data: bytes) -> Iterator[str]:
    for group in ElementTree.fromstring(data).iter(f"{_SVG}g"):
        words = group.get("class", "").split()
        if words[:1] == ["edge"] and len(words) == 4:
            yield from _arrow(group.get("id", ""), *words[1:])


def _png(data: bytes) -> Iterator[str]:
    yield from png.text_of(data).splitlines()


def _dot(data: bytes) -> Iterator[str]:
    for type_, subtype, certainty, id in _DOT.findall(data.decode(errors="backslashreplace")):
        yield from _arrow(id, type_, subtype, certainty)


def _arrow(id: str, type_: str, subtype: str, certainty: str) -> Iterator[str]:
    if ends := _ID.fullmatch(id):
        source, port, target, head = ends.groups()
        kind = (type_, subtype.replace("+", ", "), certainty)
        yield str(Arrow(_node(source, port), _node(target, head), *kind))


def _node(relation: str, port: str) -> ColumnId:
    column = ROW if port == "h" else bytes.fromhex(port[1:]).decode()
    return ColumnId(bytes.fromhex(relation).decode(), column)


# --- text


def _mermaid(data: bytes) -> Iterator[str]:
    names: dict[str, str] = {}
    relation = ""
    for line in _lines(data):
        if found := _GROUP.match(line):
            relation = _ENTITY.sub(lambda hit: chr(int(hit[1])), found[2])
            names[found[1]] = f"{relation} (all rows)"
        elif found := _ITEM.match(line):
            names[found[1]] = f"{relation}.{_ENTITY.sub(lambda hit: chr(int(hit[1])), found[2])}"
        elif found := _LINK.match(line):
            source, line_, words, target = found.groups()
            kind = f"{'' if line_ == '-->' else 'condition '}{words or ''}".strip()
            yield f"{names[target]} <- {names[source]}" + (f"  {kind}" if kind else "")
        elif "more columns are not shown" in line and "%%" in line:
            yield line.strip().removeprefix("%% ")


def _text(data: bytes) -> Iterator[str]:
    for line in _lines(data):
        yield _UNRESOLVED.sub(r"unresolved: \2  \1", line)  # places stand last everywhere else


def _lines(data: bytes) -> list[str]:
    return data.decode(errors="backslashreplace").splitlines()


# --- data


def _json(data: bytes) -> Iterator[str]:
    for e in json.loads(data)["edges"]:
        source, target = ColumnId(**e["source"]), ColumnId(**e["target"])
        arrow = Arrow(source, target, e["type"], e["subtype"], e["certainty"])
        yield f"{arrow}{_places((at['path'], at['line'], at['column']) for at in e['spans'])}"


def _places(spans: Iterator[tuple[str, int, int]]) -> str:
    return "".join(f"  {path}:{line}:{column}" for path, line, column in spans)


def _html(data: bytes) -> Iterator[str]:
    """The page's own numbers (page_data.py says what they are), the places and the SQL there."""
    found = _DATA.search(data.decode())
    page: dict[str, Any] = json.loads(unescape(found[1])) if found else {}
    tables = zip(page["tables"]["name"], page["tables"]["columns"], strict=True)
    owners = [name for name, width in tables for _ in range(width)]
    columns = [
        f"{owner}.{page['names'][name]}"
        for owner, name in zip(owners, page["columns"], strict=True)
    ]
    places = iter(zip(*[iter(page["places"])] * 3, strict=True))

    def described(source: int, code: int, count: int) -> str:
        kind, sure = page["kinds"][code // 4], page["certainties"][code % 4]
        at = _places((page["files"][f], line, col) for f, line, col in _some(places, count))
        return f" <- {columns[source]}  {kind}{'' if code % 4 == 0 else f' ({sure})'}{at}"

    target = 0
    edges = page["edges"]
    for step, *rest in zip(
        *(edges[k] for k in ("target", "source", "code", "places")), strict=True
    ):
        target += step
        yield columns[target] + described(*rest)
    rows = page["rows"]
    for at, *rest in zip(*(rows[k] for k in ("set", "source", "code", "places")), strict=True):
        members = page["sets"][at]
        names = [
            columns[i]
            for start, length in zip(members[::2], members[1::2], strict=True)
            for i in range(start, start + length)
        ]
        yield f"{', '.join(names)}{described(*rest)}"
    for file, lines in page.get("lines", {}).items():
        yield from (f"{page['files'][int(file)]}: {sql.strip()}" for sql in lines.values())


def _some(places: Iterator[Any], count: int) -> Iterator[Any]:
    return (next(places) for _ in range(count))


def _openlineage(data: bytes) -> Iterator[str]:
    for event in json.loads(data):
        for output in event.get("outputs", ()):
            facet = output.get("facets", {}).get("columnLineage", {})
            for column, each in facet.get("fields", {}).items():
                yield from _fields(f"{output['name']}.{column}", each["inputFields"])
            yield from _fields(f"{output['name']} (all rows)", facet.get("dataset", ()))


def _fields(target: str, inputs: Any) -> Iterator[str]:
    for each in inputs:
        for done in each["transformations"]:
            yield f"{target} <- {each['name']}.{each['field']}  {done['subtype']}"


_READERS: dict[str, Callable[[bytes], Iterator[str]]] = {
    "text": _text,
    "json": _json,
    "dot": _dot,
    "mermaid": _mermaid,
    "svg": _svg,
    "png": _png,
    "html": _html,
    "openlineage": _openlineage,
}
