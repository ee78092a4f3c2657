"""What most models of a folder have set stands once, in dbt_project.yml: how they are stored, and
which variables they need. A model says what is otherwise with it.

    marts: {+materialized: table, +enabled: "{{ var('day', none) is not none }}"}
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from unwet.rewrite.project import Project
from unwet.rewrite.targets.placing import LAYERS, MARTS, layer_of

T = TypeVar("T", bound=Hashable)
_ENABLED: Final = "+enabled"


@dataclass(frozen=True, slots=True)
class Setting:
    """How a model is stored (`view` or `table`), and the variables without which it would be
    another query than its report: it is enabled when all have a value."""

    stored: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Folders:
    """`models`: what each has; `layers`: what it has without a word of its own, by layer."""

    models: Mapping[str, Setting]
    layers: Mapping[str, Setting]

    def own(self, name: str, layer: str) -> list[str]:
        """What a model says for itself, as arguments of `config()`."""
        here, usual = self.models[name], self.layers[layer]
        said = [f"materialized='{here.stored}'"] if here.stored != usual.stored else []
        return said + ([f"enabled={_enabled(here.needs)}"] if here.needs != usual.needs else [])

    def exposed(self, name: str) -> dict[str, Any]:
        """The entry `config` of a report's exposure, where it needs one."""
        needs = self.models[name].needs
        return {"config": {"enabled": _switch(needs)}} if needs != self.layers[MARTS].needs else {}

    def as_yaml(self) -> dict[str, Any]:
        """The entries `models:` and `exposures:` of a project, without its name."""
        models = {layer: _entry(usual) for layer, usual in self.layers.items()}
        marts = {key: said for key, said in models.get(MARTS, {}).items() if key == _ENABLED}
        return {"models": models} | ({"exposures": {MARTS: marts}} if marts else {})


def folders_of(project: Project, needs: Mapping[str, tuple[str, ...]]) -> Folders:
    """`needs`: the variables without a value that each model needs."""
    by_layer: dict[str, list[Setting]] = defaultdict(list)
    models: dict[str, Setting] = {}
    layers = layer_of(project)
    for draft in (*project.drafts, *project.intermediates):
        layer = layers[draft.name]
        models[draft.name] = Setting(_stored(project, draft.name, layer), needs[draft.name])
        by_layer[layer].append(models[draft.name])
    usual = {layer: _usual(by_layer[layer], layer) for layer in LAYERS if layer in by_layer}
    return Folders(models, usual)


def _stored(project: Project, name: str, layer: str) -> str:
    report = project.reports.get(name)
    return "table" if layer == MARTS and not (report and report.definition.is_view) else "view"


def _usual(settings: Iterable[Setting], layer: str) -> Setting:
    all_of = list(settings)
    stored = _most((each.stored for each in all_of), "table" if layer == MARTS else "view")
    return Setting(stored, _most((each.needs for each in all_of), ()))


def _most(values: Iterable[T], else_: T) -> T:
    """What more than half of them are."""
    counts = Counter(values)
    return next((value for value, n in counts.items() if 2 * n > counts.total()), else_)


def _entry(usual: Setting) -> dict[str, str | bool]:
    enabled = {_ENABLED: _switch(usual.needs)} if usual.needs else {}
    return {"+materialized": usual.stored, **enabled}


def _switch(needs: tuple[str, ...]) -> str | bool:
    """Whether all variables have a value, as dbt's YAML has it."""
    return f"{{{{ {_given(needs)} }}}}" if needs else True


def _enabled(needs: tuple[str, ...]) -> str:
    return f"({_given(needs)})" if needs else "true"


def _given(needs: tuple[str, ...]) -> str:
    """Whether all variables have a value, as a Jinja expression."""
    return " and ".join(f"var('{name}', none) is not none" for name in needs)
