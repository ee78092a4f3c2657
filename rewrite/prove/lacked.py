"""What the data lack, told once for all reports that were not run for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from unwet.lineage.counted import counted
from unwet.rewrite.prove.lacking import LACK
from unwet.rewrite.prove.tested import DataVerdict

_HELP: Final = "help: give --data as they were when the scripts ran"
_MANY: Final = 5  # that are told one by one
_LACK: Final = re.compile(rf"{LACK}(?:table|column) [^;]+")


def lacks(tests: Sequence[DataVerdict]) -> Iterator[str]:
    """Notes on what the data lack: of the reports that were not run for it, and of the tables that
    are taken for empty ones, as the pile declares them."""
    empty = sorted({name for test in tests for name in test.empty})
    found = Counter(hit[0] for test in tests if test.verdict == "not run"
                    and (hit := _LACK.search(test.reason)) is not None)  # fmt: skip
    said = [
        f"{lack}: {counted(many, 'report')} not run on them" for lack, many in sorted(found.items())
    ]
    said += [f"{LACK}table {name}, which the pile declares: it is taken for an empty one"
             for name in empty]  # fmt: skip
    yield from said[:_MANY]
    if len(said) > _MANY:
        yield f"... and {len(said) - _MANY:,} more that they do not have"
    if said:
        yield f"  {_HELP}"
