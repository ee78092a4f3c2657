"""What of a model may be shared: all behind its configuration, or behind the names it sets, too.

bodies_of(name, text) -> Bodies, None where nothing is
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from unwet.rewrite.templated.aligned import is_block_set
from unwet.rewrite.templated.configured import (
    Config,
    config_of,
    joined,
    of_one_form,
    shared_keys,
    tag_of,
    words_of,
)
from unwet.rewrite.templated.family import Body, Set
from unwet.rewrite.templated.lexed import Words, lexed

_LEAST: Final = 2  # settings that models share


@dataclass(frozen=True, slots=True)
class Bodies:
    """``all``: with the names that are set at its head; ``rest``: without, where all that the
    macro reads of them is handed on. ``config``: what the model is configured with in front."""

    all: Body
    rest: Body
    config: Config | None = None

    @property
    def is_config(self) -> bool:
        """Whether it is nothing but what configures."""
        return self.config is not None and self.all.end == self.config.end

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
        None if above else config_of(whole),
    )


def config_alone(name: str, text: str) -> Bodies | None:
    """What configures a model, by itself. None where that is not constant, or not at the head."""
    words = lexed(text)
    config = config_of(words)
    if config is None or text[: config.start].strip():
        return None
    own = Words(text, tuple(word for word in words.all if word.start < config.end))
    body = Body(name, config.start, config.end, own, label=f"{name}_config")
    return Bodies(body, body, config)


def with_config(members: Sequence[Bodies]) -> list[Body] | None:
    """The bodies with what all of them configure, in words that can be compared; what only some do
    is their own. None where one is not configured by constants."""
    configs = [each.config for each in members if each.config is not None]
    if len(configs) < len(members):
        return None
    every = shared_keys(configs)
    keys = [key for key in every if of_one_form(configs, key)]
    alone = any(each.is_config for each in members)
    if len(keys) < _LEAST or (alone and len(keys) < len(every)):
        return None
    return [
        _configured_body(each, config, keys) for each, config in zip(members, configs, strict=True)
    ]


def _configured_body(each: Bodies, config: Config, keys: Sequence[str]) -> Body:
    body = each.all
    text, end = body.words.text, max(body.end, config.end)
    own = {key: value for key, value in config.said.items() if key not in keys}
    words = words_of(tag_of({key: config.said[key] for key in keys}) + text[config.end : end])
    return replace(
        body,
        start=config.start,
        end=end,
        words=words,
        stands_for=text[config.start : end],
        own=f"{joined(tag_of(own))}\n\n" if own else "",
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
