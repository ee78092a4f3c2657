"""Templates in all their branches: what is known is evaluated, what is not is decided both ways."""

from __future__ import annotations

import pytest

from unwet.rewrite.prove.sandbox import TemplateFailure
from unwet.rewrite.templated.alike import apart
from unwet.rewrite.templated.branches import in_branches

PLAIN = [
    ("{% set xs = ['a', 'b'] %}{% for x in xs %}{{ x }},{% endfor %}", "a,b,"),
    ("{% for x in ['a', 'b'] %}{{ x }}{% if not loop.last %} or {% endif %}{% endfor %}", "a or b"),
    ("{{ config(materialized='table') }}select 1", "select 1"),
    ("{% macro m(x, y='b') %}{{ x ~ y }}{% endmacro %}{{ m('a') }}", "ab"),
    ("{% set xs = [ref('a'), ref('b')] %}{{ xs | length }}", "2"),
]


@pytest.mark.parametrize(("text", "said"), PLAIN)
def test_what_a_template_says_itself_is_evaluated(text: str, said: str) -> None:
    (one,) = in_branches(text)
    assert (one.text, dict(one.decided)) == (said, {})


DECIDED = [
    ("{% if is_incremental() %}a{% else %}b{% endif %}", {"is_incremental()"}, {"a", "b"}),
    ("{% if var('x', false) %}a{% endif %}", {"var('x', False)"}, {"a", ""}),
    ("{% if target.name == 'dev' %}a{% endif %}b", {"target.name == 'dev'"}, {"ab", "b"}),
    ("{% if var('x') is none %}a{% endif %}", {"is none(var('x'))"}, {"a", ""}),
    ("{% if var('x') in ['p'] %}a{% endif %}", {"var('x') == 'p'"}, {"a", ""}),
    ("{% if ('a' ~ var('x')) == 'ab' %}a{% endif %}", None, {"a", ""}),
    ("{% if var('x') | lower == 'a' %}a{% endif %}", {"lower(var('x')) == 'a'"}, {"a", ""}),
    ("{% if [var('x'), 'b'] | join == 'ab' %}a{% endif %}", None, {"a", ""}),
]


@pytest.mark.parametrize(("text", "asked", "said"), DECIDED)
def test_what_it_does_not_say_is_decided_both_ways(
    text: str, asked: set[str] | None, said: set[str]
) -> None:
    found = in_branches(text)
    assert {one.text for one in found} == said
    if asked is not None:
        assert {key for one in found for key in one.decided} == asked


FAILING = [
    ("a\n{% for x in run_query('q') %}{% endfor %}", 2, "a loop over run_query('q')"),
    ("{% set d = {var('x'): 1} %}", 0, "unhashable"),
    ("a\n\n{% if %}", 3, "Expected an expression"),
    ("".join(f"{{% if f({n}) %}}a{{% endif %}}" for n in range(9)), 0, "more than 64 branches"),
    ("unwet__0123456789abcdef__", 0, "begins with unwet__"),
]


@pytest.mark.parametrize(("text", "line", "message"), FAILING)
def test_what_cannot_be_followed_is_said_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(TemplateFailure, match=r".*") as caught:
        in_branches(text)
    assert message in caught.value.message
    assert line in (0, caught.value.line)


MACRO = "{% macro m(c, t) %}select '{{ c }}' from {{ ref(t) }} where {{ f(c) }}{% endmacro %}"
OLD = "select 'de' from {{ ref('de_t') }} where {{ f('de') }}"

SAME = [
    (OLD, "{{ m('de', 'de_t') }}"),
    (OLD, "{% set c = 'de' %}{{ m(c, c ~ '_t') }}"),
    ("{% if not f() %}a{% endif %}{% if f() %}b{% endif %}", "{% if f() %}b{% else %}a{% endif %}"),
    ("select a -- b\nFROM t INNER JOIN u", "select a from t join u /* c */"),
]
HOOK = "{{ config(schema='s', post_hook='{{ expose(\\'[\"de\"]\\', kind = \"x\") }}') }}"
SAME += [
    (HOOK, "{{ config(post_hook='{{expose( \\'[\"de\"]\\',\\n  kind=\"x\" )}}', schema='s') }}"),
    ("{{ config(a=1, b=2) }}", "{{ config(b=2) }}{{ config(a=1) }}"),
]
OTHER = [
    (HOOK, HOOK.replace("[", "[ ")),
    (HOOK, HOOK.replace("x", "y")),
    (HOOK, HOOK.replace("post_hook", "pre_hook")),
    (
        "{{ config(tags='a', x=1) }}{{ config(tags='b') }}",
        "{{ config(tags='b') }}{{ config(tags='a', x=1) }}",
    ),
    ("{{ config(alias='{{ a  }}') }}", "{{ config(alias='{{ a }}') }}"),
    (
        "{{ config({'a': 1}, b=1) }}{{ config(b=2) }}",
        "{{ config(b=2) }}{{ config({'a': 1}, b=1) }}",
    ),
    (OLD, "{{ m('fr', 'de_t') }}"),
    (OLD, "{{ m('de', 'de_u') }}"),
    (OLD, "{{ config(materialized='table') }}{{ m('de', 'de_t') }}"),
    ("{% if f() %}a{% else %}b{% endif %}", "{% if not f() %}a{% else %}b{% endif %}"),
    ("{% if f(1) %}a{% endif %}", "{% if f(2) %}a{% endif %}"),
    ("{{ f('a') }}", "{{ f('A') }}"),
    ("{{ f(['a']) }}", "{{ f(('a',)) }}"),
    ("{{ 'a' ~ f() }}", "{{ ('a' ~ f()) | upper }}"),
    ("select 'a  b'", "select 'a b'"),
    ("select Name", "select name"),
    ("select x '0a'", "select x'0a'"),
    ("{{ f() }}", "f()"),
    ("{{ ref('t') }}", "{{ source('s', 't') }}"),
    ("{% if a.b() %}x{% endif %}", "{% if a.b %}x{% endif %}"),
]


@pytest.mark.parametrize(("old", "new"), SAME)
def test_templates_that_say_the_same_in_all_branches(old: str, new: str) -> None:
    assert apart(in_branches(old), in_branches(new, [MACRO]), "trino") == ""


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_templates_that_say_something_else_in_one_branch(old: str, new: str) -> None:
    assert apart(in_branches(old), in_branches(new, [MACRO]), "trino").startswith("it says")
