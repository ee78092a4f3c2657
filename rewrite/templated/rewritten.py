"""The models of a pile that are templates, with what they share in macros, and the proof.

rewritten(pile, sharing) -> Templated
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from unwet.lineage.config import Sharing
from unwet.lineage.sources import Source
from unwet.rewrite.dbt_names import BUILT_IN
from unwet.rewrite.naming import RESERVED
from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.sizes import Size, code_lines
from unwet.rewrite.templated.alike import apart
from unwet.rewrite.templated.bodies import bodies_of, config_alone
from unwet.rewrite.templated.branches import Rendering, assumption, in_branches, macro_names
from unwet.rewrite.templated.family import Body, Family
from unwet.rewrite.templated.lexed import lexed
from unwet.rewrite.templated.opened import named
from unwet.rewrite.templated.parts import parts_of
from unwet.rewrite.templated.set_apart import Apart, name_of
from unwet.rewrite.templated.sharing import shared
from unwet.rewrite.verdicts import Verdict
from unwet.rewrite.written_size import written_nodes

AS_IT_WAS: Final = "its model is as it was"


@dataclass(frozen=True, slots=True)
class Templated:
    """``sources``: the templates of a pile; ``models`` and ``kept_macros``: what they become, by
    the paths of their sources; ``macros``: new ones, by name."""

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
        return sum(map(_size, self.sources), Size())


def _size(source: Source) -> Size:
    nodes = written_nodes(source.text, source.dialect or "")
    return Size(code_lines(source.text), nodes, 1)


def rewritten(found: Apart, limits: Sharing, taken: Iterable[str] = ()) -> Templated:
    """Templates are shared as they are written: a macro is the text of one model, with parameters
    where the others differ. That each model says the same SQL as before in all branches is its
    proof; one that cannot be followed in all of them stays as it was. ``taken``: names that no
    macro may have."""
    if not found.models:
        return Templated()
    job = _Job(found.models, found.macros, limits, taken)
    job.share_models()
    job.share_settings()
    while job.share_parts():
        pass
    return Templated(
        (*found.models, *found.macros),
        {source.path: job.texts[name_of(source)] for source in found.models},
        dict(sorted(job.macros.items())),
        {source.path: source.text for source in found.macros},
        tuple(job.families),
        tuple(job.verdicts()),
        job.assumptions(),
    )


class _Job:
    """Models by their names, as they are by now; each is rendered once as it was."""

    def __init__(
        self,
        models: Sequence[Source],
        macros: Sequence[Source],
        limits: Sharing,
        taken: Iterable[str],
    ) -> None:
        self._models = {name_of(source): source for source in models}
        self._limits = limits
        self._old: dict[str, tuple[Rendering, ...]] = {}
        self._failed: dict[str, TemplateFailure] = {}
        for name, source in self._models.items():
            try:
                self._old[name] = in_branches(source.text)
            except TemplateFailure as failure:
                self._failed[name] = failure
        self.texts = {name: source.text for name, source in self._models.items()}
        self.macros: dict[str, str] = {}
        self.families: list[Family] = []
        texts = (*self.texts.values(), *(source.text for source in macros))
        spoken = (name for text in texts for name in named(lexed(text)))
        self._taken = {*RESERVED, *BUILT_IN, *taken, *_defined(macros), *spoken}

    def share_models(self) -> None:
        """Whole models, but for what configures them."""
        known = (bodies_of(name, self.texts[name]) for name in self._old)
        bodies = [each for each in known if each is not None]
        self._take(*shared(bodies, self._limits, self._taken, self._unproved))

    def share_settings(self) -> None:
        """What configures models that do not share it with what they say."""
        known = (config_alone(name, self.texts[name]) for name in self._old)
        bodies = [each for each in known if each is not None]
        self._take(*shared(bodies, self._limits, self._taken, self._unproved))

    def share_parts(self) -> bool:
        """Queries in brackets, of models and macros; whether there were any."""
        hosts = {**{name: self.texts[name] for name in self._old}, **self.macros}
        bodies = [part for host, text in hosts.items() for part in parts_of(host, text)
                  if code_lines(part.all.text) >= self._limits.min_lines]  # fmt: skip
        found = shared(bodies, self._limits, self._taken, self._unproved)
        chosen: list[Family] = []
        for family in sorted(found, key=lambda each: (-each.saved, each.name)):
            if not _overlap([body for each in (*chosen, family) for body in each.bodies]):
                chosen.append(family)
        before = self.texts, self.macros
        self._take(*chosen)
        changed = self._changed()
        if any(self._differs(name, self.texts[name], self.macros.values()) for name in changed):
            self.texts, self.macros = before  # each alone is right, but not all together
            del self.families[len(self.families) - len(chosen) :]
            return False
        return bool(chosen)

    def _take(self, *families: Family) -> None:
        self.texts, self.macros = self._with(*families)
        self.families += families
        self._taken |= {each.name for each in families}

    def _with(self, *families: Family) -> tuple[dict[str, str], dict[str, str]]:
        """Models and macros as they would be."""
        texts, macros = dict(self.texts), dict(self.macros)
        pairs = (pair for each in families for pair in zip(each.bodies, each.calls, strict=True))
        for body, call in sorted(pairs, key=_last_first):
            host = body.model.partition("#")[0]
            home = texts if host in texts else macros
            text = home[host]
            home[host] = text[: body.start] + _indented(call, text, body) + text[body.end :]
        return texts, macros | {each.name: each.macro for each in families}

    def _unproved(self, family: Family) -> Collection[str]:
        """Its bodies whose models would not say what they said."""
        if _overlap(family.bodies):
            return [body.model for body in family.bodies]
        texts, macros = self._with(family)
        hosts = {body.model: body.model.partition("#")[0] for body in family.bodies}
        touched = {model for host in hosts.values() for model in self._using(host)}
        wrong = {name for name in touched if self._differs(name, texts[name], macros.values())}
        return [body for body, host in hosts.items() if not wrong.isdisjoint(self._using(host))]

    def _using(self, host: str) -> frozenset[str]:
        """The models that a host is, or that call it, be it through other macros."""
        if host not in self.macros:
            return frozenset({host})
        (family,) = (each for each in self.families if each.name == host)
        callers = {body.model.partition("#")[0] for body in family.bodies}
        return frozenset().union(*map(self._using, callers))

    def _differs(self, name: str, text: str, macros: Iterable[str]) -> bool:
        try:
            new = in_branches(text, macros)
        except TemplateFailure:
            return True
        return bool(apart(self._old[name], new, self._models[name].dialect or ""))

    def _changed(self) -> set[str]:
        """Models that are not written as they were: they call a macro."""
        return {name for name, source in self._models.items() if self.texts[name] != source.text}

    def assumptions(self) -> tuple[str, ...]:
        """What the proofs of models that call a macro now take for granted."""
        return assumption(one for name in sorted(self._changed()) for one in self._old[name])

    def verdicts(self) -> Iterator[Verdict]:
        changed = self._changed()
        for name, source in sorted(self._models.items()):
            failure = self._failed.get(name)
            if failure is None:
                yield Verdict(name, name, source.path, 1, name, "proved", "", name in changed)
                continue
            line = failure.line or 1
            reason = f"a template that is not followed: line {line}: {failure.message}; {AS_IT_WAS}"
            yield Verdict(name, name, source.path, line, name, "kept", reason)


def _last_first(pair: tuple[Body, str]) -> int:
    return -pair[0].start


def _indented(call: str, text: str, body: Body) -> str:
    """A call of several lines below one another, as far to the right as what it stands for."""
    line = text[text.rfind("\n", 0, body.start) + 1 : body.start]
    return call if line.strip() else call.replace("\n", f"\n{line}")


def _overlap(bodies: Sequence[Body]) -> bool:
    """Whether one is part of another."""
    placed = sorted((body.model.partition("#")[0], body.start, body.end) for body in bodies)
    return any(one[0] == other[0] and other[1] < one[2] for one, other in pairwise(placed))


def _defined(macros: Sequence[Source]) -> Iterator[str]:
    for source in macros:
        try:
            yield from macro_names(source.text)
        except TemplateFailure:
            continue  # it is not read, so that nothing of it is replaced
