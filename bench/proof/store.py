"""What has been scored, a line per report, so that a long run can be stopped and go on."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.proof.scored import Mistake, Pile, Scored
from unwet.rewrite.prove.strength import Tally

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def append(file: Path, each: "DataclassInstance") -> None:
    """One report more."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(asdict(each)) + "\n")


def lines(file: Path) -> list[dict[str, Any]]:
    """What is there; nothing where there is no file."""
    text = file.read_text("utf-8") if file.exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def read(file: Path) -> Pile:
    """What is there of the pile of that name; nothing where there is no file."""
    scored = list(map(_scored, lines(file)))
    return Pile(file.stem, scored, sum(each.making + each.trying for each in scored))


def _scored(data: Mapping[str, Any]) -> Scored:
    return Scored(
        **{
            **data,
            "rows": tuple(data["rows"]),
            "tallies": {name: Tally(**each) for name, each in data["tallies"].items()},
            "survivors": tuple(Mistake(**each) for each in data["survivors"]),
            "false_proofs": tuple(Mistake(**each) for each in data["false_proofs"]),
        }
    )
