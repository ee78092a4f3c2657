"""Which values nobody asks for: `--param` with a name that no text has."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from unwet.lineage.sources import Source
from unwet.lineage.templating import mask


def strangers(
    names: Iterable[str], sources: Iterable[Source], words: Iterable[str] = ()
) -> tuple[tuple[str, str], ...]:
    """The names that no placeholder of the sources can be meant by, each with the one that is
    nearest, if any. `words`: further texts, in which each word may be a name."""
    ones, texts = tuple(sources), tuple(words)
    odd = [name for name in dict.fromkeys(names) if not _stands(name, ones, texts)]
    if not odd:
        return ()
    known = sorted({place.name for one in ones for place in mask(one).placeholders} - {""})
    return tuple((name, next(iter(get_close_matches(name, known, n=1)), "")) for name in odd)


def told(
    names: Iterable[str], sources: Iterable[Source], words: Iterable[str] = ()
) -> Iterator[str]:
    """A line for each of them."""
    ones = tuple(sources)
    for name, near in strangers(names, ones, words):
        hint = f"; did you mean {near}?" if near else ""
        if whole := _begun(name, ones):
            yield (f"--param {name}: is put in as the beginning of @{whole}; "
                   f"if that is not meant, write --param {whole}=VALUE")  # fmt: skip
            continue
        yield f"--param {name}: nothing that was read has a place for it{hint}"


def _begun(name: str, sources: Iterable[Source]) -> str:
    """The word that only begins with a name, as it stands behind the sign of a placeholder."""
    begun = re.compile(rf"@({re.escape(name)}\w+)")
    return next((hit[1] for each in sources if (hit := begun.search(each.text))), "")


def _stands(name: str, sources: Iterable[Source], words: Iterable[str]) -> bool:
    """A sign before it is enough: which signs make a placeholder is the dialect's business. What
    goes on with _ is a name in front of more text (`@prefix_dist`)."""
    word = rf"{re.escape(name)}(?!\w)"
    sign = re.compile(
        rf"[@$:]{word}|@{re.escape(name)}_|\{{[^{{}}]*(?<!\w){word}|%\({word}|\$\({word}"
    )
    alone = re.compile(rf"(?<!\w){word}")
    return any(sign.search(each.text) for each in sources) or any(map(alone.search, words))
