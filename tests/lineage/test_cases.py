"""Every case of fixtures/lineage: SQL files, and the edges they must give, no more and no fewer.

A case starts with `-- # title`. Settings follow as `-- dialect: x`, `-- schema: t(a, b)` and
`-- kinds: all` (default: direct edges only); `-- file: name` starts another file of the pile. The
expected lines start with `-- =>`: `source -> target SUBTYPE [certainty]`, findings by their code.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from unwet.lineage.graph import Graph
from unwet.lineage.pile import load
from unwet.lineage.sources import Source

FOLDER = Path(__file__).parents[2] / "fixtures" / "lineage"


@dataclass(frozen=True)
class Case:
    title: str
    dialect: str
    schema: dict[str, list[str]]
    kinds: str
    sources: tuple[Source, ...]
    expected: tuple[str, ...]


def read_case(text: str) -> Case:
    setting: dict[str, str] = {}
    schema: dict[str, list[str]] = {}
    files: dict[str, list[str]] = {"a.sql": []}
    expected: list[str] = []
    title, *lines = text.splitlines()
    for line in lines:
        hit = re.match(r"-- (dialect|kinds|schema|file): (.*)", line)
        if line.startswith("-- => "):
            expected.append(line.removeprefix("-- => "))
        elif hit is None:
            files[list(files)[-1]].append(line)
        elif hit[1] == "file":
            files[hit[2]] = []
        elif hit[1] == "schema":
            for name, columns in re.findall(r"([\w.]+)\(([^)]*)\)", hit[2]):
                schema[name] = [each.strip() for each in columns.split(",")]
        else:
            setting[hit[1]] = hit[2].strip()
    sources = tuple(Source(n, "\n".join(ls)) for n, ls in files.items() if "".join(ls).strip())
    kinds, dialect = setting.get("kinds", "direct"), setting.get("dialect", "")
    return Case(title.removeprefix("-- # "), dialect, schema, kinds, sources, tuple(expected))


def graph_of(case: Case) -> Graph:
    pile = load(list(case.sources), case.dialect, case.schema)
    assert not [f for f in pile.findings if f.code in ("PARSE", "TOKENIZE")]
    return pile.graph


def shown(graph: Graph, case: Case) -> list[str]:
    lines = []
    for e in graph.edges if case.kinds == "all" else graph.direct:
        kind = e.subtype if e.type == "DIRECT" else f"INDIRECT {e.subtype}"
        sure = "" if e.certainty == "certain" else f" {e.certainty}"
        proof = f" because {e.evidence[0]}" if e.evidence else ""
        lines.append(f"{e.source} -> {e.target} {kind}{sure}{proof}")
    lines += [f"{f.code}: {f.message}" for f in graph.unresolved]
    lines += ["circle: " + ", ".join(map(str, circle)) for circle in graph.cycles()]
    return lines


def cases() -> list[tuple[str, Case]]:
    found = []
    for path in sorted(FOLDER.rglob("*.sql")):
        for text in re.split(r"(?m)^(?=-- # )", path.read_text(encoding="utf-8"))[1:]:
            found.append((path.stem, read_case(text)))
    return found


@pytest.mark.parametrize(
    ("topic", "case"), [pytest.param(t, c, id=f"{t}: {c.title}") for t, c in cases()]
)
def test_case(topic: str, case: Case) -> None:
    assert case.expected, "a case without expected edges proves nothing"
    assert shown(graph_of(case), case) == list(case.expected)


def test_every_edge_has_a_place_in_its_file() -> None:
    for _, case in cases():
        lengths = {source.path: len(source.text.splitlines()) for source in case.sources}
        for e in graph_of(case).edges:
            assert e.spans, e
            assert all(1 <= span.line <= lengths[span.path] for span in e.spans)
