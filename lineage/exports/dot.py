"""Lineage as a Graphviz graph: relations are tables, their columns rows with ports.

Colours say what an arrow does, dashes how sure it is. The boxes have their own background and
the colours are of middle brightness, so that a picture can stand on a light or a dark page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from unwet.lineage.columns import ColumnId
from unwet.lineage.exports.arrows import ROW, Arrow, drawing
from unwet.lineage.exports.view import RESULT, View

LONGEST = 64  # characters of a name; the rest is in the tooltip
STYLES = {
    "certain": "solid",
    "inferred": "dashed",
    "ambiguous": "dotted",
    "unknown": "dotted",
}
COLORS = {
    "IDENTITY": "#3b82c4",
    "TRANSFORMATION": "#c2701c",
    "AGGREGATION": "#a259c4",
}
CONDITION = "#8a8f98"
_TEXT, _FRAME, _HEAD, _CENTER = "#1f2328", "#b9c3cf", "#e8edf3", "#fff1bf"
_START = """  rankdir=LR
  graph [fontname="Helvetica", fontsize=11, bgcolor="transparent", nodesep=0.25, ranksep=0.9]
  graph [pad=0.1, labelloc=b, labeljust=l]
  node [shape=plain, fontname="Helvetica", fontsize=11, fontcolor="#1f2328"]
  edge [arrowsize=0.6]
"""


def dot(view: View) -> str:
    """DOT source, sorted; every label is escaped."""
    drawn = drawing(view)
    return "".join(
        (
            f"digraph {_quoted(view.title)} {{\n{_START}",
            f"  label=<{_legend(view.title, drawn.arrows)}>\n",
            *(_box(columns, drawn.centers) for columns in drawn.boxes),
            *(_line(each) for each in drawn.arrows),
            "}\n",
        )
    )


# --- boxes


def _box(columns: list[ColumnId], centers: frozenset[ColumnId]) -> str:
    relation = columns[0].relation or RESULT
    rows = "".join(_row(column, column in centers) for column in columns)
    title = f"<b>{_escaped(_short(relation))}</b>"
    head = f'<tr><td port="h" bgcolor="{_HEAD}">{title}</td></tr>'
    table = (
        f'<table border="0" cellborder="1" cellspacing="0" cellpadding="3" bgcolor="white" '
        f'color="{_FRAME}">{head}{rows}</table>'
    )
    return f"  {_quoted(relation)} [label=<{table}>, tooltip={_quoted(relation)}]\n"


def _row(column: ColumnId, center: bool) -> str:
    color = f' bgcolor="{_CENTER}"' if center else ""
    name = _escaped(_short(column.column))
    return f'<tr><td port="{port(column.column)}" align="left"{color}>{name}</td></tr>'


def _short(name: str, longest: int = LONGEST) -> str:
    """A long name without its middle."""
    half = longest // 2
    return name if len(name) <= longest else f"{name[: half - 1]}…{name[-half:]}"


# --- arrows


def _line(each: Arrow) -> str:
    head = "" if each.type == "DIRECT" else ", arrowhead=empty"
    places = ", ".join(str(at) for at in each.spans[:3])
    more = f" and {len(each.spans) - 3} more" if len(each.spans) > 3 else ""
    tip = _quoted(f"{each}  {places}{more}".strip())
    kind = _quoted(f"{each.type} {each.subtype.replace(', ', '+')} {each.certainty}")
    style = f'style={STYLES[each.certainty]}, color="{color(each)}"{head}'
    ends = f"{_end(each.source)}:e -> {_end(each.target)}:w"
    return f'  {ends} [{style}, class={kind}, id="{edge_id(each)}", tooltip={tip}]\n'


def edge_id(each: Arrow) -> str:
    """What an SVG calls the arrow: its ends in hexadecimal, so that it can be read back."""
    ends = (f"{_hex(node.relation)}_{port(node.column)}" for node in (each.source, each.target))
    return "_".join(("e", *ends))


def _hex(name: str) -> str:
    return name.encode(errors="backslashreplace").hex()


def color(each: Arrow) -> str:
    """The colour of an arrow: one per way of carrying a value, grey for conditions."""
    return COLORS.get(each.subtype, CONDITION) if each.type == "DIRECT" else CONDITION


def _end(node: ColumnId) -> str:
    return f'{_quoted(node.relation or RESULT)}:"{port(node.column)}"'


def port(column: str) -> str:
    """A port name: letters and digits only, because ports end at punctuation."""
    return "h" if column == ROW else "c" + _hex(column)


# --- the legend


def _legend(title: str, drawn: Iterable[Arrow]) -> str:
    lines = [f'<font color="{_TEXT}"><b>{_escaped(_short(title, 2 * LONGEST))}</b></font>']
    lines += [key for key in ["&#160;&#160; ".join(_meanings(drawn))] if key]
    rows = "".join(f'<tr><td align="left">{line}</td></tr>' for line in lines)
    return f'<table border="0" cellborder="0" cellspacing="2" bgcolor="white">{rows}</table>'


def _meanings(drawn: Iterable[Arrow]) -> Iterator[str]:
    """What colours and dashes mean, only those that are there."""
    drawn = tuple(drawn)
    direct = {each.subtype for each in drawn if each.type == "DIRECT"}
    conditions = {s for each in drawn if each.type != "DIRECT" for s in each.subtype.split(", ")}
    for subtype, used in COLORS.items():
        if subtype in direct:
            yield _colored("→ " + subtype.lower(), used)
    if conditions:
        names = ", ".join(sorted(each.lower().replace("_", " ") for each in conditions))
        yield _colored(f"⇾ condition ({names})", CONDITION)
    sure = {each.certainty for each in drawn}
    for style in ("dashed", "dotted"):
        meant = [each for each in STYLES if STYLES[each] == style and each in sure]
        if meant:
            yield _colored(f"{style}: {' or '.join(meant)}", _TEXT)


def _colored(text: str, used: str) -> str:
    return f'<font color="{used}">{_escaped(text)}</font>'


# --- escaping


def _escaped(text: str) -> str:
    """Text for an HTML-like label; control characters are no XML."""
    return escape("".join(c if c >= " " else " " for c in text)) or " "


def _quoted(name: str) -> str:
    text = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c >= " " else " " for c in text) + '"'
