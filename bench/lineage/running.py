"""One process per tool that answers cases, with a limit of seconds per case.

answers(command, questions, limit) -> Answer per question, in their order
"""

import json
import os
import select
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.lineage.case import Edge, Tables
from bench.lineage.scoring import Answer

ROOT = Path(__file__).parents[2]
START = 120.0  # seconds that a tool may take to be imported


def answers(
    command: Sequence[str], questions: Iterable[Mapping[str, Any]], limit: float, log: Path
) -> Iterator[Answer]:
    """Ask one question after the other; a process that dies or hangs is started anew."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as errors:
        worker: _Worker | None = None
        try:
            for question in questions:
                worker = worker or _Worker(command, errors)
                said = worker.ask(question, limit)
                if isinstance(said, str):
                    worker.end()
                    worker = None
                    yield Answer(question["id"], crash=said)
                else:
                    yield _answer(said)
        finally:
            if worker is not None:
                worker.end()


def _answer(said: Mapping[str, Any]) -> Answer:
    tables = said.get("tables") or {}
    return Answer(
        said["id"],
        tuple(Edge(*(str(part) for part in edge)) for edge in said.get("columns", ())),
        Tables(frozenset(tables.get("sources", ())), frozenset(tables.get("targets", ()))),
        said.get("crash", ""),
        said["cpu"],
    )


class _Worker:
    def __init__(self, command: Sequence[str], errors: Any) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
        self._child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=env,
        )
        self._rest = b""
        if not isinstance(self._line(START), dict):
            self.end()
            raise BenchError(f"{command[-1]} does not start: see {errors.name}")

    def ask(self, question: Mapping[str, Any], limit: float) -> dict[str, Any] | str:
        """The answer, or why there is none."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(json.dumps(question).encode() + b"\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            return "the process ended"
        return self._line(limit)

    def _line(self, limit: float) -> dict[str, Any] | str:
        assert self._child.stdout is not None
        file = self._child.stdout.fileno()
        while b"\n" not in self._rest:
            ready, _, _ = select.select([file], [], [], limit)
            if not ready:
                return f"no answer in {limit:.0f} s"
            read = os.read(file, 1 << 16)
            if not read:
                return "the process ended"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said

    def end(self) -> None:
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what a dead process had not read yet
                    stream.close()
