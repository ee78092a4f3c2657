"""All suites: fetch their tests, turn them into cases.

gather(names, work, mirrors, python) -> cases
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench import corpora
from bench.errors import BenchError
from bench.lineage import tools
from bench.lineage.case import Case
from bench.lineage.suites import archives, datahub, openlineage, recorded, sqlglot, sqllineage

REGISTER = Path(__file__).parents[1] / "suites.toml"
# The package index has the tests of these, at the version whose tool is measured.
ARCHIVES = {
    "sqllineage": "sqllineage==1.5.9",
    "collate-sqllineage": "collate-sqllineage==2.1.8",
    "sqlglot": "sqlglot==30.30.0",
}


def gather(names: Sequence[str], work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    """Cases of the named suites, in that order."""
    return tuple(case for name in names for case in SUITES[name](work, mirrors))


def _sqllineage(work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    return sqllineage.cases("sqllineage", _recorded("sqllineage", "sqllineage", ["tests"], work))


def _collate(work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    calls = _recorded("collate-sqllineage", "sqllineage", ["tests"], work)
    return sqllineage.cases("collate-sqllineage", calls)


def _sqlglot(work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    return sqlglot.cases(_recorded("sqlglot", "sqlglot", ["tests/test_lineage.py"], work))


def _recorded(suite: str, plugin: str, tests: list[str], work: Path) -> list[dict[str, object]]:
    folder = archives.unpacked(ARCHIVES[suite], work / "archives")
    python = tools.python(suite, work)
    return recorded.record(python, plugin, folder, tests, work / "record" / f"{suite}.jsonl")


def _datahub(work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    folder = _fetched("datahub", work, mirrors)
    python = tools.python("datahub", work)
    out = work / "record" / "datahub.jsonl"
    return datahub.cases(
        recorded.record(python, "datahub", folder, ["test_sqlglot_lineage.py"], out)
    )


def _openlineage(work: Path, mirrors: Mapping[str, Path]) -> tuple[Case, ...]:
    return openlineage.cases(_fetched("openlineage", work, mirrors))


def _fetched(name: str, work: Path, mirrors: Mapping[str, Path]) -> Path:
    register = corpora.load(REGISTER)
    folder = corpora.fetch(register[name], work / "repositories", mirrors)
    if not folder.is_dir():
        raise BenchError(f"no {folder}")
    return folder / register[name].paths[0]


Suite = Callable[[Path, Mapping[str, Path]], tuple[Case, ...]]
SUITES: dict[str, Suite] = {
    "sqllineage": _sqllineage,
    "collate-sqllineage": _collate,
    "sqlglot": _sqlglot,
    "datahub": _datahub,
    "openlineage": _openlineage,
}
