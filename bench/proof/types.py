"""How often a type that is inferred from the queries is what the DDL says.

agreements(inferred, truth) -> how many columns agree, by evidence

The DDL is kept back: the pile is read without it. Run as a program it measures every pile whose
types are known from elsewhere:  python -m bench.proof.types [--write]
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.proof import piles
from bench.results import put
from unwet.lineage.pile import load as load_pile
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.synthetic.infer import Inferred, infer
from unwet.rewrite.prove.synthetic.types import SqlType, read_type

Truth = Mapping[str, Mapping[str, SqlType]]  # table, without its schema -> column -> type
Count = Counter[tuple[str, str]]  # (evidence, same | close | other) -> columns

HEAD = """## Types from the queries alone

Types of base columns, inferred from a pile without its DDL, against the DDL
(`python -m bench.proof.types`). *Same*: the same kind. *Close*: both are numbers, or both dates
and moments. By what the type was known from: its uses, its name, or nothing (text)."""
EVIDENCE = ("used", "named", "default")
_FAMILIES = ({"integer", "decimal", "double"}, {"date", "timestamp"})
# sqlglot's schema has the dates of TPC-H as text; TPC-H 3.0.1, 1.4.1: they are dates
_DATES = frozenset({"l_shipdate", "l_commitdate", "l_receiptdate", "o_orderdate"})


def agreements(inferred: Inferred, truth: Truth) -> Count:
    """Over the columns of base tables that both know."""
    count: Count = Counter()
    for relation, columns in inferred.tables.items():
        known = truth.get(relation.rpartition(".")[2], {})
        for column, kind in columns.items():
            if column in known:
                count[kind.evidence, _verdict(kind, known[column])] += 1
    return count


def _verdict(found: SqlType, true: SqlType) -> str:
    if found.kind == true.kind:
        return "same"
    close = any({found.kind, true.kind} <= family for family in _FAMILIES)
    return "close" if close else "other"


def wrong(inferred: Inferred, truth: Truth) -> Iterator[str]:
    """The columns that do not even have a close type, as people read them."""
    for relation, columns in inferred.tables.items():
        known = truth.get(relation.rpartition(".")[2], {})
        for column, kind in columns.items():
            if column in known and _verdict(kind, known[column]) == "other":
                told = f"{kind.duckdb()} ({kind.evidence})"
                yield f"{relation}.{column}: {told}, but {known[column].duckdb()}"


def _of_helpers(name: str) -> Callable[[piles.Where], Truth]:
    """A schema that sqlglot's tests hold as a dictionary."""

    def read(where: piles.Where) -> Truth:
        text = (where.fetch("tpc") / "tests" / "helpers.py").read_text("utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                return _typed(ast.literal_eval(node.value))
        raise BenchError(f"no {name} in sqlglot's helpers", "fetch the corpus tpc again")

    return read


def _typed(schema: Mapping[str, Mapping[str, str]]) -> Truth:
    return {
        table: {
            column: kind
            for column, text in columns.items()
            if (kind := read_type("date" if column in _DATES else text)) is not None
        }
        for table, columns in schema.items()
    }


def of_ddl(paths: Sequence[Path], dialect: str) -> Truth:
    """What CREATE TABLE statements declare."""
    tables = load_pile(paths, dialect).catalog.tables
    return {
        name.rpartition(".")[2]: {
            column.name: kind
            for column in table.columns
            if (kind := read_type(column.type, dialect)) is not None
        }
        for name, table in tables.items()
    }


def _shop(where: piles.Where) -> Meaning:
    return Meaning(load_pile(piles.SHOP / "pile", "postgres"))


PILES: Mapping[str, tuple[Callable[[piles.Where], Meaning], Callable[[piles.Where], Truth]]] = {
    "tpc_h": (piles.PILES["tpc_h"], _of_helpers("TPCH_SCHEMA")),
    "tpc_ds": (piles.PILES["tpc_ds"], _of_helpers("TPCDS_SCHEMA")),
    "achilles": (
        piles.PILES["achilles"],
        lambda where: of_ddl([where.fetch("omop_cdm")], "duckdb"),
    ),
    "shop": (_shop, lambda _: of_ddl([piles.SHOP / "schema.sql"], "postgres")),
}


def table(counts: Mapping[str, Count]) -> str:
    """A row per pile: how many columns, and how many in a hundred agree."""
    head = " | ".join(f"{word} | same | close" for word in EVIDENCE)
    lines = [f"| pile | {head} |", f"| --- |{' --: |' * (3 * len(EVIDENCE))}"]
    total: Count = Counter()
    for count in counts.values():
        total.update(count)
    for name, count in (*counts.items(), ("all", total)):
        cells = [cell for word in EVIDENCE for cell in _cells(count, word)]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(count: Count, evidence: str) -> tuple[str, str, str]:
    same, close, other = (count[evidence, verdict] for verdict in ("same", "close", "other"))
    many = same + close + other
    if not many:
        return "0", "-", "-"
    return str(many), f"{100 * same / many:.1f} %", f"{100 * (same + close) / many:.1f} %"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.proof.types")
    parser.add_argument("--cache", type=Path, default=corpora.CACHE)
    parser.add_argument("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    parser.add_argument("--wrong", action="store_true", help="list the columns that do not agree")
    parser.add_argument("--write", action="store_true", help="put the table into RESULTS.md")
    options = parser.parse_args(words)
    counts: dict[str, Count] = {}
    try:
        where = piles.Where(options.cache, corpora.parse_mirrors(options.mirror))
        for name, (pile, truth) in PILES.items():
            inferred, known = infer(pile(where)), truth(where)
            counts[name] = agreements(inferred, known)
            if options.wrong:
                print("\n".join(wrong(inferred, known)))
    except BenchError as error:
        print(f"error: {error}\nhelp: {error.help}", file=sys.stderr)
        return 2
    print(table(counts))
    if options.write:
        put("types", f"{HEAD}\n\n{table(counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
