"""What may be imported: public names exist, are sorted and cost no more than they must."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys

import pytest

import workersai_core
import workersai_plugins

HEAVY = {"sqlalchemy", "requests", "falcon", "alembic", "urllib3", "psycopg", "hypothesis", "pytest"}


def modules():
    for package in (workersai_core, workersai_plugins):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # Migrations are run by Alembic, which hands them what they need.
            if ".migrations" not in found.name and not found.name.rpartition(".")[2].startswith("_"):
                yield found.name


MODULES = sorted(modules())


def place(name):
    """Constants, then classes, then functions, each in the order of the alphabet."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


@pytest.mark.parametrize("name", MODULES)
def test_public_names_exist_and_are_documented_in_order(name):
    module = importlib.import_module(name)
    public = getattr(module, "__all__", [])
    assert sorted(set(public), key=place) == list(public)
    for each in public:
        assert not each.startswith("_")
        assert hasattr(module, each)
    own = [each for each in public if getattr(getattr(module, each), "__module__", None) == name]
    for each in own:
        found = getattr(module, each)
        assert not callable(found) or found.__doc__, f"{name}.{each} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_documented_and_names_what_is_public(name):
    module = importlib.import_module(name)
    defined = [
        each
        for each, value in vars(module).items()
        if not each.startswith("_") and getattr(value, "__module__", None) == name
    ]
    if defined:
        assert module.__doc__
        assert "__all__" in vars(module)


def test_every_public_name_of_the_package_can_be_had_and_no_other():
    for name in workersai_core.__all__:
        assert getattr(workersai_core, name) is not None
    late = {name: f"workersai_core.{module}" for name, module in workersai_core._LATE.items()}
    assert set(late) <= set(workersai_core.__all__)
    for name, module in late.items():
        assert getattr(importlib.import_module(module), name) is getattr(workersai_core, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        workersai_core.nothing  # noqa: B018 - that is what fails


@pytest.mark.parametrize(
    "statement",
    [
        "import workersai_core",
        "import workersai_core.api",
        "from workersai_core.api import Issue, TaskType, hookimpl",
        "import workersai_plugins.categorization",
    ],
)
def test_what_a_plugin_imports_costs_it_neither_the_database_nor_the_callback_stack(statement):
    program = f"import sys; {statement}; print(*sorted(name for name in sys.modules if '.' not in name))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert set() == HEAVY & set(loaded)


def test_a_late_name_is_looked_up_once():
    program = (
        "import workersai_core; first = workersai_core.Engine;"
        " assert 'Engine' in vars(workersai_core); assert workersai_core.Engine is first"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
