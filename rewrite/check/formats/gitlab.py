"""GitLab's Code Quality report: https://docs.gitlab.com/ci/testing/code_quality/"""

from __future__ import annotations

import json
from collections.abc import Sequence

from unwet.rewrite.check.formats.view import View, fingerprints, ordered, slashed
from unwet.rewrite.check.found import Problem


def render(problems: Sequence[Problem], view: View) -> str:
    """A JSON array, empty when there is no problem; each fingerprint is there once."""
    found = ordered(problems)
    pairs = zip(found, fingerprints(found), strict=True)
    data = [_violation(each, print) for each, print in pairs]
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _violation(problem: Problem, fingerprint: str) -> dict[str, object]:
    at, help = problem.at, f" ({problem.help})" if problem.help else ""
    return {
        "description": f"{problem.code}: {problem.message}{help}",
        "check_name": problem.code,
        "fingerprint": fingerprint,
        "severity": "major",
        "location": {"path": slashed(at.path), "lines": {"begin": at.line, "end": at.end_line}},
    }
