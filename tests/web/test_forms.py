"""Forms from JSON Schema: what a browser sends back is the value the form was made from."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader
from jsonschema import Draft202012Validator

from workersai_core.errors import Issue
from workersai_server.web import forms

ENVIRONMENT = Environment(loader=PackageLoader("workersai_server.web"), autoescape=True, extensions=["jinja2.ext.i18n"])
ENVIRONMENT.install_null_translations(newstyle=True)
PAGE = ENVIRONMENT.from_string(
    '{% import "forms/field.html" as fields with context %}{{ fields.summary(form) }}{{ fields.render(form) }}'
)


class Browser(HTMLParser):
    """Collects what a browser would send for a form, by HTML's rules."""

    def __init__(self, html):
        super().__init__()
        self.sent = {}
        self.ids = []
        self.links = []
        self.buttons = []
        self._area = None
        self._select = None
        self.feed(html)

    def put(self, name, value):
        self.sent.setdefault(name, []).append(value)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        elif tag == "button":
            self.buttons.append((given["name"], given["value"]))
        elif tag == "input":
            if given["type"] not in ("checkbox", "radio") or "checked" in given:
                self.put(given["name"], given["value"].replace("\n", "").replace("\r", ""))
        elif tag == "textarea":
            self._area = (given["name"], "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and "selected" in given and "disabled" not in given:
            self.put(self._select, given["value"])

    def handle_data(self, data):
        if self._area is not None:
            self._area = (self._area[0], self._area[1] + data)

    def handle_endtag(self, tag):
        if tag == "textarea":
            name, text = self._area
            text = text.removeprefix("\n").replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
            self.put(name, text)
            self._area = None


def page(schema, value=forms.ABSENT, issues=(), **options):
    return Browser(PAGE.render(form=forms.build(schema, value, issues, **options)))


def returned(schema, value):
    return forms.decode(schema, page(schema, value).sent)


def closed(properties, required=()):
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": list(required),
    }


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5) | st.sampled_from(
    ["", "\n", "\r\n", "\r", "a\n b", " x ", "\"<&>'", "가나다", "null", "\u2028", "\x0c"]
)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXT
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=6
)
ENUMS = st.lists(LEAVES, min_size=1, max_size=4)


@st.composite
def objects(draw, inner):
    properties = draw(st.dictionaries(TEXT, inner, min_size=1, max_size=3))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True))
    return closed(properties, required)


