"""What the models of a project mean, one at a time, over the results of other reports."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from unwet.lineage.errors import UnwetError
from unwet.lineage.names import deep_stack
from unwet.rewrite.algebra import Plan
from unwet.rewrite.prove.models import needed
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.roundtrip import Setting, plans_of, rendered


class ModelPlans:
    """Reads a project when first asked. `setting.relations` are the models that are not read
    through."""

    def __init__(self, root: Path, setting: Setting) -> None:
        self._root, self._setting = root, setting

    def plan(self, model: str) -> Plan | None:
        """None where it cannot be read."""
        given = self._setting.relations.keys() - {model}
        try:
            with deep_stack():
                names = needed(self._project, [model], given)
                found = plans_of(self._project, self._setting, names).get(model)
        except UnwetError:
            return None
        return found.plan if found is not None else None

    @cached_property
    def _project(self) -> RenderedProject:
        return rendered(self._root, self._setting)
