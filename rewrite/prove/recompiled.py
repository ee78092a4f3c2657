"""Do the templates of a project still say what dbt has compiled them to?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from unwet.rewrite.normal import Normalizer
from unwet.rewrite.prove.judge import difference
from unwet.rewrite.prove.rendered import RenderedProject
from unwet.rewrite.prove.roundtrip import ReadBack, Setting, read_back


def disagreements(
    root: Path,
    setting: Setting,
    project: RenderedProject,
    found: Mapping[str, ReadBack],
    normalizer: Normalizer,
) -> Iterator[str]:
    """A note for each model that means one thing as dbt compiled it, and another as its template
    is read here. What is not understood here is no disagreement: dbt has understood it."""
    if not project.compiled:
        return
    own = read_back(root, setting, compiled=False)
    paths = {model.name: model.path for model in project.models}
    for name in sorted(project.compiled):
        template, made = own.get(name), found.get(name)
        if template is None or made is None or template.plan is None or made.plan is None:
            continue
        if why := difference(made.plan, template.plan, normalizer, setting.dialect):
            told = why.removeprefix("not proved: ")
            yield (
                f"{paths[name]}: dbt has compiled it to something else than its template says here "
                f"({told}); what dbt compiled counts"
            )
