"""What most models of a folder have set stands once, in dbt_project.yml: how they are stored, and
which variables they need. A model says what is otherwise with it.

    marts: {+materialized: table, +enabled: "{{ var('day', none) is not none }}"}

So does a folder in that folder what its models have most often, where that spares `_SPARED` of
them a word of their own:

    marts: {+materialized: view, sales_derived: {+materialized: table}}

A model that is no report is worth building only for what reads it. Where all of that needs what the
folder says, the model waits for it, too, though it could do with fewer variables.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from unwet.rewrite.project import Project
from unwet.rewrite.targets.placing import LAYERS, MARTS, layer_of, readers_of

T = TypeVar("T", bound=Hashable)
_ENABLED: Final = "+enabled"
_SPARED: Final = 3  # as many lines as a folder takes at most


@dataclass(frozen=True, slots=True)
class Setting:
    """How a model is stored (`view` or `table`), and the variables without which it would be
    another query than its report: it is enabled when all have a value."""

    stored: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folder:
    """`usual`: what a model in it has without a word of its own; `inner`: the folders in it that
    say something."""

    usual: Setting
    inner: Mapping[str, Folder]

    def usual_at(self, path: Sequence[str]) -> Setting:
        """What a model has that is so many folders below this one, its own name the last."""
        inner = self.inner.get(path[0]) if path else None
        return inner.usual_at(path[1:]) if inner else self.usual

    def as_yaml(self, above: Setting | None = None) -> dict[str, Any]:
        """What it says, and not the one `above` already."""
        here = self.usual
        said: dict[str, Any] = {}
        if above is None or here.stored != above.stored:
            said["+materialized"] = here.stored
        if here.needs != (above.needs if above else ()):
            said[_ENABLED] = _switch(here.needs)
        return said | {name: inner.as_yaml(here) for name, inner in sorted(self.inner.items())}


@dataclass(frozen=True, slots=True)
class Folders:
    """`models`: what each has; `paths`: the folders that it is in, the layer first; `layers`: what
    these say of models; `exposed`: what the folder of reports says of exposures."""

    models: Mapping[str, Setting]
    paths: Mapping[str, tuple[str, ...]]
    layers: Mapping[str, Folder]
    exposed: Folder

    def own(self, name: str) -> list[str]:
        """What a model says for itself, as arguments of `config()`."""
        here, usual = self.models[name], self._usual(name)
        said = [f"materialized='{here.stored}'"] if here.stored != usual.stored else []
        return said + ([f"enabled={_enabled(here.needs)}"] if here.needs != usual.needs else [])

    def config(self, name: str, called: str) -> dict[str, Any]:
        """The entry `config` of a report's exposure that is called so, where it needs one."""
        needs = self.models[name].needs
        # dbt takes what a folder says for an exposure that is called like it, too
        usual = self.exposed.usual_at([*self.paths[name][1:], called])
        return {"config": {"enabled": _switch(needs)}} if needs != usual.needs else {}

    def as_yaml(self) -> dict[str, Any]:
        """The entries `models:` and `exposures:` of a project, without its name."""
        models = {layer: folder.as_yaml() for layer, folder in self.layers.items()}
        marts = _switches(self.exposed.as_yaml())
        return {"models": models} | ({"exposures": {MARTS: marts}} if marts else {})

    def without(self, names: Collection[str]) -> Folders:
        """What folders say where these models have their settings from elsewhere."""
        return _folders(self.models, self.paths, frozenset(names))

    def _usual(self, name: str) -> Setting:
        """Dbt takes what a folder says for a model that is called like it, too."""
        layer, *path = self.paths[name]
        return self.layers[layer].usual_at([*path, name])


def folders_of(project: Project, needs: Mapping[str, tuple[str, ...]]) -> Folders:
    """`needs`: the variables without a value that each model needs."""
    models: dict[str, Setting] = {}
    paths: dict[str, tuple[str, ...]] = {}
    layers = layer_of(project)
    for draft in (*project.drafts, *project.intermediates):
        name, layer = draft.name, layers[draft.name]
        models[name] = Setting(_stored(project, name, layer), needs[name])
        below = project.folder(name).split("/")[:-1] if layer == MARTS else ()
        paths[name] = (layer, *below)
    alone = _folders(models, paths, frozenset())
    return _folders(_as_usual(project, alone), paths, frozenset())


