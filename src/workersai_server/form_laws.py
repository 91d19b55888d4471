"""What the worker's form owes every task type, as a law of the conformance kit.

It is found by the entry point ``workersai.laws`` wherever the server is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from html.parser import HTMLParser

from jinja2 import Environment, PackageLoader, Template

from workersai_core import plurality
from workersai_core.api import Json
from workersai_core.jsontext import dumps, shorten
from workersai_core.testing.conformance import Case, Law, drawn_law
from workersai_server.web import forms

__all__ = ["LAWS"]

_SOURCE = '{% import "forms/field.html" as fields with context %}{{ fields.render(form) }}'
_SHOWN = 300


@drawn_law(remedy="Hide only what follows from the rest of the answer; show every other member.")
def form_gives_the_answer_back(case: Case) -> None:
    """The form made from the narrowed response schema sends back the answer that it shows.

    It works for every valid answer, without JavaScript. What a widget hides may
    be missing afterwards, as long as the answer still counts the same.
    """
    params = case.params()
    response = case.response(params)
    schema = case.subject.narrowed(params).schema
    decoded = forms.decode(schema, _sent(schema, response, case.task_type.ui))
    case.require(not decoded.issues, f"the form cannot be read back: {decoded.issues}")
    if plurality.key(decoded.value) == plurality.key(response):
        return
    text = f"the form gave back {shorten(dumps(decoded.value), _SHOWN)}"
    case.require("hidden" in case.task_type.ui.get("widgets", {}).values(), text)
    issues = case.subject.response_issues(params, decoded.value)
    case.require(not issues, f"{text}, which is refused: {'; '.join(map(str, issues))}")
    shown, sent = (case.call("normalize", params, each) for each in (response, decoded.value))
    case.require(plurality.key(shown) == plurality.key(sent), f"{text}, which counts as another answer")


LAWS: Sequence[Law] = (form_gives_the_answer_back,)
"""Named by the entry point."""


def _sent(schema: Json, response: Json, ui: Mapping[str, Json]) -> Mapping[str, Sequence[str]]:
    browser = _Browser()
    browser.feed(_page().render(form=forms.build(schema, response, ui=ui)))
    return browser.sent


@lru_cache(maxsize=1)
def _page() -> Template:
    environment = Environment(
        loader=PackageLoader("workersai_server.web"), autoescape=True, extensions=["jinja2.ext.i18n"]
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    return environment.from_string(_SOURCE)


class _Browser(HTMLParser):
    """Collects what a browser without JavaScript sends for a form, by the rules of HTML (section 4.10.21)."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, list[str]] = {}
        self._area: str | None = None
        self._text = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the value of a control."""
        given = {name: value or "" for name, value in attrs}
        if tag == "input" and "name" in given and _counts(given):
            self._put(given["name"], given.get("value", "on").replace("\n", "").replace("\r", ""))
        elif tag == "textarea":
            self._area, self._text = given["name"], ""
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given and "disabled" not in given:
            self._put(self._select, given["value"])

    def handle_data(self, data: str) -> None:
        """Collect what stands in a text area."""
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        """Take the text of a text area, its lines ended as HTTP sends them."""
        if tag == "textarea" and self._area is not None:
            lines = self._text.removeprefix("\n").replace("\r\n", "\n").replace("\r", "\n")
            self._put(self._area, lines.replace("\n", "\r\n"))
            self._area = None

    def _put(self, name: str, value: str) -> None:
        self.sent.setdefault(name, []).append(value)


def _counts(given: Mapping[str, str]) -> bool:
    if "disabled" in given or given.get("type") in ("button", "submit", "reset"):
        return False
    return given.get("type") not in ("checkbox", "radio") or "checked" in given
