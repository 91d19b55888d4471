"""Forms from JSON Schema in a real browser: what it sends for a form is the value the form was made from."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from jinja2 import Environment, PackageLoader

from workersai_core import jsontext
from workersai_server.web import forms

ENVIRONMENT = Environment(loader=PackageLoader("workersai_server.web"), autoescape=True, extensions=["jinja2.ext.i18n"])
ENVIRONMENT.install_null_translations(newstyle=True)
PAGE = ENVIRONMENT.from_string(
    '{% import "forms/field.html" as fields with context %}<form>{{ fields.render(form) }}</form>'
)
SENT = "new URLSearchParams(new FormData(document.querySelector('form'))).toString()"
TEXTS = [
    "a",
    " x ",
    "두 줄\n\n끝",
    "\n",
    "\ttab",
    "\"'<&>`",
    "</textarea><b>",
    "&amp;",
    "\u2028",
    "👩\u200d💻",
    "null",
    "0",
]
NUMBERS = [0, -0.5, 1e300, 2**53 + 1, -(2**63)]
ADDRESS = {
    "type": "object",
    "additionalProperties": False,
    "required": ["city"],
    "properties": {"city": {"type": "string"}, "floor": {"type": "integer"}},
}


def closed(**properties):
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [name for name in properties if not name.startswith("maybe")],
    }


CORPUS = {
    "texts": [(closed(a={"type": "string"}), {"a": text}) for text in TEXTS],
    "short texts": [(closed(a={"type": "string", "maxLength": 20}), {"a": text}) for text in TEXTS],
    "numbers": [(closed(a={"type": "number"}, maybe={"type": "integer"}), {"a": number}) for number in NUMBERS],
    "booleans and none": [
        (closed(a={"type": "boolean"}, b={"type": ["string", "null"]}), {"a": a, "b": b})
        for a in (True, False)
        for b in (None, "x")
    ],
    "choices": [(closed(a={"enum": [*TEXTS, 1, True, None]}), {"a": each}) for each in [*TEXTS, 1, True, None]],
    "a long list": [(closed(a={"enum": [f"item {n}" for n in range(40)]}), {"a": "item 39"})],
    "titled constants": [
        (closed(a={"oneOf": [{"const": n, "title": f"<{n}>"} for n in (1, 2)]}), {"a": n}) for n in (1, 2)
    ],
    "several of a list": [
        (closed(a={"type": "array", "uniqueItems": True, "items": {"enum": ["x", "y", '"z"']}}), {"a": chosen})
        for chosen in ([], ["x"], ["x", '"z"'])
    ],
    "formats": [
        (closed(a={"type": "string", "format": name}), {"a": text})
        for name, text in [("date", "2026-02-30"), ("email", " x@y "), ("uri", "http://개.test/"), ("date-time", "?")]
    ],
    "arrays": [
        (closed(a={"type": "array", "items": {"type": "string"}}), {"a": given})
        for given in ([], ["x"], ["", "\n", "z"])
    ],
    "arrays of arrays": [(closed(a={"type": "array", "items": {"type": "array", "items": {}}}), {"a": [[], [1, {}]]})],
    "references": [
        ({**closed(a={"$ref": "#/$defs/at"}, maybe={"$ref": "#/$defs/at"}), "$defs": {"at": ADDRESS}}, value)
        for value in (
            {"a": {"city": "서울"}},
            {"a": {"city": ""}, "maybe": {"city": "x", "floor": 2}},
        )
    ],
    "names that are hard": [
        (closed(**{name: {"type": "string"} for name in ("a/b", "a~b", "", "a=", "#", "a b", "ㄱ", "constructor")}),
         {name: name + "!" for name in ("a/b", "a~b", "", "a=", "#", "a b", "ㄱ", "constructor")}),
    ],
    "what has no field of its own": [
        (schema, value)
        for schema in ({}, True, {"anyOf": [{"type": "string"}, {"type": "array"}]}, {"type": "object"})
        for value in ("x", [1, {"b": None}], {"a": [True]}, 0.1, "a\r\nb")
    ],
    "values that do not fit": [(closed(a={"type": "integer"}), value) for value in ({"a": "x"}, {"b": 1}, [], "text")],
}  # fmt: skip


@pytest.fixture(scope="module")
def paper(chrome):
    context = chrome.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("cases", CORPUS.values(), ids=CORPUS)
def test_what_a_browser_sends_is_the_value_the_form_was_made_from(paper, cases):
    for schema, value in cases:
        paper.set_content(PAGE.render(form=forms.build(schema, value)))
        sent = parse_qs(paper.evaluate(SENT), keep_blank_values=True, strict_parsing=False)
        decoded = forms.decode(schema, sent)
        assert ([], jsontext.dumps(value)) == (list(decoded.issues), jsontext.dumps(decoded.value)), (schema, sent)
