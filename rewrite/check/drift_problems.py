"""Contradictions as problems, so that they can be told in the forms of a check."""

from __future__ import annotations

from hashlib import blake2b

from unwet.lineage.findings import Finding
from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.drift import Deviation, Drift, DriftFinding
from unwet.rewrite.drift_forms import advice, words


def problems(found: Drift) -> list[Problem]:
    """One problem for each place that says it otherwise; its others are the copies that are nearest
    to it and say what the majority says."""
    return [_problem(finding, at) for finding in found.findings for at in finding.outliers]


def noticed_problem(finding: Finding) -> Problem:
    """What was noticed of a relation while the scripts ran symbolically."""
    said = f"{finding.code}\0{finding.message}"
    key = blake2b(said.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    at, *others = (Place(p.path, p.line, p.column, p.end_line) for p in (finding.at, *finding.also))
    return Problem(finding.code, at, finding.message, finding.help, tuple(others), key)


def _problem(finding: DriftFinding, outlier: Deviation) -> Problem:
    others = tuple(map(_place, finding.voters))
    said = "\0".join((finding.code, finding.about, finding.majority, outlier.expression))
    key = blake2b(said.encode(errors="surrogatepass"), digest_size=8).hexdigest()
    return Problem(
        finding.code, _place(outlier), _message(finding, outlier), advice(finding), others, key
    )


def _place(outlier: Deviation) -> Place:
    return Place(outlier.path, outlier.line, 1, outlier.line)


def _message(finding: DriftFinding, outlier: Deviation) -> str:
    about = f" ({finding.about})" if finding.about else ""
    here = f"`{outlier.expression}`, but " if outlier.expression else ""
    copies = f"{finding.votes:,} of {finding.votes + finding.against:,} copies"
    others = f"have `{finding.majority}`" if finding.majority else "have nothing of the kind"
    return f"{words(finding)}{about}: {here}{copies} {others}"
