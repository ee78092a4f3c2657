"""The models of a pile that are templates, with what they share in macros, and the proof.

rewritten(pile, sharing) -> Templated
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unwet.lineage.config import Sharing
from unwet.lineage.pile import Pile
from unwet.lineage.sources import Source
from unwet.rewrite.naming import RESERVED
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.sizes import Size, code_lines, words
from unwet.rewrite.templated.alike import apart
from unwet.rewrite.templated.bodies import bodies_of
from unwet.rewrite.templated.branches import Rendering, assumption, in_branches, macro_names
from unwet.rewrite.templated.family import Family
from unwet.rewrite.templated.holes import named
from unwet.rewrite.templated.set_apart import name_of, set_apart
from unwet.rewrite.templated.sharing import shared
from unwet.rewrite.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Templated:
    """``whole``: the pile, ``rest``: without its templates; ``sources``: these; ``models`` and
    ``kept_macros``: what they become, by the paths of their sources; ``macros``: new ones, by
    name."""

    whole: Pile
    rest: Pile
    sources: tuple[Source, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)
    macros: Mapping[str, str] = field(default_factory=dict)
    kept_macros: Mapping[str, str] = field(default_factory=dict)
    families: tuple[Family, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def before(self) -> Size:
        """What a maintainer reads of them now."""
        return _size([source.text for source in self.sources])

    @property
    def nodes(self) -> int:
        """What stands for syntax nodes in what they become."""
        texts = (*self.models.values(), *self.macros.values(), *self.kept_macros.values())
        return _size(texts).nodes


def _size(texts: Sequence[str]) -> Size:
    return Size(sum(map(code_lines, texts)), sum(map(words, texts)), len(texts))


def rewritten(pile: Pile, limits: Sharing) -> Templated:
    """Templates are shared as they are written: a macro is the text of one model, with parameters
    where the others differ. That each model says the same SQL as before in all branches is its
    proof; one that cannot be followed in all of them stays as it was."""
    found = set_apart(pile)
    if not found.models:
        return Templated(pile, pile)
    job = _Job(found.models, found.macros)
    families = shared(job.bodies, limits, job.taken, job.unproved)
    calling = {body.model for each in families for body in each.bodies}
    texts = {source.path: source.text for source in found.models}
    for each in families:
        texts |= dict(job.models_of(each))
    return Templated(
        pile,
        found.rest,
        (*found.models, *found.macros),
        texts,
        {each.name: each.macro for each in families},
        {source.path: source.text for source in found.macros},
        families,
        tuple(job.verdicts(calling)),
        job.assumptions(calling),
    )


class _Job:
    """Models by their names; each is rendered once as it was."""

    def __init__(self, models: Sequence[Source], macros: Sequence[Source]) -> None:
        self._models = {name_of(source): source for source in models}
        self._old: dict[str, tuple[Rendering, ...]] = {}
        self._failed: dict[str, TemplateFailure] = {}
        for name, source in self._models.items():
            try:
                self._old[name] = in_branches(source.text)
            except TemplateFailure as failure:
                self._failed[name] = failure
        known = (bodies_of(name, self._models[name].text) for name in self._old)
        self.bodies = [each for each in known if each is not None]
        spoken = (name for each in self.bodies for name in named(each.all.words))
        self.taken = {*RESERVED, *_defined(macros), *spoken}

    def models_of(self, family: Family) -> Iterator[tuple[str, str]]:
        """The new text of each of its models, by its path."""
        for body, call in zip(family.bodies, family.calls, strict=True):
            source = self._models[body.model]
            yield source.path, source.text[: body.start] + call + source.text[body.end :]

    def unproved(self, family: Family) -> Collection[str]:
        """Its models that would not say what they said."""
        texts = dict(self.models_of(family))
        return [
            body.model
            for body in family.bodies
            if self._differs(body.model, texts[self._models[body.model].path], family.macro)
        ]

    def _differs(self, name: str, text: str, macro: str) -> bool:
        try:
            new = in_branches(text, [macro])
        except TemplateFailure:
            return True
        return bool(apart(self._old[name], new, self._models[name].dialect or ""))

    def assumptions(self, shared: Collection[str]) -> tuple[str, ...]:
        """What the proofs of models that call a macro now take for granted."""
        return assumption(one for name in sorted(shared) for one in self._old[name])

    def verdicts(self, shared: Collection[str]) -> Iterator[Verdict]:
        for name, source in sorted(self._models.items()):
            failure = self._failed.get(name)
            if failure is None:
                yield Verdict(name, name, source.path, 1, name, "proved", "", name in shared)
                continue
            line = failure.line or 1
            reason = f"a template that is not followed: line {line}: {failure.message}"
            yield Verdict(name, name, source.path, line, name, "kept", reason)


def _defined(macros: Sequence[Source]) -> Iterator[str]:
    for source in macros:
        try:
            yield from macro_names(source.text)
        except TemplateFailure:
            continue  # it is not read, so that nothing of it is replaced
