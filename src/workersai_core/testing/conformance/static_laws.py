"""Laws about the attributes of a task type: looked at once, nothing is drawn."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from workersai_core.elements import element_of
from workersai_core.errors import Issue, PluginConfigurationError
from workersai_core.plugins.type_rules import registered
from workersai_core.schemas import compile_schema, problems
from workersai_core.task_type import TaskType
from workersai_core.testing.conformance.importing import import_seconds
from workersai_core.testing.conformance.law import Broken, Law, static_law
from workersai_core.testing.conformance.subject import Subject, own_strategy
from workersai_core.testing.conformance.ui import hotkey_problems, pointer_problems
from workersai_core.testing.strategies import UnsupportedSchema, from_schema

__all__ = ["HINT_LAWS", "SCHEMA_LAWS", "TYPE_LAWS"]

_MAX_IMPORT_S = 0.2
_PROPERTY = re.compile(r".*/properties/[^/]+")


def _break_on(found: Iterable[str]) -> None:
    lines = list(found)
    if lines:
        raise Broken("\n  ".join(lines))


def _texts(what: str, issues: Iterable[Issue]) -> Iterator[str]:
    return (f"{what}{issue.pointer}: {issue.message}" for issue in issues)


def _rule_of(issue: Issue) -> str:
    """Return which law a problem of a schema belongs to."""
    if issue.code == "open_object":
        return "closed"
    if issue.pointer.endswith("/$ref"):
        return "local"
    if issue.code == "required" and _PROPERTY.fullmatch(issue.pointer):
        return "described"
    return "valid"


def _check_rule(task_type: TaskType, rule: str) -> None:
    for what in ("params_schema", "response_schema"):
        issues = problems(getattr(task_type, what, None))
        _break_on(_texts(what, [issue for issue in issues if _rule_of(issue) == rule]))


@static_law(remedy="Correct the attribute; the documentation of TaskType says what each one holds.")
def attributes_are_well_formed(task_type: TaskType) -> None:
    """The engine registers the type: its name, aliases, version, summary and methods are well formed.

    A name is 2 to 41 lower-case letters, digits and underscores, a letter
    first; it never changes once published. The version is a whole number
    from 1, the summary one sentence. Methods are plain functions, not async.
    """
    try:
        registered(task_type, "the plugin under test")
    except PluginConfigurationError as error:
        if not error.issues:  # those of schemas and examples are other laws' affairs
            raise Broken(error.detail) from error
    except (Exception, SystemExit) as error:
        raise Broken(f"registering the type raised {type(error).__name__}: {error}") from error


@static_law(remedy="Correct the schema at the pointer; JSON Schema 2020-12 is the only dialect.")
def schemas_are_valid(task_type: TaskType) -> None:
    """Both schemas are JSON Schema 2020-12 and use nothing that would silently do nothing.

    Unknown keywords and formats, patterns that may take forever, and keywords
    of older drafts are refused when the plugin is loaded.
    """
    _check_rule(task_type, "valid")


@static_law(remedy='Add "additionalProperties": false (or "unevaluatedProperties": false) and list every property.')
def objects_are_closed(task_type: TaskType) -> None:
    """Every object in both schemas is closed, so that a misspelt name is an error and not ignored."""
    _check_rule(task_type, "closed")


@static_law(remedy="Put the schema into $defs and refer to it as #/$defs/NAME.")
def references_are_local(task_type: TaskType) -> None:
    """Every ``$ref`` goes to ``#/$defs/…`` of the same schema, so that nothing is ever fetched."""
    _check_rule(task_type, "local")


@static_law(remedy='Give the property a "description"; it is shown to workers and in the documentation.')
def properties_are_described(task_type: TaskType) -> None:
    """Every property in both schemas has a description."""
    _check_rule(task_type, "described")


@static_law(remedy='List at least one property of the response in "required".')
def empty_response_is_refused(task_type: TaskType) -> None:
    """The response schema does not accept ``{}``, which means "no result yet" everywhere in the service."""
    if compile_schema(task_type.response_schema).accepts({}):
        raise Broken("response_schema accepts {}")


