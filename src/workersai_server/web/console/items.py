"""What an item shows of its task, and the form that answers it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs

from workersai_core import Claim, Task, jsontext
from workersai_core.api import TaskType
from workersai_core.clock import rfc3339
from workersai_core.errors import Issue
from workersai_server.web import forms
from workersai_server.web.markdown import rendered
from workersai_server.web.plugin_assets import ServedElement
from workersai_server.web.translations import Language
from workersai_server.web.visits import Site

__all__ = ["Exhibit", "Item", "element_task", "exhibits_of", "inside_response", "item_of"]

Kind = Literal["text", "image", "audio", "video", "website", "pdf", "link", "list", "table"]

_LETTERS = 26
_MEDIA = ("image", "audio", "video", "website", "pdf")


@attrs.frozen(kw_only=True)
class Exhibit:
    """One thing to look at."""

    kind: Kind
    value: Any
    label: str
    pointer: str


@attrs.frozen(kw_only=True)
class Item:
    """One assignment as the console shows it."""

    claim: Claim
    exhibits: Sequence[Exhibit]
    form: forms.Field
    element: ServedElement | None
    """The element that the task type brings for its form."""
    task_json: str
    """What the element is given of the task."""
    value_json: str
    """What it starts from; "" when nothing was answered."""

    @property
    def assignment_id(self) -> str:
        """Its id."""
        return self.claim.assignment.id

    @property
    def instruction(self) -> Any:
        """What the requester asks, as safe HTML."""
        return rendered(self.claim.task.instruction, keep_lines=True)

    @property
    def lease_expires_at(self) -> str:
        """When it goes back to the queue."""
        return rfc3339(self.claim.assignment.lease_expires_at)

    @property
    def answered_by_one_key(self) -> bool:
        """Whether choosing is all there is to do, so that a key may also submit."""
        shown = [field for field in self.form.children if field.widget != "hidden"]
        return len(shown) == 1 and shown[0].kind == "choice" and not shown[0].nullable


def item_of(
    site: Site, claim: Claim, language: Language, value: Any = forms.ABSENT, issues: Sequence[Issue] = ()
) -> Item:
    """Return what to show of an assignment.

    Args:
        site: Whose task types.
        claim: The assignment.
        language: Of labels.
        value: What was answered so far.
        issues: What is wrong with it.
    """
    task_type = site.engine.types.require(claim.task.task_type)
    return Item(
        claim=claim,
        exhibits=list(exhibits_of(task_type, claim.task.params, language)),
        form=forms.build(claim.response_schema, value, issues, language=language, ui=task_type.ui),
        element=site.plugin_assets.element(task_type.name),
        task_json=element_task(claim.task, language),
        value_json="" if value is forms.ABSENT else jsontext.dumps(forms.filled(value)),
    )


def element_task(task: Task, language: Language) -> str:
    """Return what the element of a plugin is given of a task, as JSON."""
    return jsontext.dumps(
        {
            "task_type": task.task_type,
            "instruction": task.instruction,
            "params": task.params,
            "language": language,
        }
    )


def inside_response(issues: Sequence[Issue]) -> list[Issue]:
    """Return issues whose pointers lead into the response, as its form wants them."""
    return [Issue(issue.pointer.removeprefix("/response"), issue.message, issue.code) for issue in issues]


def exhibits_of(task_type: TaskType, params: Mapping[str, Any], language: Language) -> Iterator[Exhibit]:
    """Yield what a task shows: what ``ui.show`` points at, else every param.

    How a value is shown is said by a member beside it (``attachment_type``
    beside ``attachment``, ``type`` beside ``url`` or ``text``), or by
    ``x-media`` in the schema of its property, or by what it is.
    """
    pointers = task_type.ui.get("show") or [f"/{name}" for name in params]
    for pointer in pointers:
        around, name, value = _at(params, pointer)
        if value is not forms.ABSENT:
            schema = _schema_at(task_type.params_schema, pointer)
            label = f"{_letter(pointer)}{schema.get(f'x-title-{language}') or schema.get('title') or name}"
            yield Exhibit(kind=_kind(around, name, value, schema), value=value, label=label, pointer=pointer)


def _letter(pointer: str) -> str:
    """Return what tells the items of an array apart: A, B and so on; nothing outside of arrays."""
    positions = [int(token) for token in pointer.split("/") if token.isdigit()]
    return f"{chr(ord('A') + positions[-1])} – " if positions and positions[-1] < _LETTERS else ""


def _at(params: Any, pointer: str) -> tuple[Any, str, Any]:
    """Return what is around a place, the place's name, and what is there."""
    around, name, value = params, "", params
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        around = value
        value = _member(around, name)
    return around, name, value


def _member(around: Any, name: str) -> Any:
    if isinstance(around, Mapping):
        return around.get(name, forms.ABSENT)
    if isinstance(around, list) and name.isdigit() and int(name) < len(around):
        return around[int(name)]
    return forms.ABSENT


def _schema_at(schema: Any, pointer: str) -> Mapping[str, Any]:
    for token in pointer.split("/")[1:]:
        if not isinstance(schema, Mapping):
            return {}
        name = token.replace("~1", "/").replace("~0", "~")
        schema = schema.get("properties", {}).get(name, schema.get("items"))
    return schema if isinstance(schema, Mapping) else {}


def _kind(around: Any, name: str, value: Any, schema: Mapping[str, Any]) -> Kind:
    if isinstance(value, list):
        return "list" if all(not isinstance(each, dict | list) for each in value) else "table"
    if isinstance(value, dict):
        return "table"
    if not isinstance(value, str):
        return "text"
    named = around if isinstance(around, Mapping) else {}
    stated = schema.get("x-media") or named.get(f"{name}_type") or named.get("type")
    if stated in _MEDIA:
        kind: Kind = stated
        return kind
    return "link" if schema.get("format") == "uri" or value.startswith(("http://", "https://")) else "text"
