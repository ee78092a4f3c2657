"""What a search found, in the forms other programs and people read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

from unwet.lineage.counted import counted
from unwet.rewrite.search import Found, Hit, Spot

SHOWN_HITS = 20
SHOWN_PLACES = 5
_WIDE = 110
_MATCHES = {"exact": "", "traced": "indirect ", "similar": "similar "}


def as_json(found: Found) -> str:
    """The hits with the keys of the documented JSON form."""
    data = {
        "hits": [_hit(hit) for hit in found.hits],
        "suggestions": list(found.suggestions),
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Found, terminal: bool = False, full: bool = False) -> str:
    """One paragraph a hit, the best first; ``full`` leaves nothing out."""
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out, width=None if terminal else 10_000, force_terminal=terminal, highlight=False
    )
    shown = found.hits if full else found.hits[:SHOWN_HITS]
    for hit in shown:
        console.print(_headline(hit, full), style="bold", markup=False, soft_wrap=True)
        for line in _places(hit, full):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
    if len(shown) < len(found.hits):
        rest = len(found.hits) - len(shown)
        console.print(f"... and {rest} more (-v shows all)\n", markup=False)
    console.print(_total(found), markup=False)
    return out.getvalue()


def _hit(hit: Hit) -> dict[str, object]:
    first = hit.places[0]
    return {
        "what": hit.what,
        "match": hit.match,
        "clause": hit.clause,
        "name": hit.name,
        "expression": hit.expression,
        "count": len(hit.places),
        **_place(first),
        "places": [_place(place) for place in hit.places],
    }


def _place(place: Spot) -> dict[str, object]:
    return {
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "relation": place.relation,
    }


def _headline(hit: Hit, full: bool) -> str:
    text = hit.expression
    if not full and len(text) > _WIDE:
        text = f"{text[: _WIDE - 40]} ... {text[-35:]}"
    if hit.clause == "make":
        said = f"{hit.name} ({text})"
    elif hit.clause == "from" or not hit.name:
        said = f"{'' if hit.clause in ('select', 'from') else hit.clause.upper() + ' '}{text}"
    else:
        said = f"{hit.name} = {text}"
    places = counted(len(hit.places), "place")
    return f"{_MATCHES[hit.match]}{hit.what}, {places}: {said}"


def _places(hit: Hit, full: bool) -> Iterator[str]:
    shown = hit.places if full else hit.places[:SHOWN_PLACES]
    for place in shown:
        name = f" ({place.relation})" if place.relation else ""
        yield f"  {place.path}:{place.line}:{place.column}{name}"
    if len(shown) < len(hit.places):
        yield f"  ... and {len(hit.places) - len(shown)} more"


def _total(found: Found) -> str:
    if not found.hits:
        names = ", ".join(found.suggestions)
        return "nothing found" + (f"; did you mean {names}?" if names else "")
    definitions = sum(hit.what == "definition" for hit in found.hits)
    uses = len(found.hits) - definitions
    places = sum(len(hit.places) for hit in found.hits)
    kinds = [counted(definitions, "definition"), counted(uses, "use")]
    return f"{' and '.join(kinds)} in {counted(places, 'place')}"
