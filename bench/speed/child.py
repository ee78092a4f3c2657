"""One measurement in a process of its own.

    python -m bench.speed.child parse|trace|edges|dups DIALECT FILE [JOBS]

FILE holds the texts as a JSON list. parse: bare sqlglot.parse of each text, after unwet has put
names in the place of placeholders (as a parser needs), nothing kept. trace: `trace()` of all of
them and its direct edges. edges: the same, and all edges. JOBS: processes of both, else one. dups:
`find_families()`. Prints seconds (`own`: CPU of this process without its children) and peak memory
as JSON; imports and a first small statement are not counted.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlglot
from sqlglot.errors import ErrorLevel, SqlglotError

from unwet import Source, find_families, trace
from unwet.lineage.templating import mask

_WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def main(words: Sequence[str]) -> int:
    mode, dialect, file, *jobs = words
    texts = json.loads(Path(file).read_text("utf-8"))
    work = {"parse": _parse, "trace": _trace, "edges": _edges, "dups": _dups}[mode]
    work(["select 1"], dialect, 1)()
    ready = work(texts, dialect, int(jobs[0]) if jobs else 1)
    cpu, own, wall = _cpu(), time.process_time(), time.monotonic()
    said = ready()
    cpu, own, wall = _cpu() - cpu, time.process_time() - own, time.monotonic() - wall
    print(json.dumps({"cpu": cpu, "own": own, "wall": wall, "peak_mb": _peak_mb(), **said}))
    return 0


Ready = Callable[[], dict[str, int]]


def _parse(texts: Sequence[str], dialect: str, jobs: int) -> Ready:
    masked = [mask(Source(f"{i}.sql", text, dialect), {}).text for i, text in enumerate(texts)]

    def ready() -> dict[str, int]:
        refused = 0
        for text in masked:
            try:
                sqlglot.parse(text, dialect=dialect, error_level=ErrorLevel.IGNORE)
            except SqlglotError:
                refused += 1
        return {"refused": refused}

    return ready


def _trace(texts: Sequence[str], dialect: str, jobs: int) -> Ready:
    sources = [Source(f"{i}.sql", text, dialect) for i, text in enumerate(texts)]
    return lambda: {"edges": len(trace(sources, dialect=dialect, jobs=jobs).direct)}


def _edges(texts: Sequence[str], dialect: str, jobs: int) -> Ready:
    sources = [Source(f"{i}.sql", text, dialect) for i, text in enumerate(texts)]
    return lambda: {"edges": len(trace(sources, dialect=dialect, jobs=jobs).edges)}


def _dups(texts: Sequence[str], dialect: str, jobs: int) -> Ready:
    sources = [Source(f"{i}.sql", text, dialect) for i, text in enumerate(texts)]
    return lambda: {"families": len(find_families(sources, dialect=dialect))}


def _cpu() -> float:
    """CPU seconds of this process and of those it started and that have ended."""
    usages = [resource.getrusage(each) for each in _WHOSE]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_mb() -> float:
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return sum(resource.getrusage(each).ru_maxrss for each in _WHOSE) / unit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
