"""The edits of the bench of checks are edits of SQL that can be read."""

import random
from pathlib import Path

from bench.check import CHANGED, PILE, paste
from unwet.lineage.pile import load


def test_the_edited_files_are_sql(tmp_path: Path) -> None:
    files = []
    for path in sorted(PILE.rglob("*.sql"))[::12]:
        files.append(tmp_path / path.name)
        files[-1].write_bytes(path.read_bytes())
    before = {path: path.read_text("utf-8") for path in files}
    broken = len(load(files, "duckdb").findings)
    changed = paste(files, random.Random(1), 1)
    assert len(changed) == CHANGED
    assert all(before[path] != path.read_text("utf-8") for path in changed)
    assert sum("create view pasted." in path.read_text("utf-8") for path in changed) == CHANGED // 2
    assert len(load(files, "duckdb").findings) <= broken + 2  # a file that could not be read before
