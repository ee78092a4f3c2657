"""One check: texts, what the index knows of them, what is new, and what there is to tell.

Every step is a function of what its key is made of, and of nothing else. So a check with an index
tells what a check without one tells, whatever was in the index before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from unwet.lineage.garbage import rare_collection
from unwet.rewrite.check import records
from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.company import Companies
from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.check.index import Index, key
from unwet.rewrite.check.judge import judged
from unwet.rewrite.check.records import Alone, Block
from unwet.rewrite.check.texts import Pile, read_pile

if TYPE_CHECKING:
    from unwet.rewrite.check.reading import Reader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found, in the order of the places. `firsts`: what else it would tell of some of
    the files if it was not asked about the others; `changed`: the files in question; `pile`: all
    files; `notes`: what went otherwise than usual, for who wants to know."""

    problems: tuple[Problem, ...]
    firsts: tuple[Problem, ...]
    changed: tuple[str, ...]
    pile: tuple[str, ...]
    notes: tuple[str, ...]


@rare_collection()
def check(ask: Ask, progress: Callable[[str], None] = lambda _: None) -> Checked:
    """The problems that touch the files in question, baseline not considered.

    Raises PathNotFound and its kin for what was asked wrongly.
    """
    index = Index(ask.home)
    try:
        pile = read_pile(ask.paths, ask.named, index)
        problems, firsts = _Run(ask, pile, index, progress).problems()
    finally:
        index.close()
    notes = [f"{path}: not in the paths of the configuration" for path in pile.outside]
    notes += [index.trouble] if index.trouble else []
    return Checked(tuple(problems), tuple(firsts), pile.changed, tuple(pile.texts), tuple(notes))


@dataclass
class _Run:
    ask: Ask
    pile: Pile
    index: Index
    progress: Callable[[str], None]
    _reader: list[Reader] = field(default_factory=list)

    def problems(self) -> tuple[list[Problem], list[Problem]]:
        """From the index as they are when nothing has changed, else worked out."""
        texts = [[path, text.digest, text.model] for path, text in self.pile.texts.items()]
        whole = key("problems", self.ask.company(), self.ask.judging(), texts, self.pile.changed)
        known = self.index.get([whole])
        if whole not in known:
            found = self._judged()
            self.index.put({whole: [[_as_json(each) for each in some] for some in found]})
            return found
        told, firsts = _listed(known[whole])
        return [_problem(each) for each in told], [_problem(each) for each in firsts]

    def _judged(self) -> tuple[list[Problem], list[Problem]]:
        alone = self._alone()
        blocks = self._blocks(alone)
        drifts, kept = self._contradictions()
        models = {path: text.model for path, text in self.pile.texts.items() if text.model}
        return judged(self.ask, self.pile.changed, alone, blocks, models, drifts, kept)

    def _contradictions(self) -> tuple[list[Problem], set[tuple[str, int]]]:
        """Those of the changed files, and the lines where a mark keeps one back."""
        if not self.ask.drift or not self.pile.changed:
            return [], set()
        from unwet.rewrite.check.contradictions import contradictions

        self.progress("asking all of the pile for contradictions")
        return contradictions(self.reader, self.pile.texts, set(self.pile.changed))

    # --- records

    def _alone(self) -> dict[str, Alone]:
        """What every text says by itself."""
        base = self.ask.company()
        keys = {path: key("alone", base, text.digest) for path, text in self.pile.texts.items()}

        def made(path: str) -> Alone:
            return self.reader.alone(path)

        return self._known(keys, records.alone, made, Alone.as_json)

    def _blocks(self, alone: Mapping[str, Alone]) -> dict[str, list[Block]]:
        """The query blocks of every text, read in its company."""
        companies = Companies(alone)
        company = {path: companies.of(path) for path in self.pile.texts}
        digests = {path: text.digest for path, text in self.pile.texts.items()}
        base = self.ask.company()
        near = {
            path: key("asked", base, path, [[each, digests[each]] for each in members])
            for path, members in company.items()
        }

        def asked(path: str) -> Sequence[str]:
            return self.reader.asked(company[path])

        wanted = self._known(near, lambda stored: tuple(stored), asked, lambda names: list(names))
        uses = {
            path: {relation: companies.uses(relation) for relation in names}
            for path, names in wanted.items()
        }
        keys = {path: key("blocks", near[path].hex(), uses[path]) for path in near}

        def made(path: str) -> list[Block]:
            return self.reader.blocks(path, company[path], uses[path])

        return self._known(
            keys,
            lambda stored: list(map(records.block, stored)),
            made,
            lambda found: [each.as_json() for each in found],
        )

    def _known(
        self,
        keys: Mapping[str, bytes],
        load: Callable[[Any], T],
        make: Callable[[str], T],
        dump: Callable[[T], object],
    ) -> dict[str, T]:
        """By path: what the index has under these keys, else what is made now, and remembered."""
        stored = self.index.get(keys.values())
        if new := sum(each not in stored for each in keys.values()):
            self.progress(f"reading {new} of {len(keys)} files")
        found: dict[str, T] = {}
        for path, each in keys.items():
            if each in stored:
                found[path] = load(stored[each])
            else:
                found[path] = make(path)
                self.index.put({each: dump(found[path])})
        return found

    @property
    def reader(self) -> Reader:
        """Reads texts; made when the first new one is met, as it imports the parser."""
        if not self._reader:
            from unwet.rewrite.check.reading import Reader

            self._reader.append(Reader(self.ask, self.pile.texts))
        return self._reader[0]


def _listed(stored: object) -> Iterable[Any]:
    return stored if isinstance(stored, list) else ()


def _as_json(problem: Problem) -> dict[str, object]:
    said: dict[str, object] = {name: getattr(problem, name) for name in Problem.__slots__}
    others = [_as_place(each) for each in problem.others]
    return {**said, "at": _as_place(problem.at), "others": others}


def _as_place(place: Place) -> dict[str, object]:
    return {name: getattr(place, name) for name in Place.__slots__}


def _problem(stored: Mapping[str, Any]) -> Problem:
    others = tuple(Place(**each) for each in stored["others"])
    return Problem(**{**stored, "at": Place(**stored["at"]), "others": others})
