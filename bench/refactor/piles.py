"""The piles, prepared as SQL files that `unwet refactor` reads.

prepared(name, folder, mirrors) -> dialect
"""

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import corpora, notebooks
from bench.errors import BenchError

NHS = "Mental_Health_Monthly_Statistics"
Named = tuple[str, str]  # a path below the pile, and the text of that file


@dataclass(frozen=True, slots=True)
class Pile:
    """Which files of a corpus, and what a human refactoring would leave (E) and the goal, in lines;
    0 where nobody said."""

    corpus: str
    files: Callable[[Path], Iterable[Named]]
    human: int = 0
    goal: int = 0


def _plain(folder: Path, at: Path) -> Iterable[Named]:
    for path in sorted(at.rglob("*.sql")):
        yield str(path.relative_to(folder)), path.read_text("utf-8-sig", "replace")


def _below(*parts: str) -> Callable[[Path], Iterable[Named]]:
    return lambda root: _plain(root.joinpath(*parts), root.joinpath(*parts))


def _notebooks(*parts: str) -> Callable[[Path], Iterable[Named]]:
    def found(root: Path) -> Iterable[Named]:
        folder = root.joinpath(NHS, *parts)
        for path in sorted(p for p in folder.rglob("*") if p.suffix in (".sql", ".py")):
            text = notebooks.sql(path.read_text("utf-8-sig", "replace"), path.suffix)
            if text.strip():
                yield str(path.relative_to(folder).with_suffix(".sql")), text

    return found


def _almanac(root: Path) -> Iterable[Named]:
    for chapter in ("cms", "ecommerce", "jamstack"):
        for folder in sorted((root / "sql").glob(f"*/{chapter}")):
            yield from _plain(root / "sql", folder)


def _first_phenotypes(root: Path) -> Iterable[Named]:
    return list(_below("inst", "sql", "sql_server")(root))[:70]


def _base_trades(root: Path) -> Iterable[Named]:
    """What commit 06f70843d7 of spellbook replaced by a macro: one file for each chain."""
    folder = root / "dbt_subprojects" / "dex" / "models" / "trades"
    for path in sorted(folder.glob("*/dex_*_base_trades.sql")):
        yield str(path.relative_to(folder)), path.read_text("utf-8-sig", "replace")


PILES: dict[str, Pile] = {
    "achilles": Pile("achilles", _below("inst", "sql", "sql_server", "analyses"), 5623, 2500),
    "almanac_cms": Pile("almanac", _almanac, 3758, 2500),
    "almanac": Pile("almanac", _below("sql"), 42863, 25000),
    "bqetl_genonly": Pile("bqetl_genonly", _below(), 28711, 20000),
    "nhs_restraints": Pile("nhs_mhmonthly", _notebooks("Restraints"), 5529, 3000),
    "nhs_extract": Pile(
        "nhs_mhmonthly", _notebooks("menh_analysis", "notebooks", "03_Extract"), 3202, 2000
    ),
    "phenotype_70": Pile("phenotype_70", _first_phenotypes, 4041, 2000),
    "spellbook_trades": Pile("spellbook_dex", _base_trades, 1447, 1446),
    "mimic": Pile("mimic", _below("mimic-iv", "concepts"), 6379, 0),
}


def prepared(name: str, folder: Path, mirrors: Mapping[str, Path]) -> str:
    """Write the pile's files below `folder`, anew; its dialect. Raises BenchError."""
    if name not in PILES:
        raise BenchError(f"no such pile: {name}", f"one of {', '.join(PILES)}")
    pile = PILES[name]
    corpus = corpora.load()[pile.corpus]
    root = corpora.fetch(corpus, mirrors=mirrors)
    shutil.rmtree(folder, ignore_errors=True)
    written = 0
    for path, text in pile.files(root):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        written += 1
    if not written:
        raise BenchError(f"{name}: no files below {root}", "delete that folder to fetch it again")
    return corpus.dialect
