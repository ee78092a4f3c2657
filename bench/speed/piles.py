"""The texts that are timed.

texts(name, mirrors) -> (dialect, texts);  upto(texts, lines) -> texts;  lines(texts) -> int
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import corpora, notebooks

SHOP = Path("fixtures/shop/pile")
# Names of piles -> entries of corpora.toml; shop is bundled.
PILES = {
    "achilles": "achilles",
    "almanac": "almanac",
    "mimic": "mimic",
    "nhs": "nhs_mhmonthly",
    "shop": "",
    "bqetl": "bqetl",
}


def texts(name: str, mirrors: Mapping[str, Path]) -> tuple[str, tuple[str, ...]]:
    """Dialect and texts of a pile, in the order of their paths. mimic: its BigQuery folder."""
    if not PILES[name]:
        return "postgres", _read(SHOP, (".sql",))
    corpus = corpora.load()[PILES[name]]
    folder = corpora.fetch(corpus, corpora.CACHE, mirrors)
    if name == "mimic":
        folder = folder / "mimic-iv/concepts"
    return corpus.dialect, _read(folder, (".sql", ".py") if name == "nhs" else (".sql",))


def lines(found: Sequence[str]) -> int:
    """Lines of all texts."""
    return sum(text.count("\n") + 1 for text in found)


def upto(found: Sequence[str], size: int, seed: int = 1) -> tuple[str, ...]:
    """Texts in a seeded order until they have so many lines."""
    mixed = random.Random(seed).sample(list(found), len(found))
    chosen: list[str] = []
    left = size
    for text in mixed:
        if left <= 0:
            break
        chosen.append(text)
        left -= text.count("\n") + 1
    return tuple(chosen)


def _read(folder: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    files = sorted(path for path in folder.rglob("*") if path.suffix in suffixes)
    found = (notebooks.sql(path.read_text("utf-8", "replace"), path.suffix) for path in files)
    return tuple(text for text in found if text.strip())
