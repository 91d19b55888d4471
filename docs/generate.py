"""Writes docs/reference from the code: `make docs`; a test fails when a page is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # the generators are not installed

from generators import cli, engine, errors, hooks, laws, lifecycle, routes, settings, task_types

REFERENCE = Path(__file__).parent / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli.page,
    "conformance-laws.md": laws.page,
    "engine.md": engine.page,
    "errors.md": errors.page,
    "hooks.md": hooks.page,
    "lifecycle.md": lifecycle.page,
    "routes.md": routes.page,
    "settings.md": settings.page,
    "task-types.md": task_types.page,
}
"""The generated pages by file name."""


def main() -> None:
    """Write every page, or with --check only say which are stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args().check
    stale = 0
    for name, page in PAGES.items():
        text, file = page(), REFERENCE / name
        if file.exists() and file.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{file.relative_to(Path.cwd())} {'is stale; run `make docs`' if check else 'written'}")
        if not check:
            file.write_text(text, encoding="utf-8")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
