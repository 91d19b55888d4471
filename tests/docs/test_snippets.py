"""Every code block of README, docs and examples runs, and prints what the page says."""

from __future__ import annotations

import os
import re

import pytest

from support.snippets import ROOT, blocks, pages, program, same

PAGES = pages()
RUBY_IS_MISSING = "Ruby is missing; run: apt-get install ruby ruby-httparty"


def kinds(page):
    return {block.kind.removeprefix("check ") for block in blocks(page.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_a_page_does_what_it_says(page, service, tmp_path):
    if "ruby" in kinds(page) and program("ruby") is None:
        pytest.skip(RUBY_IS_MISSING)
    assert program("curl"), "curl is missing; run: apt-get install curl"
    done = service.reader(tmp_path).follow(page)
    assert sum(block.runs for block in blocks(page.read_text(encoding="utf-8"))) == done


def test_what_is_not_run_says_why():
    unexplained = [
        f"{page.relative_to(ROOT)}:{block.line}"
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"))
        if block.skipped is not None and len(block.skipped) < 10
    ]
    assert [] == unexplained


def test_the_tests_that_a_page_names_exist():
    named = {
        (str(page.relative_to(ROOT)), path)
        for page in PAGES
        for path in re.findall(r"\btests/[\w/]+(?:\.py)?", page.read_text(encoding="utf-8"))
    }
    assert [] == sorted(each for each in named if not (ROOT / each[1]).exists())


@pytest.mark.parametrize(
    ("shown", "real", "expected"),
    [
        ({"a": 1}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1, "…": "…"}, {"a": 1, "b": 2}, True),
        ({"a": 1, "…": "…"}, {"b": 2}, False),
        ({"a": "…"}, {"a": [1]}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ([1, "…"], [1, 2, 3], True),
        ([1], [1, 2], False),
        ("id …", "id 7", True),
        ("id …", "7", False),
        (1, True, False),
    ],
)
def test_an_output_is_compared(shown, real, expected):
    assert expected == same(shown, real)


def test_a_wrong_page_fails(service, tmp_path):
    page = ROOT / "docs" / "index.md"
    reader = service.reader(tmp_path)

    class Page(type(page)):
        def read_text(self, **_):
            return "```python\nprint('two')\n```\n\n```text output\none\n```\n"

    with pytest.raises(AssertionError, match=re.escape(f"docs{os.sep}index.md:5")):
        reader.follow(Page(page))
