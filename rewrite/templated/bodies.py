"""What of a model may be shared: all behind its configuration, or behind the names it sets, too.

bodies_of(name, text) -> Bodies, None where nothing is
"""

from __future__ import annotations

from dataclasses import dataclass

from unwet.rewrite.templated.aligned import is_block_set
from unwet.rewrite.templated.family import Body, Set
from unwet.rewrite.templated.lexed import Words, lexed


@dataclass(frozen=True, slots=True)
class Bodies:
    """``all``: with the names that are set at its head; ``rest``: without, where all that the
    macro reads of them is handed on."""

    all: Body
    rest: Body

    @property
    def model(self) -> str:
        return self.all.model


def bodies_of(name: str, text: str) -> Bodies | None:
    """Of one model. None where it has no words but those."""
    whole = lexed(text)
    start = _configured(whole)
    words = _from(whole, start)
    sets, at = _sets(words)
    rest = _from(words, at)
    if not rest.all:
        return None
    above = _names_set(whole, start)
    first, end = words.all[0].start, words.all[-1].end
    return Bodies(
        Body(name, first, end, words, (), above, tuple(each.name for each in sets)),
        Body(name, first, end, rest, sets, above),
    )


def _from(words: Words, at: int) -> Words:
    return Words(words.text, words.all[at:])


def _configured(words: Words) -> int:
    """The position behind the last tag that configures the model."""
    found = [
        word.tag
        for word, inner in zip(words.all, words.all[1:], strict=False)
        if word.kind == "open" and word.text.startswith("{{") and inner.text == "config"
    ]
    return 1 + max((n for n, w in enumerate(words.all) if found and w.tag == found[-1]), default=-1)


def _sets(words: Words) -> tuple[tuple[Set, ...], int]:
    """The names that the first tags set, and the position behind them."""
    found: list[Set] = []
    at = 0
    while at + 2 < len(words.all) and words.all[at].kind == "open":
        if words.all[at + 1].text != "set" or is_block_set(words, at):
            break
        many = sum(word.tag == words.all[at].tag for word in words.all[at:])
        name = words.all[at + 2].text
        value, tag = words.between(at + 4, at + many - 1), words.between(at, at + many)
        found.append(Set(name, value, tag))
        at += many
    return tuple(found), at


def _names_set(words: Words, end: int) -> tuple[str, ...]:
    pairs = zip(words.all[:end], words.all[1:end], strict=False)
    return tuple(after.text for word, after in pairs if word.text == "set" and word.kind == "word")
