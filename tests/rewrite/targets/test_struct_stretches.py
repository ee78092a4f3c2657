"""Fields that several STRUCTs have word for word are a macro's, where that pays."""

from __future__ import annotations

import pytest

from unwet.rewrite.prove.sandbox import Budget, Sandbox
from unwet.rewrite.targets.struct_stretches import with_struct_stretches

FIELDS = "".join(f"    m.glean_error_{word},\n" for word in ("label", "overflow", "state", "value"))
MODEL = "SELECT\n  a,\n  STRUCT(\n    m.NAME,\nFIELDS    m.NAME_last\n  ) AS `m`\nFROM t\n"


def _files(fields: str = FIELDS, model: str = MODEL, many: int = 4) -> dict[str, str]:
    return {f"models/marts/{name}.sql": model.replace("FIELDS", fields).replace("NAME", name)
            for name in "abcdefgh"[:many]}  # fmt: skip


def test_what_structs_have_in_common_is_a_macro() -> None:
    found, [macro] = with_struct_stretches(_files(), {"glean_error"})
    assert (macro.name, macro.params) == ("glean_error_2", ())
    body = FIELDS.removesuffix(",\n").replace("    ", "")
    assert macro.text == f"{{% macro glean_error_2() %}}\n{body}\n{{% endmacro %}}\n"
    assert found == _files("    {{ glean_error_2() }},\n")


def test_templates_say_what_they_said() -> None:
    fields = FIELDS.removesuffix(",\n")
    files = _files() | {"models/marts/of.sql": f"STRUCT(\n  STRUCT(\n{fields}\n  ) AS x\n)\n"}
    found, macros = with_struct_stretches(files, ())
    heads = "".join(each.text for each in macros)
    for path, text in files.items():
        said = Sandbox(Budget()).from_string(f"{heads}{found[path]}").render()
        assert "".join(said.split()) == "".join(text.split())
        assert "{{ glean_error() }}" in found[path]


@pytest.mark.parametrize(
    "files",
    [
        _files(many=2),
        _files(FIELDS[: FIELDS.index("state") - 12], many=3),
        _files(FIELDS.replace("error", "{{ error }}")),
        _files(FIELDS.replace(",\n", ", -- an error\n")),
        _files(
            model="SELECT\n  a,\n  f(\n    m.NAME,\nFIELDS    m.NAME_last\n  ) AS `m`\nFROM t\n"
        ),
    ],
)
def test_fields_stay(files: dict[str, str]) -> None:
    assert with_struct_stretches(files, ()) == (files, ())


def test_the_macro_is_called_as_no_parameter_beside_it() -> None:
    files = _files() | {"macros/x.sql": "{% macro x(glean_error) %}\n{{ glean_error }}\n"}
    assert with_struct_stretches(files, ())[1][0].name == "glean_error_2"
