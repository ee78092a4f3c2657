"""The case knows nothing of the engine, and the engine nothing of the case."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_the_generator_uses_the_standard_library_only() -> None:
    files = sorted((ROOT / "fixtures" / "shop").rglob("*.py"))
    assert len(files) > 10
    for file in files:
        for name in imported(file):
            top = name.partition(".")[0]
            allowed = top in sys.stdlib_module_names or name.startswith("unwet.fixtures.shop")
            assert allowed or (name, file.name) == ("duckdb", "data.py"), (file, name)


def test_the_engine_does_not_import_the_case() -> None:
    for folder in ("lineage", "rewrite"):
        for file in (ROOT / folder).rglob("*.py"):
            assert not any(
                name.startswith(("unwet.fixtures", "unwet.bench", "bench"))
                for name in imported(file)
            ), file
