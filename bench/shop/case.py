"""Laying out the case of a seed: pile, schema, data, answer key.

lay_out(seed, folder) -> Case
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.shop import data
from fixtures.shop.undry.history import Options
from fixtures.shop.undry.pile import generate, save

SHOP = Path(data.__file__).parent
COMMITTED = Options().seed


@dataclass(frozen=True, slots=True)
class Case:
    """One seed's case on disk, all below `folder`."""

    seed: int
    folder: Path
    key: Mapping[str, Any]

    @property
    def pile(self) -> Path:
        return self.folder / "pile"

    @property
    def schema(self) -> Path:
        return self.folder / "schema.sql"

    @property
    def warehouse(self) -> Path:
        # not shop.duckdb: the schema `shop` would be ambiguous
        return self.folder / "warehouse.duckdb"


def lay_out(seed: int, folder: Path, size: float = 1.0, scale: float = 1.0) -> Case:
    """Write the case anew; the default seed's pile is the committed one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if seed == COMMITTED and size == 1.0:
        shutil.copytree(SHOP / "pile", folder / "pile")
        shutil.copy(SHOP / "key.json", folder / "key.json")
    else:
        save(generate(Options(seed=seed, size=size)), folder / "pile", folder / "key.json")
    shutil.copy(SHOP / "schema.sql", folder / "schema.sql")
    key = json.loads((folder / "key.json").read_text("utf-8"))
    case = Case(seed, folder, key)
    data.build(case.warehouse, seed=data.SEED + seed, scale=scale)
    return case
