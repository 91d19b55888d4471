"""Where plugins come from: installed entry points, single files, objects of the host program."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Literal

import attrs

from workersai_core.hookspecs import PROJECT
from workersai_core.schemas.explain import close_match

__all__ = ["Candidate", "EntryPoints", "found"]

EntryPoints = Literal["all", "none"] | Sequence[str]


@attrs.frozen(kw_only=True)
class Candidate:
    """A plugin that was found and not loaded yet.

    Attributes:
        name: Its name, unique in the engine.
        distribution: The installed package it belongs to; None for files and objects.
        version: That package's version.
        load: Imports it and returns the plugin object.
        wanted: Whether it is to be loaded at all.
    """

    name: str
    distribution: str | None = None
    version: str | None = None
    load: Callable[[], object]
    wanted: bool = True


def found(objects: Iterable[object], files: Iterable[str | Path], entry_points: EntryPoints) -> list[Candidate]:
    """Return every plugin there is, each under a name of its own, the installed ones first."""
    candidates = [
        *_installed(entry_points),
        *(_file(Path(path)) for path in files),
        *(_object(plugin) for plugin in objects),
    ]
    taken: set[str] = set()
    return [_renamed(candidate, taken) for candidate in candidates]


def _renamed(candidate: Candidate, taken: set[str]) -> Candidate:
    name, n = candidate.name, 1
    while name in taken:
        n += 1
        name = f"{candidate.name}-{n}"
    taken.add(name)
    return candidate if n == 1 else attrs.evolve(candidate, name=name)


# --- installed ---------------------------------------------------------------------------------------


def _installed(chosen: EntryPoints) -> Iterator[Candidate]:
    points = sorted(metadata.entry_points(group=PROJECT), key=lambda point: (point.name, point.value))
    names = [point.name for point in points]
    for point in points:
        wanted = chosen == "all" or (chosen != "none" and point.name in chosen)
        package = point.dist
        yield Candidate(
            name=point.name,
            distribution=None if package is None else package.name,
            version=None if package is None else package.version,
            load=point.load,
            wanted=wanted,
        )
    for name in () if isinstance(chosen, str) else chosen:
        if name not in names:
            yield Candidate(name=name, load=_missing(name, names))


def _missing(name: str, known: Sequence[str]) -> Callable[[], object]:
    meant = close_match(name, known)
    hint = f"did you mean {meant}?" if meant else f"installed are {', '.join(known) or 'none'}."

    def load() -> object:
        raise LookupError(f"no plugin of this name is installed; {hint}")

    return load


# --- files -------------------------------------------------------------------------------------------


def _file(path: Path) -> Candidate:
    return Candidate(name=path.stem, load=lambda: _import_file(path))


def _import_file(path: Path) -> object:
    path = path.absolute()
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    # Two files of the same name, in one engine or in two, must not take each other's place.
    name = f"workersai_plugin_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}_{sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file; its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    # Classes look their module up by name, so it must be known before it runs.
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise
    return module


# --- objects -----------------------------------------------------------------------------------------


def _object(plugin: object) -> Candidate:
    return Candidate(name=_name_of(plugin), load=lambda: plugin)


def _name_of(plugin: object) -> str:
    # A plugin's code does not run before its failures are caught, so no property is asked.
    own = inspect.getattr_static(plugin, "name", None)
    if isinstance(own, str) and own:
        return own
    return plugin.__name__.rpartition(".")[2] if isinstance(plugin, ModuleType | type) else type(plugin).__name__