PLAIN = st.one_of(
    st.just({}),
    st.just(True),
    st.just({"type": "object"}),
    st.sampled_from([{"type": "string"}, {"type": "string", "maxLength": 9}, {"type": "string", "minLength": 1}]),
    st.sampled_from([{"type": name} for name in ("integer", "number", "boolean", "null")]),
    st.sampled_from([{"type": [name, "null"]} for name in ("integer", "string", "boolean", "object", "array")]),
    ENUMS.map(lambda values: {"enum": values}),
    ENUMS.map(lambda values: {"oneOf": [{"const": value, "title": "t"} for value in values]}),
    ENUMS.map(lambda values: {"type": "array", "uniqueItems": True, "items": {"enum": values}}),
    st.just({"$ref": "#/$defs/node"}),
)
SCHEMAS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        objects(inner),
        inner.map(lambda items: {"type": "array", "items": items, "maxItems": 3}),
        inner.map(lambda items: {"type": ["array", "null"], "items": items, "minItems": 1}),
    ),
    max_leaves=5,
).map(
    lambda schema: (
        {**schema, "$defs": {"node": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}
        if isinstance(schema, dict)
        else schema
    )
)


@st.composite
def values_of(draw, schema):
    """Mostly a value of the schema, sometimes anything."""
    if not isinstance(schema, dict) or draw(st.integers(0, 9)) == 0:
        return draw(JSON)
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    if "oneOf" in schema:
        return draw(st.sampled_from([branch["const"] for branch in schema["oneOf"]]))
    kind = schema.get("type")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    if kind == "object":
        names = [n for n in schema.get("properties", {}) if n in schema["required"] or draw(st.booleans())]
        return {name: draw(values_of(schema["properties"][name])) for name in names}
    if kind == "array":
        items = schema.get("items", True)
        if schema.get("uniqueItems"):
            return [value for value in items["enum"] if draw(st.booleans())]
        return [draw(values_of(items)) for _ in range(draw(st.integers(0, 3)))]
    return draw({"string": TEXT, "number": NUMBERS, "boolean": st.booleans()}.get(kind, JSON))


@given(st.data())
def test_what_a_browser_sends_is_the_value_the_form_was_made_from(data):
    schema = data.draw(SCHEMAS)
    value = data.draw(values_of(schema))
    assume(Draft202012Validator(schema).is_valid(value))
    decoded = returned(schema, value)
    assert repr(value) == repr(decoded.value)
    assert [] == list(decoded.issues)
    assert not decoded.edited


@given(st.data())
def test_every_schema_renders_empty_and_every_field_has_its_own_id(data):
    schema = data.draw(SCHEMAS)
    browser = page(schema)
    assert len(browser.ids) == len(set(browser.ids))
    forms.decode(schema, browser.sent)


@given(st.data())
def test_every_issue_is_shown_at_a_field_that_exists(data):
    schema = data.draw(SCHEMAS)
    value = data.draw(values_of(schema))
    pointers = data.draw(st.lists(st.sampled_from(["", "/a", "/a/0", "/0/b", "/nowhere"]), min_size=1, max_size=4))
    browser = page(schema, value, [Issue(pointer, "Wrong.") for pointer in pointers])
    assert len(pointers) == len(browser.links)
    assert {link.removeprefix("#") for link in browser.links} <= set(browser.ids)


@given(st.data())
def test_nothing_a_client_sends_breaks_the_decoder(data):
    schema = data.draw(SCHEMAS)
    names = st.sampled_from(["response", "response#", "response=", "response~", "response/a", "response/0", "add"])
    sent = data.draw(st.dictionaries(names, st.lists(TEXT, min_size=1, max_size=2)))
    forms.decode(schema, sent)


SEGMENTS = closed(
    {
        "notes": {"type": "string", "title": "Notes", "x-title-ko": "메모", "minLength": 1},
        "segments": {"type": "array", "items": closed({"start": {"type": "number"}}, ["start"]), "maxItems": 2},
    },
    ["segments"],
)


def press(schema, value, name, pointer):
    sent = page(schema, value).sent
    assert (name, pointer) in page(schema, value).buttons
    return forms.decode(schema, {**sent, name: [pointer]})


def test_an_item_can_be_added_and_removed_without_javascript():
    added = press(SEGMENTS, {"segments": [{"start": 1}]}, "add", "/segments")
    assert {"segments": [{"start": 1}, forms.ABSENT]} == added.shown
    assert added.edited
    removed = press(SEGMENTS, {"segments": [{"start": 1}, {"start": 2}]}, "remove", "/segments/0")
    assert {"segments": [{"start": 2}]} == removed.value


def test_no_item_can_be_added_beyond_the_most_or_removed_below_the_least():
    assert ("add", "/segments") not in page(SEGMENTS, {"segments": [{"start": 1}, {"start": 2}]}).buttons
    few = {"type": "array", "items": {"type": "integer"}, "minItems": 1}
    assert [("add", "")] == page(few, [1]).buttons


@pytest.mark.parametrize("inner", [closed({"x": {"type": "integer"}}), {"type": "array", "items": {}}])
def test_an_optional_part_can_be_added_and_removed(inner):
    schema = closed({"part": inner})
    added = press(schema, {}, "add", "/part").shown
    assert {"part": [forms.ABSENT] if inner["type"] == "array" else {}} == added
    assert {} == press(schema, added, "remove", "/part").value


def test_what_was_typed_is_kept_when_it_is_no_number():
    schema = closed({"age": {"type": "integer"}}, ["age"])
    decoded = forms.decode(schema, {"response/age": ["forty"]})
    assert {"age": "forty"} == decoded.value
    assert {"response/age": ["forty"]} == {n: v for n, v in page(schema, decoded.value).sent.items() if "#" not in n}


def test_a_box_that_holds_no_json_is_an_issue_at_its_place_and_keeps_the_text():
    schema = closed({"data": {}}, ["data"])
    decoded = forms.decode(schema, {"response/data=": ['{"a": ']})
    assert ["/data"] == [issue.pointer for issue in decoded.issues]
    assert {"data": '{"a": '} == decoded.value


def test_a_list_that_lets_other_spellings_pass_is_a_choice():
    one = {"type": "string", "if": {"pattern": "x"}, "else": {"enum": ["가", "나"]}}
    assert ["가", "나"] == [choice.value for choice in forms.build(closed({"a": one}, ["a"])).children[0].choices]
    several = {"type": "array", "uniqueItems": True, "minItems": 1, "items": one}
    assert {"a": ["나"]} == returned(closed({"a": several}, ["a"]), {"a": ["나"]}).value
    assert "json" == forms.build({**one, "then": {}}).kind


def test_a_reference_that_leads_nowhere_or_in_a_circle_ends_in_a_box():
    for reference in ("#/$defs/nowhere", "#/$defs/circle"):
        schema = {"$ref": reference, "$defs": {"circle": {"$ref": "#/$defs/circle"}}}
        assert "json" == forms.build(schema).kind


def test_labels_are_in_the_language_of_the_reader():
    labels = {
        language: [c.label for c in forms.build(SEGMENTS, language=language).children] for language in ("en", "ko")
    }
    assert {"en": ["Notes", "segments"], "ko": ["메모", "segments"]} == labels


def test_choices_that_bind_only_some_texts_are_offered_like_any_others():
    schema = {"type": "string", "if": {"pattern": "b"}, "else": {"enum": ["a", "c"]}}
    assert ["a", "c"] == [choice.value for choice in forms.build(schema, "c").choices]
    assert "c" == returned(schema, "c").value
    assert "b" == returned(schema, "b").value  # not offered, so it is shown in a JSON box
    several = {"type": "array", "items": schema, "uniqueItems": True}
    assert "choices" == forms.build(several, ["a"]).kind
    with_then = {**schema, "then": {"maxLength": 1}}
    assert "json" == forms.build(with_then, "a").kind
