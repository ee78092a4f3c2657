"""Runs in a tool's environment: reads cases as JSON lines, writes one answer per case.

    python -m bench.lineage.worker TOOL

The first line written is {"ready": true}: what importing the tool costs is not counted.
"""

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any


def main(tool: str) -> None:
    # what a tool prints must not mix with the answers
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    adapter = importlib.import_module(f"bench.lineage.adapters.{tool}")
    _say(out, {"ready": True})
    for line in sys.stdin:
        case = json.loads(line)
        start = time.process_time()
        try:
            said = adapter.answer(case)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # pyo3 panics are not Exceptions
            said = {"crash": _reason(error)}
        _say(out, {**said, "id": case["id"], "cpu": time.process_time() - start})


def _say(out: Any, data: dict[str, Any]) -> None:
    out.write(json.dumps(data) + "\n")
    out.flush()


def _reason(error: BaseException) -> str:
    last = traceback.format_exception_only(error)[-1].strip()
    return " ".join(last.split())[:200]


if __name__ == "__main__":
    main(sys.argv[1])
