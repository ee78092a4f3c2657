"""Settings that models share: the macro that says them, what is their own, and what dbt reads."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from unwet.lineage.config import Sharing
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.place import write
from unwet.rewrite.templated.configured import config_of, joined
from unwet.rewrite.templated.lexed import laid_out_in_tags, lexed
from unwet.rewrite.templated.rewritten import Templated, rewritten
from unwet.rewrite.templated.set_apart import set_apart
from unwet.tests.rewrite.targets.test_dbt_build import VENV, dbt

__all__ = ["dbt"]

SETTINGS = """{{{{
    config(
        materialized = 'incremental',
        schema = 'shop_{country}',
        alias='orders',
        partition_by = ['day'],
        unique_key=['day', 'id'],{more}
        post_hook='{{{{ expose(countries = \\'["{country}"]\\',
                               owners = \\'["{owners}"]\\') }}}}'
    )
}}}}
"""
BODIES = ("select 1 as id, 'x' as day", "select a from t where b > 2 order by a limit 7",
          "with q as (select 5 as five) select five, 'z' as z from q")  # fmt: skip


def models(more: str = "") -> dict[str, str]:
    owners = ("ann", 'bob", "eve', "ann")
    return {
        f"orders_{country}": SETTINGS.format(country=country, owners=who, more=more) + f"\n{body}\n"
        for country, who, body in zip(("de", "fr", "it"), owners, BODIES, strict=True)
    }


def shared(texts: dict[str, str]) -> Templated:
    sources = [Source(f"pile/{name}.sql", text, "duckdb") for name, text in texts.items()]
    found = rewritten(set_apart(load(sources)), Sharing())
    assert {verdict.outcome for verdict in found.verdicts} == {"proved"}
    return found


def test_models_that_say_other_things_share_what_configures_them() -> None:
    found = shared(models())
    assert (
        found.macros["orders_config"]
        == """{% macro orders_config(countries, owners) %}
{{ config(
    materialized='incremental',
    schema='shop_' ~ countries,
    alias='orders',
    partition_by=['day'],
    unique_key=['day', 'id'],
    post_hook='{{ expose(countries=\\'["' ~ countries ~ '"]\\', owners=\\'' ~ owners ~ "') }}"
) }}
{% endmacro %}
"""
    )
    head, _, body = found.models["pile/orders_fr.sql"].partition("\n\n")
    assert head == "{{ orders_config(countries='fr', owners='[\"bob\", \"eve\"]') }}"
    assert body.strip() == BODIES[1]


def test_what_one_has_alone_stays_its_own() -> None:
    texts = models()
    texts["orders_it"] = models("\n        tags=['late'],")["orders_it"]
    found = shared(texts)
    assert found.models["pile/orders_it.sql"].startswith("{{ config(tags=['late']) }}\n\n{{ orders")
    assert "tags" not in found.macros["orders_config"]


def test_what_a_macro_makes_of_constants_is_said_once() -> None:
    texts = models("\n        incremental_predicates=[recent('day', days=3)],")
    found = shared(texts)
    assert "incremental_predicates=[recent('day', days=3)]," in found.macros["orders_config"]


@pytest.mark.parametrize("value", ["target.name", "['day', id]", "1.5", "{'a': 1}", "a.b('c')"])
def test_settings_that_are_no_constants_stay_where_they_are(value: str) -> None:
    texts = models(f"\n        meta={value},")
    assert config_of(lexed(texts["orders_de"])) is None
    assert not shared(texts).macros


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{ f('a' ~ '_' ~ x ~ 'b' ~ \"'\") }}", "{{ f('a_' ~ x ~ \"b'\") }}"),
        ("{{ f('a' ~ 'b' | upper) }}", "{{ f('a' ~ 'b' | upper) }}"),
        ("{{ f(1 + 'a' ~ 'b') }}", "{{ f(1 + 'a' ~ 'b') }}"),
        ("select 'a' ~ 'b'", "select 'a' ~ 'b'"),
        ("{{ ['a' ~ '\\n', 'b' ~ '\\\\'] }}", "{{ ['a\\n', 'b\\\\'] }}"),
    ],
)
def test_constants_that_are_glued_are_one(text: str, made: str) -> None:
    assert joined(text) == made


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("{{f( 'a  b',x = 1 )}} c  d", "{{ f('a  b', x=1) }} c  d"),
        ("{{ a if b is not c  else 'd' }}", "{{ a if b is not c else 'd' }}"),
        ("{{ a .b | c (1) }}", "{{ a.b | c(1) }}"),
        ("{{- a -}}", "{{- a -}}"),
        ("{% if a %}b{% endif %}", "{% if a %}b{% endif %}"),
        ("{{ open", "{{ open"),
    ],
)
def test_blanks_in_tags_say_nothing(text: str, made: str) -> None:
    assert laid_out_in_tags(text) == made


def settings(dbt: Path, root: Path) -> dict[str, Any]:
    """What dbt says each model is configured with."""
    (root / "macros" / "expose.sql").write_text(
        "{% macro expose(countries, owners) %}select 1{% endmacro %}"
    )
    words = [str(dbt), "parse", "--no-partial-parse", "--profiles-dir", "."]
    env = dict(os.environ, UNWET_DUCKDB=":memory:")
    done = subprocess.run(words, cwd=root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    manifest = json.loads((root / "target" / "manifest.json").read_text("utf-8"))
    return {
        node["name"]: {
            **node["config"],
            "post-hook": ["".join(hook["sql"].split()) for hook in node["config"]["post-hook"]],
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def test_dbt_reads_the_same_settings(dbt: Path, tmp_path: Path) -> None:
    """`dbt`: the program in build/venvs/dbt."""
    assert VENV in dbt.parents
    texts = models("\n        on_schema_change='fail',")
    pile = load([Source(f"pile/{n}.sql", t, "duckdb") for n, t in texts.items()], "duckdb")
    files = refactor(pile, Request(name="shop")).files
    assert "orders_config" in files["models/marts/orders_de.sql"]
    new, old = tmp_path / "new", tmp_path / "old"
    write(files, new)
    write({p: t for p, t in files.items() if not p.startswith("macros/")}, old)
    (old / "macros").mkdir()
    for name, text in texts.items():
        (old / "models" / "marts" / f"{name}.sql").write_text(text)
    found = settings(dbt, new)
    assert len(found) == 3
    assert found == settings(dbt, old)
    assert found["orders_fr"]["schema"] == "shop_fr"
    assert "fr" in found["orders_fr"]["post-hook"][0]
