"""The messages that the pages use, found in their own source."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.extract import extract_from_dir

import workersai_core
import workersai_server.web
from workersai_core.lifecycle import CallbackState, TaskStatus
from workersai_server.openapi import OPERATIONS
from workersai_server.web.api_docs.reference import prose

FOLDER = Path(workersai_server.web.__file__).parent
_METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
_OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "text": None}


def used() -> set[str]:
    """Return every message that a page may show."""
    found = extract_from_dir(FOLDER, _METHODS, _OPTIONS, keywords=_KEYWORDS, strip_comment_tags=True)
    written = {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}
    states = {*TaskStatus, *CallbackState, "ok", "failed", "disabled", "paused"}
    return (
        written
        | set(map(str, states))
        | _events()
        | {operation.tag for operation in OPERATIONS}
        | {text for text in prose() if text}
    )


def _events() -> set[str]:
    """Return the names of the events that the engine records, as pages show them."""
    folder = Path(workersai_core.__file__).parent
    source = "".join(path.read_text() for name in ("commands", "callbacks") for path in (folder / name).glob("*.py"))
    named = re.findall(r'"((?:task|assignment|response|callback)_(?:[a-z]+ed))"', source)
    return {name.replace("_", " ") for name in named}
