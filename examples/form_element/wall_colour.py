"""The task type `wall_colour`, whose form is a custom element in `wall_colour.js` beside this file."""

from __future__ import annotations

from workersai_core.api import TaskType, hookimpl


class WallColour(TaskType):
    """Say which colour a wall has."""

    name = "wall_colour"
    summary = "Pick the colour of a wall."
    params_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["room"],
        "properties": {"room": {"type": "string", "description": "Which room.", "minLength": 1, "maxLength": 200}},
    }
    response_schema = {
        "type": "object",
        "additionalProperties": False,
        "required": ["colour"],
        "properties": {
            "colour": {
                "type": "string",
                "description": "As in CSS: #rrggbb.",
                "pattern": "^#[0-9a-f]{6}$",
                "maxLength": 7,
            }
        },
    }
    examples = [({"room": "kitchen"}, {"colour": "#f5f6f8"})]
    ui = {"element": {"name": "wall-colour", "module": "wall_colour.js"}}


@hookimpl
def register_task_types():
    return [WallColour()]