@static_law(remedy="Correct the example, or the rule that refuses it.")
def examples_hold(task_type: TaskType) -> None:
    """There is an example, and every one validates: its params, and its response for these params.

    The examples are shown in the documentation, so they must be true.
    """
    if not task_type.examples:
        raise Broken("there is no example")
    subject = Subject(task_type)
    for n, example in enumerate(task_type.examples):
        if not isinstance(example, tuple | list) or len(example) != 2:
            raise Broken(f"example {n} is no pair (params, response)")
        params, response = example
        _break_on(_texts(f"example {n}: /params", subject.params_issues(params)))
        _break_on(_texts(f"example {n}: /response", subject.response_issues(params, response)))


@static_law(remedy="Give the type a params_strategy() or a response_strategy(params) with a Hypothesis strategy.")
def values_can_be_drawn(task_type: TaskType) -> None:
    """Params and responses can be drawn, so that the other laws are checked on more than the examples.

    The kit's builder knows a large part of JSON Schema; for the rest the type
    gives its own strategies.
    """
    for name, schema, own in (
        ("params_schema", task_type.params_schema, own_strategy(task_type, "params_strategy")),
        ("response_schema", *_narrowed_example(task_type)),
    ):
        if own is None:
            try:
                from_schema(schema)
            except UnsupportedSchema as error:
                raise Broken(f"{name}{error}") from error


def _narrowed_example(task_type: TaskType) -> tuple[Any, Any]:
    params = task_type.examples[0][0]
    return task_type.response_schema_for(params), own_strategy(task_type, "response_strategy", params)


@static_law(remedy="Correct the pointer, or add the property to the schema.")
def ui_points_at_what_exists(task_type: TaskType) -> None:
    """Every pointer in ``ui`` leads to something in the schemas, and there is no hint of another name.

    ``show`` points into the params; ``widgets`` and ``hotkeys`` into the
    response. A digit or ``*`` stands for an item of an array.
    """
    _break_on(pointer_problems(task_type))


@static_law(remedy="Give each choice a digit or a lower-case letter of its own.")
def hotkeys_do_not_clash(task_type: TaskType) -> None:
    """Each hotkey is one digit or lower-case letter, and none stands for two things.

    Keys without a modifier belong to the answer; the actions of the page
    (submit, skip, undo) carry one.
    """
    _break_on(hotkey_problems(task_type))


@static_law(remedy="Put the ES module beside the Python module, and into the package.")
def the_element_is_shipped(task_type: TaskType) -> None:
    """A custom element in ``ui`` has a name and a module, and the module lies beside the type's own.

    ``{"name": "my-element", "module": "element.js"}``: the name has a hyphen,
    the module is a file name without a folder, of at most 1 MB.
    """
    try:
        element_of(task_type)
    except PluginConfigurationError as error:
        raise Broken(error.detail) from error


@static_law(remedy="Import heavy libraries inside the method that needs them.")
def import_is_fast(task_type: TaskType) -> None:
    """Importing the type's module takes less than 200 ms of processor time beyond the plugin API itself.

    Every command that loads plugins waits for it. It is measured in a fresh
    interpreter, and the best of three counts.
    """
    module = sys.modules.get(type(task_type).__module__)
    try:
        seconds = 0.0 if module is None else import_seconds(module, _MAX_IMPORT_S)
    except RuntimeError as error:
        raise Broken(str(error)) from error
    if seconds >= _MAX_IMPORT_S:
        raise Broken(f"importing {type(task_type).__module__} took {seconds * 1000:.0f} ms")


SCHEMA_LAWS: Sequence[Law] = (schemas_are_valid, objects_are_closed, references_are_local, properties_are_described)
"""The laws that all others build on."""

TYPE_LAWS: Sequence[Law] = (attributes_are_well_formed, empty_response_is_refused, examples_hold)
"""The laws that drawn ones build on besides."""

HINT_LAWS: Sequence[Law] = (
    values_can_be_drawn,
    ui_points_at_what_exists,
    hotkeys_do_not_clash,
    the_element_is_shipped,
    import_is_fast,
)
"""Laws on which nothing builds."""
