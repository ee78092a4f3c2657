"""Laying out the case of a seed: pile, schema, data, answer key.

lay_out(seed, folder) -> Case
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unwet.fixtures.shop.case import HOME, case
from unwet.fixtures.shop.undry.pile import write_files


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


def lay_out(
    seed: int, folder: Path, size: float = 1.0, scale: float = 1.0, with_data: bool = True
) -> Case:
    """Write the case anew; the default seed's pile is the committed one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = case(seed, size)
    write_files(made.files, folder / "pile")
    (folder / "key.json").write_text(made.key, "utf-8", newline="\n")
    shutil.copy(HOME / "schema.sql", folder / "schema.sql")
    laid = Case(seed, folder, made.answers)
    if with_data:
        made.build(laid.warehouse, scale)
    return laid
