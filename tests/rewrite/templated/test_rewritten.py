"""A pile of models with templates becomes models that call a macro, and each is proved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from unwet.lineage.pile import load
from unwet.rewrite.prove.sandbox import Budget, Sandbox
from unwet.rewrite.refactor import Request, Result, refactor
from unwet.rewrite.templated.alike import _code
from unwet.rewrite.verify import Request as Asked
from unwet.rewrite.verify import verify

PILE = Path(__file__).parents[3] / "fixtures" / "rewrite" / "templated" / "pile"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    out = tmp_path_factory.mktemp("project")
    return out, refactor(load(PILE, "duckdb"), Request(out=out, force=True))


def test_models_with_a_template_share_a_macro(project: tuple[Path, Result]) -> None:
    _, result = project
    outcomes = {v.name: (v.outcome, v.shared) for v in result.verdicts}
    countries = {f"payments_{c}": ("proved", True) for c in ("de", "es", "fr", "it", "pl")}
    assert outcomes == {"by_table": ("kept", False), **countries}
    made, configured = sorted(result.abstractions, key=lambda each: each.name)
    assert {hole.name for hole in made.holes} == {"country", "tables", "paid_on_from", "p_amount"}
    assert [hole.name for hole in configured.holes] == ["schema"]
    assert (result.before.lines, result.before.files) == (189, 6)
    assert result.after.lines < 80
    assert made.saves + configured.saves == result.before.lines - result.after.lines


def test_what_cannot_be_followed_stays_with_its_line(project: tuple[Path, Result]) -> None:
    out, result = project
    (kept,) = (v for v in result.verdicts if v.outcome == "kept")
    assert (kept.line, "line 3: a loop over run_query" in kept.reason) == (3, True)
    assert (out / "models/marts/by_table.sql").read_text() == (PILE / "by_table.sql").read_text()


def test_what_all_configure_is_said_once_and_comments_stay(project: tuple[Path, Result]) -> None:
    out, _ = project
    text = (out / "models/marts/payments_fr.sql").read_text()
    old = (PILE / "payments_fr.sql").read_text()
    head, _, rest = text.partition("\n\n")
    assert head == "{{ payments_config(schema='fr') }}"
    assert rest[:13] == old[old.index("{% set") :][:13]
    macro = (out / "macros/payments_config.sql").read_text()
    assert "schema='pay_' ~ schema," in macro
    assert "post_hook='{{ expose(\\'[\"' ~ schema ~ '\"]\\') }}'" in macro
    assert "-- nothing was sold before" in (out / "macros/payments.sql").read_text()


def test_verify_proves_them_and_sees_an_edit(project: tuple[Path, Result]) -> None:
    out, _ = project
    pile = load(PILE, "duckdb")
    assert verify(pile, Asked(out)).ok
    macro = out / "macros" / "payments.sql"
    text = macro.read_text()
    try:
        macro.write_text(text.replace("amount > 0", "amount >= 0"))
        found = {c.name: (c.verdict, c.open) for c in verify(pile, Asked(out)).reports}
    finally:
        macro.write_text(text)
    assert found["payments_de"] == ("kept", True)
    assert found["by_table"] == ("kept", False)


@pytest.mark.parametrize("incremental", [False, True])
def test_law_they_say_the_same_with_any_values(
    project: tuple[Path, Result], incremental: bool
) -> None:
    out, _ = project
    macros = "".join(path.read_text() for path in (out / "macros").glob("*.sql"))
    said: list[dict[str, object]] = []

    def configure(**settings: object) -> str:
        said.append(settings)
        return ""

    names = {
        "config": configure,
        "is_incremental": lambda: incremental,
        "ref": lambda name: f"db.{name}",
        "source": lambda schema, name: f"{schema}.{name}",
        "recent": lambda column: f"{column} > current_date - 3",
    }
    for old in sorted(PILE.glob("payments_*.sql")):
        new = (out / "models/marts" / old.name).read_text()
        assert _plain(macros + new, names) == _plain(old.read_text(), names)
        assert said[-1] == said[-2]


def _plain(text: str, names: Mapping[str, Any]) -> tuple[str, ...]:
    """The words of what dbt would make of a template, with values for all it does not say."""
    return _code(Sandbox(Budget()).from_string(text, globals=dict(names)).render(), "duckdb")
