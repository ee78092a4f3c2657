"""Every OpenLineage event of whole piles against the JSON schemas of the spec itself.

    python -m bench.openlineage [--spec DIR] [--write] [NAME=DIR:DIALECT...]

The spec is fetched from its repository at one commit (or given as its folder `spec`); the piles are
the bundled ones, and those named. tests/lineage/test_openlineage.py checks the same on a small
script with the classes generated from these schemas. Exit code 1 when an event is not valid.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from bench import corpora
from bench.errors import BenchError
from bench.results import put
from unwet.lineage.asking import Ask, made
from unwet.lineage.pile import load

SPEC = corpora.Corpus(
    name="openlineage_spec",
    repository="https://github.com/OpenLineage/OpenLineage",
    commit="8f02abfb7a252783b95df79f443edb13959bf52c",
    paths=("spec",),
    dialect="",
    prepare="",
    note="JSON schemas, Apache-2.0",
)
BUNDLED = ("walk=fixtures/walk/pile:postgres", "shop=fixtures/shop/pile:duckdb")
HEAD = """| pile | job events | dataset events | facets | bytes | CPU s | not valid |
| --- | --: | --: | --: | --: | --: | --: |"""


class Spec:
    """The schemas, by the address that an event or facet names as its own."""

    def __init__(self, folder: Path) -> None:
        files = [folder / "OpenLineage.json", *sorted((folder / "facets").glob("*.json"))]
        schemas = [json.loads(file.read_text("utf-8")) for file in files]
        self._registry: Any = Registry().with_resources(
            [(schema["$id"], Resource.from_contents(schema)) for schema in schemas]
        )

    def faults(self, value: Any, address: str) -> list[str]:
        """What is wrong with a value of the schema at an address."""
        schema = {"$ref": address}
        checker = Draft202012Validator(
            schema, registry=self._registry, format_checker=FormatChecker()
        )
        return [error.message for error in checker.iter_errors(value)]


def facets(value: Any) -> Iterator[dict[str, Any]]:
    """All facets inside an event."""
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield value
        for each in value.values():
            yield from facets(each)
    elif isinstance(value, list):
        for each in value:
            yield from facets(each)


def measure(name: str, folder: str, dialect: str, spec: Spec) -> tuple[str, list[str]]:
    """A row of the table, and the faults."""
    pile = load(folder, dialect)
    ask = Ask("openlineage", dialect=dialect)
    _ = pile.graph, pile.catalog
    start = time.process_time()
    text = str(made(pile, ask))
    seconds = time.process_time() - start
    kinds: Counter[str] = Counter()
    faults: list[str] = []
    for event in json.loads(text):
        address = event["schemaURL"]
        kinds[address.rpartition("/")[2]] += 1
        faults += spec.faults(event, address)
        faults += spec.faults(event, address.partition("#")[0])  # one of three kinds, not two
        for facet in facets(event):
            kinds["facet"] += 1
            faults += spec.faults(facet, facet["_schemaURL"])
    row = (
        f"| {name} | {kinds['JobEvent']:,} | {kinds['DatasetEvent']:,} | {kinds['facet']:,} "
        f"| {len(text.encode()):,} | {seconds:.2f} | {len(faults)} |"
    )
    return row, faults


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.openlineage")
    parser.add_argument("piles", nargs="*", metavar="NAME=DIR:DIALECT")
    parser.add_argument("--spec", type=Path, help="the folder `spec` instead of a fetched one")
    parser.add_argument("--write", action="store_true", help="put the table into bench/RESULTS.md")
    options = parser.parse_args(words)
    try:
        folder = options.spec or corpora.fetch(SPEC, mirrors=corpora.parse_mirrors(())) / "spec"
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    spec = Spec(folder)
    rows, faults = [], []
    for word in (*BUNDLED, *options.piles):
        name, _, rest = word.partition("=")
        where, _, dialect = rest.rpartition(":")
        row, found = measure(name, where, dialect, spec)
        rows.append(row)
        faults += found
    table = "\n".join([HEAD, *rows])
    print(table, *faults[:20], sep="\n")
    if options.write:
        put(
            "openlineage",
            f"## OpenLineage events\n\n`python -m bench.openlineage --write`: events and facets "
            f"against the JSON schemas of the spec, commit {SPEC.commit[:10]}.\n\n{table}",
        )
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
