"""What macros of templates look like: where models differ, there is a parameter of its kind."""

from __future__ import annotations

import pytest

from unwet.lineage.config import Sharing
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.templated.rewritten import Templated, rewritten
from unwet.rewrite.templated.set_apart import set_apart

HEAD = "{{ config(alias='x') }}\n"
LONG = """select
    a,
    b,
    c,
    d
from {{ ref('t') }}
where x > 0
    and y > 0
"""


def shared(*texts: str, limits: Sharing | None = None) -> Templated:
    """Models m_one, m_two, ... with these bodies, rewritten; all are proved."""
    names = ("one", "two", "three", "four", "five", "six")
    sources = [
        Source(f"pile/m_{name}.sql", HEAD + text, "duckdb")
        for name, text in zip(names, texts, strict=False)
    ]
    found = rewritten(set_apart(load(sources)), limits or Sharing())
    assert {verdict.outcome for verdict in found.verdicts} == {"proved"}
    return found


def calls(found: Templated) -> list[str]:
    return [text.removeprefix(HEAD).strip() for text in found.models.values()]


IF = "    {% if is_incremental() %}\n    and z > 1\n    {% endif %}\n"
KINDS = [
    (
        "a text, a relation that is called after it, and the same text in a string of a tag",
        [
            LONG + f"and z = '{n}' and {{{{ ref('t_{n}') }}}}.q and {{{{ f('{n}') }}}}"
            for n in "pqr"
        ],
        ["{{ m(z='p') }}", "{{ m(z='q') }}", "{{ m(z='r') }}"],
        ["z = '{{ z }}'", "ref('t_' ~ z)", "f(z)"],
    ),
    (
        "what most say is not said",
        [LONG + f"and z = {n}" for n in (1, 1, 1, 2)],
        ["{{ m() }}", "{{ m() }}", "{{ m() }}", "{{ m(z='2') }}"],
        ["macro m(z='1')"],
    ),
    (
        "a list of constants is one parameter, however long it is",
        [LONG + f"and z in ({n})" for n in ("1, 2", "3", "4, 5, 6")],
        ["{{ m(zs='1, 2') }}", "{{ m(zs='3') }}", "{{ m(zs='4, 5, 6') }}"],
        ["z in ({{ zs }})"],
    ),
    (
        "a block that some have is chosen by a flag",
        [LONG + IF, LONG, LONG + IF, LONG + IF],
        ["{{ m() }}", "{{ m(with_incremental=false) }}", "{{ m() }}", "{{ m() }}"],
        ["m(with_incremental=true)", "{% if with_incremental %}"],
    ),
    (
        "a name that only one sets is said in its call",
        ["{% set day = '1' %}\n" + LONG + "and z = '{{ day }}'", LONG + "and z = '2'"],
        ["{{ m(z='1') }}", "{{ m(z='2') }}"],
        ["z = '{{ z }}'"],
    ),
    (
        "loops may call their items otherwise, and words of SQL be in capitals",
        [
            f"{{% for {n} in ['a', 'b'] %}}{LONG.replace('from', word)}and {{{{ {n} }}}} = {n}s "
            "{% if not loop.last %}union all{% endif %}{% endfor %}"
            for n, word in (("x", "from"), ("y", "FROM"))
        ],
        ["{{ m(xs='xs') }}", "{{ m(xs='ys') }}"],
        ["{% for x in ['a', 'b'] %}", "{{ x }} = {{ xs }}"],
    ),
]


@pytest.mark.parametrize(("what", "texts", "said", "macro"), KINDS, ids=lambda each: str(each)[:30])
def test_where_models_differ_there_is_a_parameter(
    what: str, texts: list[str], said: list[str], macro: list[str]
) -> None:
    found = shared(*texts)
    assert calls(found) == said, what
    (text,) = found.macros.values()
    for part in macro:
        assert part in text


def test_a_query_in_brackets_is_shared_by_models_that_are_not_alike() -> None:
    sums = ", ".join(f"sum(c * {n}) as s{n}" for n in range(20))
    first = f"with good as (\n{LONG}) select {sums} from good group by a order by a limit 7"
    other = (
        f"with good as (\n{LONG}) select count(*) as n from {{{{ ref('u') }}}} join good using (k)"
    )
    found = shared(first, other, limits=Sharing(min_saved=1))
    (name,) = found.macros
    assert name == "m_good"
    assert all("with good as (\n{{ m_good() }}\n) select" in text for text in calls(found))


def test_a_macro_that_flags_decide_everywhere_is_not_made() -> None:
    items = [", ".join(f"{n}_{i} as c{i}, f({i})" for i in range(9)) for n in ("p", "q")]
    texts = [
        f"select {item}, d\nfrom t\nwhere x > 0\n    and y > 0\n    and z > 0" for item in items
    ]
    assert shared(*texts, *texts).macros == {}


def test_a_macro_is_never_called_like_one_that_there_is() -> None:
    texts = [LONG + f"and z = '{n}' and {{{{ m('{n}') }}}}" for n in "pqr"]
    assert [*shared(*texts).macros] == ["m_2"]
    failing = "{% for x in run_query('q') %}{{ m_2(x) }}{% endfor %}"
    sources = [Source(f"p/m_{n}.sql", HEAD + text, "duckdb") for n, text in enumerate(texts)]
    pile = load([*sources, Source("p/other.sql", HEAD + failing, "duckdb")])
    assert [*rewritten(set_apart(pile), Sharing(), {"m_3"}).macros] == ["m_4"]
