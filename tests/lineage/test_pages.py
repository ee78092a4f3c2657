"""Marked blocks in Markdown pages."""

import pytest

from unwet.lineage.errors import UsageError
from unwet.lineage.pages import blocks, rewritten

PAGE = """# Page

<!-- unwet lineage sql --column "a b.c" -->
old
<!-- /unwet -->

- item

  <!--unwet lineage-->
  ```mermaid
  flowchart LR
  ```
  <!--/unwet-->

````markdown
```
<!-- unwet lineage in code -->
````
~~~
<!-- unwet lineage too -->
~~~
<!-- unwet lineages are no mark -->
end"""


def test_blocks_have_words_places_and_content() -> None:
    first, second = blocks(PAGE, "p.md")
    assert (first.start, first.end, first.words) == (2, 4, ("sql", "--column", "a b.c"))
    assert (second.start, second.words, second.indent) == (8, (), "  ")
    assert first.content() == "old\n"
    assert second.content() == "flowchart LR\n"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_the_contents_are_rewritten(newline: str) -> None:
    page = PAGE.replace("\n", newline)
    first, second = blocks(page, "p.md")
    new = rewritten(page, [(first, "text", "one\ntwo\n"), (second, "mermaid", "flowchart TD\n")])
    wanted = PAGE.replace("\nold\n", "\n```text\none\ntwo\n```\n").replace("chart LR", "chart TD")
    assert new == wanted.replace("\n", newline)
    again = blocks(new, "p.md")
    assert [each.content() for each in again] == ["one\ntwo\n", "flowchart TD\n"]


def test_a_fence_is_longer_than_those_inside() -> None:
    page = "<!-- unwet lineage -->\n<!-- /unwet -->"
    (block,) = blocks(page, "p.md")
    new = rewritten(page, [(block, "text", "a ```` b\n")])
    assert new == "<!-- unwet lineage -->\n`````text\na ```` b\n`````\n<!-- /unwet -->"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("\n<!-- unwet lineage -->\n", "p.md:2: the block is not closed"),
        ("<!-- unwet lineage -->\n<!-- unwet lineage -->\n<!-- /unwet -->", "p.md:1: the block"),
        ("<!-- unwet lineage 'x -->\n<!-- /unwet -->", "p.md:1: No closing quotation"),
    ],
)
def test_a_broken_block_has_its_line(page: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        blocks(page, "p.md")
