"""What loading the package costs: nothing heavy before a command needs it."""

import subprocess
import sys

import pytest

HEAVY = {"sqlglot", "networkx", "duckdb", "rich", "jinja2", "graphviz"}


def loaded_after(code: str) -> set[str]:
    """The top-level modules a fresh interpreter holds after running `code`."""
    report = f"{code}\nimport sys\nprint('\\n'.join(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.splitlines()}


HELP = """
from unwet.cli import main
try:
    main(["--help"])
except SystemExit as leave:
    assert leave.code == 0
"""


@pytest.mark.parametrize("code", ["import unwet", "import unwet.cli", HELP])
def test_nothing_heavy_is_loaded_before_a_command_runs(code: str) -> None:
    modules = loaded_after(code)
    assert "unwet" in modules
    assert not modules & HEAVY


def test_the_public_names_load_on_first_use() -> None:
    import unwet
    from unwet.lineage.sources import Source

    assert unwet.Source is Source
    assert set(unwet.__all__) <= set(dir(unwet))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = unwet.nonsense
