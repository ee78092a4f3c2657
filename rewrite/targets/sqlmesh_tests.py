"""Unit tests of a SQLMesh project: `tests/test_MODEL.yaml`, as its documentation has them
(concepts/tests): rows that go into a model by the names of its inputs, and those that come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import yaml

from unwet.rewrite.data_tests.values import Cells, Input, UnitTest
from unwet.rewrite.project import Project
from unwet.rewrite.targets.placing import Places
from unwet.rewrite.targets.sqlmesh_audits import Name


def unit_test_files(project: Project, where: Places, source: Name) -> Iterator[tuple[str, str]]:
    """The path and the text of each."""
    for test in project.evidence.units:
        entry = {f"test_old_{test.model}": _test(test, where, source)}
        text = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=100)
        yield f"tests/test_old_{test.model}.yaml", text


def _test(test: UnitTest, where: Places, source: Name) -> dict[str, object]:
    return {
        "model": where.model(test.model),
        "description": "What the old scripts made of these rows.",
        "inputs": {
            source(each.target) if each.kind == "source" else where.model(each.target): _given(each)
            for each in test.given
        },
        "outputs": {"query": _rows(test.columns, test.rows)},
    }


def _given(given: Input) -> dict[str, object]:
    """With types: without a declaration SQLMesh would read every value as a text."""
    names = [name for name, _ in given.columns]
    return {"columns": {name: kind.lower() for name, kind in given.columns},
            **_rows(names, given.rows)}  # fmt: skip


def _rows(columns: Sequence[str], rows: Sequence[Cells]) -> dict[str, object]:
    return {"rows": [dict(zip(columns, row, strict=True)) for row in rows]}
