"""The models of a rendered project as queries and as tables, and which of them others need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlglot import exp

from unwet.lineage.errors import EngineError, UnwetError
from unwet.lineage.parse import parse
from unwet.lineage.sources import Source
from unwet.lineage.templating import verbatim
from unwet.rewrite.prove.adapt import volatile
from unwet.rewrite.prove.grammar import refused
from unwet.rewrite.prove.rendered import RenderedModel, RenderedProject, Seed


def needed(
    project: RenderedProject, wanted: Sequence[str], given: Collection[str] = ()
) -> set[str]:
    """Names of models and seeds: the wanted ones, and all that these read. `given`: models whose
    rows are there already."""
    refs = {model.name: model.refs for model in project.models if model.name not in given}
    found, waiting = set(wanted), list(wanted)
    while waiting:
        for name in refs.get(waiting.pop(), ()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def trees_of(project: RenderedProject, model: str, dialect: str) -> Iterator[exp.Query]:
    """The queries of a model and of all that it reads. Raises EngineError."""
    names = needed(project, [model])
    yield from (query_of(each, dialect) for each in project.models if each.name in names)


class Models(ABC):
    """The models of a project as tables, each made once, with all that it needs; what goes wrong
    with one is kept, and told when somebody asks for it."""

    def __init__(self, project: RenderedProject, dialect: str, clock: datetime) -> None:
        self._project, self._dialect, self._clock = project, dialect, clock
        self._failed = {failure.name: failure.reason for failure in project.failures}
        self._borrowed: dict[str, set[tuple[str, ...]]] = {}  # model -> legacy results it reads
        self._given: frozenset[str] = frozenset()  # models whose rows are there already
        self._built: set[str] = set()

    def build(self, wanted: Sequence[str]) -> None:
        """Make the wanted models and all they need, unless they are there."""
        names = needed(self._project, wanted, self._given) - self._built - self._given
        self._built |= names
        for seed in self._project.seeds:
            if seed.name in names:
                self._attempt(seed.name, partial(self._load, seed))
        for model in self._project.models:
            if model.name in names:
                self._attempt(model.name, partial(self._build, model))

    def check(self, model: str, old: tuple[str, ...] = ()) -> None:
        """Raises EngineError for a model that is not there, or was not built from data. `old`: the
        legacy result that it should replace."""
        check_built(model, old, self._failed, self._borrowed)

    def _attempt(self, name: str, make: Callable[[], None]) -> None:
        self._borrowed[name] = set()
        try:
            make()
        except UnwetError as error:
            self._failed[name] = error.message

    def _build(self, model: RenderedModel) -> None:
        for ref in model.refs:
            if ref in self._failed:
                raise EngineError(f"needs {ref}: {self._failed[ref]}")
            self._borrowed[model.name] |= self._borrowed.get(ref, set())
        self._create(model.name, query_of(model, self._dialect))

    @abstractmethod
    def _load(self, seed: Seed) -> None:
        """Make a table of a seed. Raises UnwetError."""

    @abstractmethod
    def _create(self, model: str, tree: exp.Query) -> None:
        """Make a table of a model's query, and note which legacy results it reads. Raises
        UnwetError."""


def query_of(model: RenderedModel, dialect: str) -> exp.Query:
    """Raises EngineError when it is no single query, or another one each time."""
    if why := model.misread_in(dialect):
        raise EngineError(why)
    script = parse(verbatim(Source(model.path, model.sql)), dialect)
    lost = [finding.message for finding in script.findings]
    if lost or len(script.statements) != 1:
        raise EngineError(lost[0] if lost else f"holds {len(script.statements)} statements")
    tree = script.statements[0].tree
    if not isinstance(tree, exp.Query):
        raise EngineError("is no query")
    if why := refused(model.sql, dialect):
        raise EngineError(why)
    if names := volatile(tree):
        raise EngineError(f"cannot be tested: uses {', '.join(names)}")
    return tree


def check_built(
    model: str,
    old: tuple[str, ...],
    failed: Mapping[str, str],
    borrowed: Mapping[str, Collection[tuple[str, ...]]],
) -> None:
    """Raises EngineError for a model that was not built from data. `failed`: why not, by model;
    `borrowed`: the legacy results that each built one reads, in lower case; `old`: the one that it
    should replace."""
    if model in failed:
        raise EngineError(f"model {model}: {failed[model]}")
    if model not in borrowed:
        raise EngineError(f"the project has no model {model}")
    if tuple(part.lower() for part in old) in borrowed[model]:
        raise EngineError(f"model {model} reads the old result it should replace")
