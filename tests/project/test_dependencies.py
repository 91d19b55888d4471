"""Each dependency has its reason in the documentation."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement

from support.snippets import ROOT

PAGE = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def rows(heading: str) -> list[list[str]]:
    """Return the rows of the table under a heading."""
    section = re.split(r"^## ", PAGE.partition(f"## {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:1] == "|"]
    return cells[2:]


def test_each_dependency_has_a_reason():
    wanted = sorted(Requirement(each).name for each in PROJECT["dependencies"])
    assert wanted == [row[0] for row in rows("Always installed")]
    assert [] == [row[0] for row in rows("Always installed") if len(row[1]) < 10]


def test_each_optional_dependency_has_a_reason():
    wanted = {
        (Requirement(each).name, f"`{extra}`")
        for extra, requirements in PROJECT["optional-dependencies"].items()
        for each in requirements
    }
    assert wanted == {(row[0], row[1]) for row in rows("With an extra")}
