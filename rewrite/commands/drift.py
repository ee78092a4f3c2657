"""`unwet drift`: copies that contradict each other."""

import sys

import click

from unwet.lineage.commands.output import emit, notes
from unwet.lineage.commands.request import Request, shared
from unwet.lineage.errors import UsageError
from unwet.rewrite.commands.deciding import decisions_of
from unwet.rewrite.commands.problems import in_form


@click.command()
@shared("text", "json", "full", "concise", "github", "gitlab", "sarif", "toml")
@click.option("--data", metavar="URL", default="", help="DuckDB file, or folder of CSV and Parquet "
              "files, to look for rows that show it.")  # fmt: skip
@click.option("--check", is_flag=True, help="Exit 1 when there are any findings.")
def drift(request: Request, data: str, check: bool) -> int:
    """Show definitions that contradict each other: of many copies, the few that look wrong.

    \b
    DRIFT_FILTER      a filter that the other copies have, or that no copy has
    DRIFT_JOIN        JOIN for LEFT JOIN, or the other way round
    DRIFT_BOUNDARY    < for <=, or the other way round
    DRIFT_LITERAL     another constant
    DRIFT_AGGREGATE   COUNT for COUNT DISTINCT, SUM for AVG, ...
    DRIFT_NULL        COALESCE lost or added
    DRIFT_TIMEZONE    a time zone lost or added
    DRIFT_WINDOW      a window that is ordered or partitioned otherwise
    DRIFT_GRAIN       GROUP BY one thing more, DISTINCT or ALL lost or added
    DRIFT_ORDER       the last rows for the first, below a LIMIT
    DRIFT_NAME        the same CTE under another name
    DRIFT_EXPRESSION  anything else that an output or a condition says otherwise

    The surest comes first; exit code 0 unless --check is given. What is meant stays out with
    `-- unwet: ignore[DRIFT] reason` in the SQL or [[intended]] in the configuration, and so does
    what has been decided (docs/decisions.md).

    --format toml is a decisions file to complete: an entry for each, with what it would change.

    With --data each finding shows a row on which it and its copies differ, and how many rows
    there are; what no row shows falls in the list.
    """
    from unwet.rewrite import drift as job
    from unwet.rewrite import drift_forms
    from unwet.rewrite.check.drift_problems import problems

    pile = request.load()
    found = job.drift(pile, (*request.intended, *decisions_of(request).accepting))
    if data:
        from unwet.rewrite.prove.servers.target import target_of
        from unwet.rewrite.prove.witness import witnessed

        place = target_of(data)
        if not isinstance(place, str):
            raise UsageError(
                f"drift does not look for rows on {place.name}", "give files for DuckDB"
            )
        found = witnessed(found, pile, place)
    notes([*pile.findings, *found.notes], request)
    on_terminal = request.output is None and sys.stdout.isatty()
    match request.format:
        case "text":
            text = drift_forms.as_text(found, on_terminal, request.verbose)
        case "json":
            text = drift_forms.as_json(found)
        case "toml":
            from unwet.rewrite.decisions.draft import draft
            from unwet.rewrite.meaning import Meaning

            text = draft(Meaning(pile), found, request.params)
        case form:
            text = in_form(form, problems(found), request)
    emit(text, request)
    return 1 if check and found.findings else 0
