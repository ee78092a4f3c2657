"""Lineage as one offline HTML page to walk through: the explorer.

The page, its style and its script are files of their own in explorer/; here they become one text,
with the data inside. Nothing is loaded from anywhere, which the page's own policy enforces: only
this script and this style, by hash, and no connection at all.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from unwet.lineage.columns import ColumnId
from unwet.lineage.exports.page_data import page_data
from unwet.lineage.exports.policy import policy
from unwet.lineage.graph import Graph, Kinds

ASSETS = Path(__file__).parent / "explorer"
SCRIPTS = (  # one scope: what is used while loading comes first
    "model.js",
    "closure.js",
    "arrange.js",
    "scenes.js",
    "pens.js",
    "paint.js",
    "rank.js",
    "panel.js",
    "stage.js",
    "search.js",
    "keys.js",
    "main.js",
)


@dataclass(frozen=True, slots=True)
class Start:
    """How the page opens: the switches that a reader may turn, and where places lead to.

    `link`: the address of a place, with {path}, {abspath}, {line} and {column} put in; {abspath}
    is {path} below `root` unless it is absolute already. `base` stands before relative paths: the
    way from the page's folder to the one that paths are relative to.
    """

    upstream: bool = True
    downstream: bool = True
    depth: int | None = None
    link: str = "{path}"
    base: str = ""
    root: str = ""


def html(
    graph: Graph,
    kinds: Kinds = "direct",
    center: ColumnId | Sequence[ColumnId] | None = None,
    title: str = "Column lineage",
    start: Start = Start(),
    texts: Mapping[str, str] | None = None,
) -> str:
    """The page. It holds the whole graph; `kinds` and `center` say what it shows first.

    `center`: a column; several of one relation stand for that relation. `texts`: the sources by
    path; with them, each place shows its line of SQL. Raises UsageError when no edge touches the
    center.
    """
    centers = (center,) if isinstance(center, ColumnId) else tuple(center or ())
    opening = {
        "title": title,
        "kinds": kinds,
        "upstream": start.upstream,
        "downstream": start.downstream,
        "depth": start.depth or 0,
        "link": start.link,
        "base": start.base,
        "root": start.root if "{abspath}" in start.link else "",
    }
    script = "".join(_asset(name) for name in SCRIPTS)
    script = f'(() => {{\n"use strict";\n{script}}})();\n'
    style = _asset("explorer.css")
    return _filled(
        _asset("page.html"),
        {
            "title": escape(title),
            "policy": policy(script, style),
            "style": style,
            "data": _data({**page_data(graph, centers, texts), "start": opening}),
            "script": script,
        },
    )


def way_back(output: str | None) -> str:
    """What leads from the folder of a page to the working folder, for `Start.base`: "../"."""
    if output is None:
        return ""
    folder = Path(output).resolve().parent
    try:
        way = Path(os.path.relpath(Path.cwd(), folder)).as_posix()
    except ValueError:  # another drive
        return f"{Path.cwd().as_uri()}/"
    return "" if way == "." else f"{way}/"


def _asset(name: str) -> str:
    return (ASSETS / name).read_text("utf-8")


def _data(value: Mapping[str, object]) -> str:
    """JSON that no name can break out of: it stands inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _filled(page: str, parts: Mapping[str, str]) -> str:
    """The template with its {{slots}} filled in one go: what is put in is never searched."""
    first, *rest = page.split("{{")
    pieces = [first]
    for each in rest:
        name, _, after = each.partition("}}")
        pieces += (parts[name], after)
    return "".join(pieces)
