"""`workersai plugin new`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import click

from workersai_server.cli.options import json_option
from workersai_server.cli.output import CONFLICT, USAGE, Failure, Output, pass_output

__all__ = ["new"]

_NAME = re.compile(r"[a-z][a-z0-9_]{1,40}")
_SUFFIX = ".tmpl"
"""So that no tool takes the templates for parts of this package."""
_WITH_ELEMENT = (
    (
        '"hotkeys": {"/answer": "1234567890"}',
        '"element": {"name": "workersai-my-type", "module": "workersai_my_type.js"}',
    ),
    ('["src/workersai_my_type.py"]', '["src/workersai_my_type.py", "src/workersai_my_type.js"]'),
)
"""What is another text when the type brings an element."""


@click.command()
@click.argument("name")
@click.option(
    "--dir",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Where the directory of the package goes.",
)
@click.option("--element", is_flag=True, help="Let it bring a form element of its own, in JavaScript.")
@json_option
@pass_output
def new(output: Output, name: str, parent: Path, element: bool) -> None:
    """Write a package with a working task type, its tests, a README and a CI workflow.

    NAME is the name of the task type, such as my_type.
    """
    name = name.replace("-", "_")
    _check_name(name)
    target = parent / f"workersai-{name.replace('_', '-')}"
    if target.exists():
        raise Failure(
            f"{target} exists already; nothing was written.",
            remedy="Choose another name, or another place with --dir.",
            exit_code=CONFLICT,
            code="conflict",
        )
    written = [_write(target / path, _filled(text, name, element)) for path, text in _templates(name, element)]
    files = [str(path.relative_to(target)) for path in written]
    lines = [
        f"Wrote {target}:",
        *(f"  {file}" for file in files),
        "Next:",
        f"  cd {target}",
        "  pip install -e '.[test]'",
        "  python -m pytest",
    ]
    output.document({"name": name, "path": str(target), "files": files}, "\n".join(lines))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Failure(
            f"{name} cannot name a task type: lower-case letters, digits and _, 2 to 41 of them, a letter first.",
            remedy="Choose a name such as my_type.",
            exit_code=USAGE,
            code="invalid_parameter",
        )
    if name in {point.name for point in metadata.entry_points(group="workersai")}:
        raise Failure(
            f"There is an installed plugin {name} already.",
            remedy="Choose another name; `workersai plugin list` shows those that are taken.",
            exit_code=CONFLICT,
            code="conflict",
        )


def _templates(name: str, element: bool) -> Iterator[tuple[PurePosixPath, str]]:
    """Yield the path and the text of each file."""
    for folder in ("scaffold", *(["scaffold_element"] if element else [])):
        for path, file in _files(resources.files("workersai_server.cli") / folder, PurePosixPath()):
            filled = str(path).removesuffix(_SUFFIX).replace("my_type", name)
            yield PurePosixPath(filled), file.read_text(encoding="utf-8")


def _files(directory: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for entry in sorted(directory.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, path / entry.name)
        elif entry.name.endswith(_SUFFIX):
            yield path / entry.name, entry


def _filled(text: str, name: str, element: bool) -> str:
    release = ".".join(metadata.version("workersai").split(".")[:2])
    if element:
        for plain, instead in _WITH_ELEMENT:
            text = text.replace(plain, instead)
    return (
        text.replace("MyType", "".join(word.capitalize() for word in name.split("_")))
        .replace("my-type", name.replace("_", "-"))
        .replace("my_type", name)
        .replace("workersai>=0.0", f"workersai>={release}")
    )


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
