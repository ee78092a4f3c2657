"""Templates of strangers make text and nothing else, and not without end."""

import pytest

from unwet.rewrite.prove.sandbox import Budget, Sandbox, TemplateFailure, guarded


def made(template: str, **names: object) -> str:
    environment = Sandbox(Budget())
    return guarded(lambda: environment.from_string(template, globals=names).render())


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{% for x in [1, 2] %}{{ x }}{{ ',' if not loop.last }}{% endfor %}", "1,2"),
        ("{% for x in range(3) %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/3 2/3 3/3 "),
        ("{% for k, v in {'a': 1}.items() %}{{ k ~ '=' ~ v }}{% endfor %}", "a=1"),
        ("{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, b=3) }}", "1-2 1-3"),
        ("{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}x{% endcall %}", "<x>"),
        (
            "{% set s = namespace(n=0) %}{% for x in [1, 2] %}{% set s.n = s.n + x %}{% endfor %}"
            "{{ s.n }}",
            "3",
        ),
        ("{{ 'a_b'.split('_') | join('.') | upper }}", "A.B"),
        ("{{ [{'n': 'a'}, {'n': 'b'}] | join(', ', attribute='n') }}", "a, b"),
        ("{{ 'aXbX' | replace('X', '--') }} {{ 'aXb'.replace('X', '') }}", "a--b-- ab"),
        ("{% set x %}a{{ 1 }}{% endset %}{{ x * 2 }}", "a1a1"),
        ("{{ 2 ** 10 }} {{ 7 // 2 }} {{ 7 % 4 }}", "1024 3 3"),
        ("{% macro m(x) %}{{ x is defined }}{% endmacro %}{{ m() }} {{ m(1) }}", "False True"),
        ("{{ {'a': 1}.b is defined }}{{ {'a': 1}.b | default(2) }}", "False2"),
        ("a{% test t(model) %}select {{ nothing }}{% endtest %}b", "ab"),
    ],
)
def test_ordinary_templates(template: str, expected: str) -> None:
    assert made(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ self._TemplateReference__context }}",
        "{{ f.__globals__ }}",
        "{{ f | attr('__globals__') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ ([1] | map(attribute='__class__') | first).mro }}",
        "{% import 'os' as os %}{{ os }}",
        "{% include '/etc/passwd' %}",
        "{% extends 'x' %}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ ''.format_map({}) }}",
        "{{ [1].append(2) }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ nothing }}",
        "{{ nothing is defined }}",
        "{{ nothing | default(1) }}",
        "{{ open('/etc/passwd') }}",
        "{{ __import__('os') }}",
        "{{ lipsum() }}",
        "{{ 'x' | center(1000000000) }}",
        "{{ 1 / 0 }}",
        "{% for x in 1 %}{% endfor %}",
        "{{ unclosed",
        "{% endfor %}",
    ],
)
def test_templates_reach_nothing(template: str) -> None:
    with pytest.raises(TemplateFailure):
        made(template, f=lambda: 1)


@pytest.mark.parametrize(
    "template",
    [
        "{% for x in range(10**9) %}{% endfor %}",
        "{% for x in range(10**30) %}{% endfor %}",
        "{% for x in range(99999) %}{% for y in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in 'x' * 999 %}{% for b in a * 9999 %}{{ b }}{% endfor %}{% endfor %}",
        "{% for x in [1] recursive %}{{ loop(range(99999)) }}{% endfor %}",
        "{{ 'x' * 10**9 }}",
        "{{ 10**9 * 'x' }}",
        "{{ [0] * 10**9 }}",
        "{{ 9 ** 99999999 }}",
        "{{ '%1000000000d' % 1 }}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}"
        "{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}"
        "{% endfor %}",
        "{% set ns = namespace(x=9) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}"
        "{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] | "
        "join %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x = ns.x | "
        "replace('x', ns.x) %}{% endfor %}",
        "{% set ns = namespace(x='xx') %}{% for i in range(99) %}{% set ns.x %}{{ ns.x }}{{ ns.x }}"
        "{% endset %}{% endfor %}",
        "{% for x in range(200000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{% if n %}{{ m(n-1) ~ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% for i in range(99999) %}{% set x = range(200000) | list %}{% endfor %}",
    ],
)
def test_templates_end(template: str) -> None:
    with pytest.raises(TemplateFailure):
        made(template)


def test_a_failure_knows_its_line() -> None:
    with pytest.raises(TemplateFailure) as caught:
        made("one\ntwo\n{{ nothing.at_all }}\n")
    assert caught.value.line == 3
