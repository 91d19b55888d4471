"""The task type `transcription`."""

from __future__ import annotations

import random
import unicodedata

import pytest

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.transcription import Transcription
from workersai_server.web import forms

conformance.add_tests(globals(), Transcription())

TYPE = Checked(Transcription())
RECEIPT = {
    "attachment_type": "pdf",
    "attachment": "https://example.com/1.pdf",
    "fields": [{"name": "shop", "required": True}, {"name": "total", "description": "With the currency."}],
}


def fields(**texts):
    return {"fields": texts}


def said(*texts, weights=None):
    """Return the verdict about the total, where None left it out."""
    answers = [fields(shop="A") if text is None else fields(shop="A", total=text) for text in texts]
    return TYPE.verdict(RECEIPT, *answers, weights=weights)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (RECEIPT, []),
        ({**RECEIPT, "language": "ko-KR"}, []),
        ({**RECEIPT, "language": "no_tag"}, [("/language", "invalid_language")]),
        ({**RECEIPT, "attachment_type": "audio"}, [("/attachment_type", "not_in_list")]),
        ({**RECEIPT, "attachment": "1.pdf"}, [("/attachment", "invalid_url")]),
        ({**RECEIPT, "fields": []}, [("/fields", "too_few_items")]),
        ({**RECEIPT, "fields": [{"name": "é"}, {"name": "e\u0301"}]}, [("/fields/1/name", "duplicate_item")]),
        ({**RECEIPT, "fields": [{"name": " "}]}, [("/fields/0/name", "blank")]),
        ({**RECEIPT, "fields": [{"name": "a", "type": "date"}]}, [("/fields/0/type", "unknown_field")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (fields(shop="A", total="€ 5"), []),
        (fields(shop="A"), []),
        (fields(total="€ 5"), [("/fields/shop", "required")]),
        (fields(shop=""), [("/fields/shop", "too_short")]),
        (fields(shop=" \n"), [("/fields/shop", "blank")]),
        (fields(shop="A", tax="1"), [("/fields/tax", "unknown_field")]),
        (fields(shop=5), [("/fields/shop", "wrong_type")]),
    ],
)
def test_each_wrong_field_of_a_response_is_named(response, expected):
    assert expected == TYPE.response(RECEIPT, response)


def test_the_form_has_a_text_field_for_each_field():
    (group,) = forms.build(TYPE.schema(RECEIPT)).children
    assert [("shop", True), ("total", False)] == [(each.label, each.required) for each in group.children]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["€ 5", "€ 5", "€ 6"], "€ 5"),
        (["€  5\n", "€ 5", "€ 5"], "€ 5"),
        (["Total", "total", "Total"], "Total"),
        ([unicodedata.normalize("NFD", "합계"), "합계", "합"], "합계"),
        # No majority: the one that is most like the others.
        (["Main Street 5", "Main Street 6", "Mein Strasse 5"], "Main Street 5"),
        (["€ 5", None, None], None),
        (["€ 5", "€ 5", None], "€ 5"),
        (["€ 5", None], "€ 5"),
    ],
)
def test_the_verdict_is_what_most_wrote_or_the_most_typical_text(texts, expected):
    assert expected == said(*texts).response["fields"].get("total")


def test_weights_count():
    assert "€ 6" == said("€ 5", "€ 5", "€ 6", weights=[1, 1, 3]).response["fields"]["total"]
    assert "total" not in said("€ 5", None, weights=[1, 2]).response["fields"]


def test_a_wrong_spelling_of_the_majority_does_not_come_back():
    assert "€ 5" == said("€   5", "€ 5", "€ 5").response["fields"]["total"]


def test_the_confidence_is_the_agreement_with_the_verdict():
    assert 1 == said("€ 5", "€  5").confidence
    assert pytest.approx((1 + 1 + (1 + 2 / 3) / 2) / 3) == said("€ 5", "€ 5", "€ 6").confidence


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (fields(shop="A"), fields(shop="A"), 1),
        (fields(shop="A"), fields(shop="A", total="1"), 0.5),
        (fields(shop="Shop"), fields(shop="shop"), (0.75 + 1) / 2),
        (fields(shop="A"), fields(shop="B"), 0.5),
    ],
)
def test_agreement_is_the_mean_over_the_fields(a, b, expected):
    assert expected == Transcription().agreement(RECEIPT, a, b)


def test_the_mock_fills_the_required_fields_and_most_others():
    mocks = [Transcription().mock_response(RECEIPT, random.Random(n))["fields"] for n in range(40)]
    assert all("shop" in mock for mock in mocks)
    assert {True, False} == {"total" in mock for mock in mocks}
