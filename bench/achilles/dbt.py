"""Build the generated dbt project on a copy of the data.

build(dbt, project, database, work, variables) -> Built
"""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError
from bench.process import Run, run

MODEL = "model"


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the manifest: its relation in the database, and the models it reads."""

    relation: str
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Built:
    """One `dbt build`: models by name, and how many nodes ended how (`model success`: 12)."""

    run: Run
    models: Mapping[str, Model]
    outcomes: Mapping[str, int]


def build(
    dbt: Path, project: Path, database: Path, work: Path, variables: Mapping[str, str]
) -> Built:
    """Run `dbt build` with a profile of our own. A failing node is an outcome, not an error."""
    work.mkdir(parents=True, exist_ok=True)
    (work / "profiles.yml").write_text(_profile(_profile_name(project), database), "utf-8")
    target = work / "target"
    command = [str(dbt), "--no-use-colors", "--no-partial-parse", "build"]
    command += ["--project-dir", str(project), "--profiles-dir", str(work)]
    command += ["--target-path", str(target), "--log-path", str(work / "logs")]
    command += ["--vars", json.dumps(dict(variables))]
    env = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    done = run(command, work / "dbt.log", env=env)
    return Built(done, read_models(target / "manifest.json"), read_outcomes(target))


def _profile_name(project: Path) -> str:
    file = project / "dbt_project.yml"
    if not file.exists():
        raise BenchError(f"no dbt project in {project}")
    found = re.search(r"(?m)^profile:\s*['\"]?([\w-]+)", file.read_text("utf-8"))
    if not found:
        raise BenchError(f"{file} names no profile")
    return found[1]


def _profile(name: str, database: Path) -> str:
    # JSON is YAML; one thread, so that float sums come out the same on every run
    output = {"type": "duckdb", "path": str(database), "schema": "main", "threads": 1}
    output["settings"] = {"threads": 1}
    return json.dumps({name: {"target": "bench", "outputs": {"bench": output}}}, indent=2)


def read_models(manifest: Path) -> dict[str, Model]:
    """Models of a manifest.json by name; none when dbt got no further than parsing."""
    if not manifest.exists():
        return {}
    nodes = json.loads(manifest.read_text("utf-8"))["nodes"]
    models = {key: node for key, node in nodes.items() if node["resource_type"] == MODEL}
    return {
        node["name"]: Model(
            node["relation_name"] or "",
            tuple(models[key]["name"] for key in node["depends_on"]["nodes"] if key in models),
        )
        for node in models.values()
    }


def read_outcomes(target: Path) -> dict[str, int]:
    file = target / "run_results.json"
    if not file.exists():
        return {}
    results = json.loads(file.read_text("utf-8"))["results"]
    kinds = Counter(f"{node['unique_id'].split('.')[0]} {node['status']}" for node in results)
    return dict(sorted(kinds.items()))
