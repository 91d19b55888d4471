"""Creating with a form: bracketed names as HTTParty writes them, or params as one text of JSON."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from support.api import FORM, pointers, problem


def post(api, fields, key: str | None = ""):
    return api.post("/v1/tasks", urlencode(fields), headers={"Content-Type": FORM}, key=key)


def created(api, fields, key: str = ""):
    answer = post(api, fields, key)
    assert answer.status_code == 201, answer.text
    return answer.json


CATEGORIES = [
    ("params[attachment_type]", "image"),
    ("params[attachment]", "http://www.dogsarebig.com/dog1.jpg"),
    ("params[categories][]", "큰 개"),
    ("params[categories][]", "small"),
]


def test_the_documented_form_creates_the_same_task_as_json(shared_api):
    task = created(shared_api, [("instruction", "Is this dog big or small?"), *CATEGORIES, ("metadata[id]", "7")])

    assert task["params"] == {
        "attachment_type": "image",
        "attachment": "http://www.dogsarebig.com/dog1.jpg",
        "categories": ["큰 개", "small"],
    }
    assert (task["task_type"], task["metadata"]) == ("categorization", {"id": "7"})


def test_texts_become_what_the_schema_of_the_type_wants(shared_api):
    assert created(shared_api, [*CATEGORIES, ("params[allow_multiple]", "true")])["params"]["allow_multiple"] is True
    task = created(
        shared_api,
        [
            ("task_type", "audiotranscription"),
            ("params[attachment]", "https://example.com/a.wav"),
            ("params[max_duration]", "12"),
            ("params[verbatim]", "false"),
        ],
    )
    assert task["params"]["max_duration"] == 12
    assert task["params"]["verbatim"] is False


def test_what_cannot_be_converted_is_explained(shared_api):
    document = problem(post(shared_api, [*CATEGORIES, ("params[allow_multiple]", "yes")]), 422, "validation_failed")

    assert pointers(document) == ["#/params/allow_multiple"]


def test_numbers_and_tags_at_the_top_are_converted_too(shared_api):
    fields = [*CATEGORIES, ("overlap", "3"), ("priority", "0"), ("tags[]", "1"), ("tags[]", "b")]
    task = created(shared_api, fields)

    assert (task["overlap"], task["priority"], task["tags"]) == (3, 0, ["1", "b"])
    assert pointers(problem(post(shared_api, [*CATEGORIES, ("overlap", "many")]), 422, "validation_failed")) == [
        "#/overlap"
    ]


def test_params_may_be_one_text_of_json_whose_types_count(shared_api):
    fields = {"task_type": "pick", "params": '{"options": ["a", "b"]}', "metadata": '{"n": 1}'}
    task = created(shared_api, fields)

    assert (task["params"], task["metadata"]) == ({"options": ["a", "b"]}, {"n": 1})
    wrong = {**fields, "task_type": "categorization", "params": '{"allow_multiple": "true"}'}
    assert "#/params/allow_multiple" in pointers(problem(post(shared_api, wrong), 422, "validation_failed"))


@pytest.mark.parametrize(
    ("params", "status", "code", "wrong"),
    [
        ("{", 400, "invalid_json", []),
        ('{"a": NaN}', 400, "invalid_json", ["#/params/a"]),
        ('{"a": 1, "a": 2}', 400, "invalid_json", ["#/params"]),
        ("[]", 422, "validation_failed", ["#/params"]),
        ("", 422, "validation_failed", ["#/params"]),
    ],
)
def test_params_that_are_no_object_are_refused(shared_api, params, status, code, wrong):
    assert pointers(problem(post(shared_api, {"task_type": "pick", "params": params}), status, code)) == wrong


def test_the_mock_is_steered_by_a_form_under_a_test_key_only(api):
    fields = [*CATEGORIES, ("metadata[mock][delay_s]", "2"), ("metadata[mock][response][category]", "small")]

    assert created(api, fields, api.test)["metadata"] == {"mock": {"delay_s": 2, "response": {"category": "small"}}}
    assert created(api, fields, api.live)["metadata"] == {"mock": {"delay_s": "2", "response": {"category": "small"}}}


@pytest.mark.parametrize(
    "fields",
    [
        [("params[categories][][]", "x")],
        [("params[", "x")],
        [("instruction", "x"), ("instruction", "y")],
        [("params", "x"), ("params[a]", "y")],
        [("instruction", "a\x00b")],
    ],
)
def test_a_form_that_means_nothing_is_a_400(shared_api, fields):
    problem(post(shared_api, fields), 400, "invalid_body")


def test_a_form_that_is_not_utf_8_is_a_400(shared_api):
    answer = shared_api.post("/v1/tasks", "instruction=%FF", headers={"Content-Type": FORM})

    problem(answer, 400, "invalid_body")


def test_an_unknown_field_of_a_form_is_named(shared_api):
    document = problem(post(shared_api, [*CATEGORIES, ("colour", "red")]), 422, "validation_failed")

    assert pointers(document) == ["#/colour"]


def test_an_unknown_type_in_a_form_is_named(shared_api):
    problem(post(shared_api, [*CATEGORIES, ("task_type", "nothing")]), 422, "unknown_task_type")


def test_the_key_may_be_a_field_of_the_form(shared_api):
    task = post(shared_api, [("api_key", shared_api.test), *CATEGORIES], key=None)

    assert (task.status_code, task.json["is_test"]) == (201, True)
