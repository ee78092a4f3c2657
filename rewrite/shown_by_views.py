"""Which views show what a relation holds: their rows change with it, whenever it does."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field, replace

from unwet.rewrite.definitions import Definition


@dataclass(slots=True)
class Shown:
    """By relation, the names of the views over it; told of every definition when it is made."""

    over: dict[str, dict[str, None]] = field(default_factory=dict)
    called: dict[str, dict[str, None]] = field(default_factory=dict)  # by each part of their names

    def note(self, made: Definition) -> None:
        """Remembers what a view reads."""
        if made.is_view:
            for name in (*(read.of or read.relation for read in made.reads), *sorted(made.early)):
                self.over.setdefault(name, {})[made.relation] = None
                for word in name.lower().split("."):
                    self.called.setdefault(word, {})[name] = None

    def named(self, words: Iterable[str]) -> list[str]:
        """The relations under views in whose names such a word is."""
        return [*{name: None for word in words for name in self.called.get(word, ())}]

    def above(self, name: str) -> Iterator[str]:
        """The views over a relation, those over these, and so on: each once."""
        waiting, seen = [name], {name}
        while waiting:
            new = [view for view in self.over.get(waiting.pop(), ()) if view not in seen]
            seen.update(new)
            waiting += new
            yield from new


def shown_anew(view: Definition) -> Definition:
    """Another state of the same view: who has read the one before has read other rows."""
    return replace(view)


def is_shown_by(reader: Definition, read: Definition, last: Definition) -> bool:
    """Whether a view reads a view that was not made anew since: what that shows later, the reader
    shows later, too. Not where a temporary table holds what was shown before."""
    same = read.is_view and read.parts is last.parts
    return same and all(each.is_view for each in (reader, *behind(reader)))


def behind(definition: Definition) -> Iterator[Definition]:
    """The temporary tables that a definition reads, itself or through others."""
    for read in definition.reads:
        if read.temp:
            yield read
            yield from behind(read)


def stale_under(
    view: Definition, current: Callable[[str], Definition | None], dropped: Container[str]
) -> Definition | None:
    """What a view shows otherwise by now than its model has it, also through others under it:
    all that was made anew since, if it is a temporary one; of one that lasts temporary tables, and
    what the script has ``dropped``, as all else is a relation of its own."""
    for read in view.reads:
        now = current(read.of or read.relation)
        is_gone = now is not None and read.relation in dropped
        if now is not read and (view.temp or read.temp or is_gone):
            return read
        below = stale_under(read, current, dropped) if read.is_view else None
        if below is not None:
            return below
    return None


def temporaries_under(view: Definition) -> set[str]:
    """The temporary tables that a view reads, also through temporary views."""
    found = {read.relation for read in view.reads if read.temp}
    for read in view.reads:
        if read.temp and read.is_view:
            found |= temporaries_under(read)
    return found
