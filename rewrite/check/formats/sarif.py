"""SARIF 2.1.0, which GitHub's code scanning and many editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html; numbers of sections are of it.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from unwet.lineage.codes import explanations
from unwet.lineage.codes.forms import markdown_of, plain_of
from unwet.rewrite.check.formats.view import (
    View,
    counted,
    fingerprints,
    harmless,
    octets,
    ordered,
    slashed,
)
from unwet.rewrite.check.found import Place, Problem

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
ROOT: Final = "%SRCROOT%"  # who reads the file knows where its sources are (3.14.14)
LINKED: Final = 10  # other places in a message
RELATED: Final = 500  # other places at all; GitHub takes 1,000 a result
_LINK: Final = re.compile(r"\[([^\[\]]*)\](?=\()")


def render(problems: Sequence[Problem], view: View) -> str:
    """One run, with a rule for each code that is in it."""
    found = ordered(problems)
    codes = sorted({each.code for each in found})
    pairs = zip(found, fingerprints(found), strict=True)
    driver: dict[str, object] = {"name": "unwet", "rules": [_rule(code) for code in codes]}
    if view.version:
        driver["version"] = view.version
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "where unwet was run"}}},
        "results": [_result(each, codes.index(each.code), print) for each, print in pairs],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> dict[str, object]:
    one = explanations().get(code)
    if one is None:
        return {"id": code}
    plain = "\n\n".join(f"{head}\n{plain_of(parts, 88)}" for head, parts in one.sections)
    marked = "\n\n".join(f"## {head}\n\n{markdown_of(parts)}" for head, parts in one.sections)
    return {
        "id": code,
        "shortDescription": {"text": one.summary},
        "fullDescription": {"text": f"{one.summary} {plain_of(one.what, 10_000)}"},
        "help": {"text": plain, "markdown": marked},
        "defaultConfiguration": {"level": "error"},
    }


def _result(problem: Problem, rule: int, fingerprint: str) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": "error",
        "message": {"text": _message(problem)},
        "locations": [_location(problem.at)],
        "partialFingerprints": {"unwet/v1": fingerprint},
    }
    if problem.others:
        result["relatedLocations"] = [
            {"id": number, **_location(each), "message": {"text": _named(each)}}
            for number, each in enumerate(problem.others[:RELATED], start=1)
        ]
    return result


def _message(problem: Problem) -> str:
    """What is said, what to do, and links to the other places (3.11.6)."""
    lines = [_text(problem.message)]
    if problem.help:
        lines.append(f"help: {_text(problem.help)}")
    links = [f"[{_label(each)}]({n})" for n, each in enumerate(problem.others[:LINKED], start=1)]
    if len(problem.others) > LINKED:
        links.append(counted(len(problem.others) - LINKED, "other place"))
    if links:
        lines.append(f"see: {', '.join(links)}")
    return "\n".join(lines)


def _text(text: str) -> str:
    """Words in which nothing is a link, whatever they quote; the lines of them stay."""
    lines = (harmless(line) for line in text.splitlines())
    return _LINK.sub(r"\\[\1\\]", "\n".join(lines))


def _label(place: Place) -> str:
    return re.sub(r"([\[\]\\])", r"\\\1", harmless(str(place)))


def _named(place: Place) -> str:
    return _text(place.relation or "another place")


def _location(place: Place) -> dict[str, object]:
    region = {"startLine": place.line, "startColumn": place.column, "endLine": place.end_line}
    if place.end_column:
        region["endColumn"] = place.end_column
    location: dict[str, object] = {
        "physicalLocation": {"artifactLocation": _artifact(place.path), "region": region}
    }
    if place.relation:
        location["logicalLocations"] = [{"fullyQualifiedName": place.relation}]
    return location


def _artifact(path: str) -> dict[str, object]:
    """A relative path is one from the root of the sources; bytes that are no UTF-8 stay bytes."""
    if PurePath(path).is_absolute():
        name = path.replace(os.sep, "/")
        return {"uri": f"file://{'' if name.startswith('/') else '/'}{_quoted(name)}"}
    return {"uri": _quoted(slashed(path)), "uriBaseId": ROOT}


def _quoted(path: str) -> str:
    return quote(octets(path), safe="/")