def _folders(
    models: Mapping[str, Setting], paths: Mapping[str, tuple[str, ...]], apart: frozenset[str]
) -> Folders:
    """`apart`: models for which no folder has to speak, only for their exposures."""
    by_layer: dict[str, list[str]] = defaultdict(list)
    for name, (layer, *_) in paths.items():
        by_layer[layer].append(name)
    found: dict[str, Folder] = {}
    for layer in (each for each in LAYERS if each in by_layer):
        names = by_layer[layer]
        inside = [(paths[name][1:], models[name]) for name in names if name not in apart]
        found[layer] = _folder(inside, layer)
    marts = by_layer.get(MARTS, ())
    exposed = [(paths[name][1:], Setting("view", models[name].needs)) for name in marts]
    return Folders(models, paths, found, _folder(exposed, MARTS))


def _folder(inside: Sequence[tuple[tuple[str, ...], Setting]], layer: str) -> Folder:
    usual = _usual([setting for _, setting in inside], layer)
    return Folder(usual, _inner(inside, usual))


def _as_usual(project: Project, folders: Folders) -> dict[str, Setting]:
    """The models, those that are no reports with the needs that are usual where they are, if all
    that read them have them: a model that is enabled never reads one that is not."""
    models, paths, layers = folders.models, folders.paths, folders.layers
    readers = readers_of(project)
    found = {draft.name: models[draft.name] for draft in project.drafts}

    def setting(name: str) -> Setting:
        if name not in found:
            own, (layer, *path) = models[name], paths[name]
            usual = layers[layer].usual_at([*path, name]).needs
            above = [setting(reader).needs for reader in readers.get(name, ())]
            waits = above and {*own.needs} <= {*usual} and all({*usual} <= {*n} for n in above)
            found[name] = replace(own, needs=usual) if waits else own
        return found[name]

    return {name: setting(name) for name in models}


def _inner(models: Iterable[tuple[tuple[str, ...], Setting]], usual: Setting) -> dict[str, Folder]:
    """The folders that say something, of models that have `usual` without; by each model's path."""
    by_folder: dict[str, list[tuple[tuple[str, ...], Setting]]] = defaultdict(list)
    for path, setting in models:
        if path:
            by_folder[path[0]].append((path[1:], setting))
    found: dict[str, Folder] = {}
    for name, inside in by_folder.items():
        counts = Counter(setting for _, setting in inside)
        often = max(counts, key=lambda each: (counts[each], each.stored, each.needs))
        here = often if counts[often] - counts[usual] >= _SPARED else usual
        deeper = _inner(inside, here)
        if here != usual or deeper:
            found[name] = Folder(here, deeper)
    return found


def _stored(project: Project, name: str, layer: str) -> str:
    report = project.reports.get(name)
    return "table" if layer == MARTS and not (report and report.definition.is_view) else "view"


def _usual(settings: Sequence[Setting], layer: str) -> Setting:
    stored = _most((each.stored for each in settings), "table" if layer == MARTS else "view")
    return Setting(stored, _most((each.needs for each in settings), ()))


def _most(values: Iterable[T], else_: T) -> T:
    """What more than half of them are."""
    counts = Counter(values)
    return next((value for value, n in counts.items() if 2 * n > counts.total()), else_)


def _switches(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder and those in it say of being enabled."""
    found: dict[str, Any] = {}
    for key, value in said.items():
        if key == _ENABLED:
            found[key] = value
        elif isinstance(value, Mapping) and (inner := _switches(value)):
            found[key] = inner
    return found


def _switch(needs: tuple[str, ...]) -> str | bool:
    """Whether all variables have a value, as dbt's YAML has it."""
    return f"{{{{ {_given(needs)} }}}}" if needs else True


def _enabled(needs: tuple[str, ...]) -> str:
    return f"({_given(needs)})" if needs else "true"


def _given(needs: tuple[str, ...]) -> str:
    """Whether all variables have a value, as a Jinja expression."""
    return " and ".join(f"var('{name}', none) is not none" for name in needs)
