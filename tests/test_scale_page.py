"""The code that docs/scale.md shows, run as far as it goes without a cluster of Spark."""

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from unwet.lineage import inventory
from unwet.lineage.sources import read_sources

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "fixtures/shop/pile/base"


def shown(name: str) -> str:
    page = (ROOT / "docs/scale.md").read_text("utf-8")
    found = re.search(rf"(?s)<!-- code {name} -->\n```python\n(.*?)```\n<!-- end code -->", page)
    assert found is not None
    return found[1]


class Frame(dict[str, list[Any]]):
    """As much of a DataFrame as the page uses: columns by name, all of one length."""

    def __init__(self, columns: dict[str, Any]) -> None:
        super().__init__({name: list(values) for name, values in columns.items()})
        assert len({len(values) for values in self.values()}) == 1


def test_the_functions_for_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = types.ModuleType("pandas")
    monkeypatch.setattr(pandas, "DataFrame", Frame, raising=False)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    names: dict[str, Any] = {}
    exec(compile(shown("spark"), "docs/scale.md", "exec"), names)
    sources = read_sources(BASE, "postgres").sources
    numbered = list(enumerate(sources))[::-1]  # in any order

    def batches() -> Iterator[Frame]:
        for some in (numbered[:5], numbered[5:]):
            rows = [(number, each.path, each.text) for number, each in some]
            yield Frame(dict(zip(("number", "path", "text"), zip(*rows, strict=True), strict=True)))

    rows = [
        row
        for batch in names["say"](batches())
        for row in zip(batch["number"], batch["facts"], strict=True)
    ]
    from unwet.lineage.facts import facts_of

    whole = inventory.combined([facts_of(each) for each in sources], dialect="postgres")
    assert whole.files > 5
    assert names["together"](rows) == whole


def test_the_program_for_dask(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    names: dict[str, Any] = {"__name__": "shown"}
    exec(compile(shown("dask"), "docs/scale.md", "exec"), names)
    names["main"](str(BASE))
    from unwet.lineage.pile import load

    assert (
        capsys.readouterr().out.strip()
        == inventory.as_json(inventory.scan(load(BASE, "postgres"))).strip()
    )
