"""What somebody wants to see of a pile's lineage, and the making of it: one value, one call."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from unwet.lineage.collapse import without
from unwet.lineage.columns import ColumnId
from unwet.lineage.errors import UsageError
from unwet.lineage.exports import View, export
from unwet.lineage.exports.html import Start, html, way_back
from unwet.lineage.exports.naming import Naming
from unwet.lineage.exports.openlineage import EPOCH, Options, openlineage
from unwet.lineage.finder import find
from unwet.lineage.graph import Graph, Kinds
from unwet.lineage.survey import Lineage

ENDINGS = {
    ".txt": "text",
    ".text": "text",
    ".json": "json",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".svg": "svg",
    ".png": "png",
    ".html": "html",
    ".htm": "html",
}
_NOT_MADE = (".pdf", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".ps", ".eps",
             ".puml", ".d2", ".drawio", ".csv", ".xlsx", ".yml", ".yaml", ".xml")  # fmt: skip
PAGES = (".md", ".markdown", ".mdx", ".qmd")  # text with marked blocks


@dataclass(frozen=True, slots=True)
class Ask:
    """The options of `unwet lineage`; `output` is the file that will hold the answer."""

    format: str = "text"
    columns: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    upstream: bool = False
    downstream: bool = False
    depth: int | None = None
    kinds: Kinds | None = None
    without_temps: bool = False
    link_template: str = "{path}"
    namespace: str = ""
    job_namespace: str = "default"
    event_time: str = ""
    output: str | None = None
    dialect: str = ""

    def __post_init__(self) -> None:
        """Raises UsageError for options that do not go together."""
        if not (self.columns or self.tables) and (self.upstream or self.downstream or self.depth):
            raise UsageError(
                "--upstream, --downstream and --depth need --column REL.COL or --table REL",
                "say of which column or table: `unwet lineage` without them lists all",
            )

        if self.without_temps and self.format == "openlineage":
            raise UsageError(
                "openlineage has a job per statement, those that fill temporary tables too",
                "leave out --without-temps",
            )

    @property
    def options(self) -> Options:
        """Those of the format openlineage."""
        naming = Naming(self.dialect, self.namespace)
        return Options(naming, self.job_namespace, self.event_time or EPOCH)


def format_of(path: str) -> str | None:
    """The format that a file name's ending says; None when it says nothing.

    Raises UsageError for that of a picture or a page which is not made."""
    if (ending := PurePath(path).suffix.lower()) in _NOT_MADE:
        raise UsageError(
            f"{path}: {ending} is not made", f"take {', '.join(sorted(ENDINGS))}, or --format"
        )
    return ENDINGS.get(PurePath(path).suffix.lower())


def ending_of(path: str) -> str:
    """The ending of a file that will be made; none of a device."""
    return "" if os.path.exists(path) and not os.path.isfile(path) else PurePath(path).suffix


def is_page(path: str) -> bool:
    """Whether a file is a page of text that may hold marked blocks."""
    return PurePath(path).suffix.lower() in PAGES


def view(pile: Lineage, ask: Ask) -> View:
    """The part of the graph that is asked for; raises UsageError for names that are not there."""
    graph = without(pile.graph, pile.temporary) if ask.without_temps else pile.graph
    found = [each for name in ask.columns for each in _found(graph, pile, name)]
    found += [each for name in ask.tables for each in _found(graph, pile, name, True)]
    all_kinds = ask.format in ("json", "openlineage")
    both = ask.upstream == ask.downstream
    return View(
        graph,
        ask.kinds or ("all" if all_kinds else "direct"),
        tuple(dict.fromkeys(found)),
        ask.upstream or both,
        ask.downstream or both,
        ask.depth,
    )


def made(pile: Lineage, ask: Ask) -> str | bytes:
    """What was asked for, in its format. Raises UsageError, and OutputError as `export` does."""
    shown = view(pile, ask)
    match ask.format:
        case "html":
            base, here = way_back(ask.output), Path.cwd().as_posix()
            link = ask.link_template
            start = Start(shown.upstream, shown.downstream, shown.depth, link, base, here)
            texts = {source.path: source.text for source in pile.sources}
            return html(shown.whole, shown.kinds, shown.centers, start=start, texts=texts)
        case "openlineage":
            return openlineage(shown, pile.quotes, pile.catalog, ask.options)
        case _:
            return export(shown, ask.format)


def hint(pile: Lineage, ask: Ask) -> str:
    """That the chosen columns take no values from others, but hang on conditions that are not
    shown; else empty."""
    shown = view(pile, ask)
    if ask.format == "html" or not shown.centers or not shown.upstream or shown.kinds == "all":
        return ""
    into = [edge for edge in shown.whole.edges if edge.target in shown.centers]
    if not into or any(edge.type == "DIRECT" for edge in into):
        return ""
    return "no values of other columns go in, only conditions: --kinds all shows them"


def _found(
    graph: Graph, pile: Lineage, name: str, tables_only: bool = False
) -> tuple[ColumnId, ...]:
    """The columns of that name; raises UsageError, also for those that are known but not used."""
    try:
        return graph.find(name, tables_only)
    except UsageError:
        declared = [
            ColumnId(table.name, column.name)
            for table in pile.catalog.tables.values()
            for column in table.columns
        ]
        known = _declared(declared, name, tables_only)
        if known is not None and known not in graph.index:
            raise UsageError(
                f"{name} has no lineage", f"{known} is declared, but nothing reads or fills it"
            ) from None
        raise


def _declared(nodes: list[ColumnId], name: str, tables_only: bool) -> ColumnId | None:
    try:
        return find(nodes, name, tables_only)[0]
    except UsageError:  # no such name there either: the first message says so
        return None
