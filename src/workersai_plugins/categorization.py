"""The task type `categorization`: put what is shown into one of the categories, or into several."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, weighing
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Categorization", "register_task_types"]

_HOTKEYS = list("1234567890abcdefghijklmnopqrstuvwxyz")
"""For the categories in their order."""
_MOST_MOCKED = 3


class Categorization(TaskType):
    """Choose among categories.

    Categories and their ids are compared in Unicode NFC; a verdict spells them
    as the requester did. With ids every category has exactly one.
    """

    name = "categorization"
    summary = "Put a text, an image or another attachment into categories."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachment_type", "attachment", "categories"],
        "properties": {
            **attachments.properties("What is to be categorized", "분류할 것"),
            "categories": {
                "type": "array",
                "description": "What to choose from; no two may be the same in Unicode NFC.",
                "x-description-ko": "고를 수 있는 범주. 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 2,
                "maxItems": 500,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One category.",
                    "x-description-ko": "범주 하나",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
            "allow_multiple": {
                "type": "boolean",
                "description": "Whether several categories may be chosen.",
                "x-description-ko": "범주를 여러 개 고를 수 있는지",
                "default": False,
            },
            "category_ids": {
                "type": "object",
                "description": "Your own id of each category, as {id: category}; the response then carries it too.",
                "x-description-ko": "범주마다 직접 정한 ID. {ID: 범주} 형태로 적으며, 응답에도 함께 담깁니다.",
                "minProperties": 2,
                "maxProperties": 500,
                "propertyNames": {"minLength": 1, "maxLength": 200},
                "additionalProperties": {
                    "type": "string",
                    "description": "One of the categories.",
                    "x-description-ko": "범주 중 하나",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["category"],
        "properties": {
            "category": {
                "title": "Category",
                "x-title-ko": "범주",
                "description": "The category; with allow_multiple an array of one or more.",
                "x-description-ko": "고른 범주. allow_multiple이면 하나 이상의 배열입니다.",
                "type": ["string", "array"],
                "items": {"type": "string"},
                "minItems": 1,
                "uniqueItems": True,
            },
            "category_id": {
                "title": "Category id",
                "x-title-ko": "범주 ID",
                "description": "The id of the category, or an array of ids, when category_ids were given.",
                "x-description-ko": "범주의 ID 또는 ID의 배열. category_ids를 주었을 때 있습니다.",
                "type": ["string", "array"],
                "items": {"type": "string"},
                "minItems": 1,
                "uniqueItems": True,
            },
        },
    }
    examples = (
        (
            {
                "attachment_type": "image",
                "attachment": "https://example.com/dogs/1.jpg",
                "categories": ["big", "small"],
            },
            {"category": "big"},
        ),
        (
            {
                "attachment_type": "text",
                "attachment": "배송이 정말 빨라요! 그런데 상자가 찢어져 있었어요.",
                "categories": ["칭찬", "불만", "질문"],
                "allow_multiple": True,
            },
            {"category": ["칭찬", "불만"]},
        ),
        (
            {
                "attachment_type": "website",
                "attachment": "https://example.com/가게/운동화",
                "categories": ["신발", "옷"],
                "category_ids": {"shoes": "신발", "clothes": "옷"},
            },
            {"category": "신발", "category_id": "shoes"},
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment"],
        "widgets": {"/category": "choices", "/category_id": "hidden"},
        "hotkeys": {"/category": _HOTKEYS},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's categories, and ids if it has them.

        An answer may leave the ids out, for they follow from the categories; a
        verdict has them.
        """
        values = {"category": params["categories"]}
        if "category_ids" in params:
            values["category_id"] = list(params["category_ids"])
        wide = self.response_schema["properties"]
        properties = {
            name: {**{text: wide[name][text] for text in ("title", "x-title-ko")}, **_choice(listed, params)}
            for name, listed in values.items()
        }
        return {**self.response_schema, "properties": properties}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong attachment, repeated categories, and ids that do not go with the categories one to one."""
        yield from attachments.attachment_issues(params["attachment_type"], params["attachment"])
        yield from choices.issues(params["categories"], "categories")
        if "category_ids" in params:
            yield from _id_issues(params["category_ids"], params["categories"])

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield categories and ids that are none, that come twice, or that do not go together."""
        found = list(choices.chosen_issues(response["category"], params["categories"], "category"))
        if "category_id" in response:
            found += choices.chosen_issues(response["category_id"], list(params["category_ids"]), "category_id")
            found = found or list(_disagreements(params, response))
        yield from found

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Choose by chance; with allow_multiple one to three."""
        categories = params["categories"]
        count = rng.randint(1, min(_MOST_MOCKED, len(categories))) if _several(params) else 1
        return _response(params, set(map(choices.nfc, rng.sample(categories, count))))

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the categories in NFC; several of them sorted. Ids say the same again and are left out."""
        forms = sorted(_chosen(response))
        return {"category": forms if _several(params) else forms[0]}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return 1.0 for the same category, else 0.0; of several, the share of all chosen that both chose (Jaccard)."""
        first, second = _chosen(a), _chosen(b)
        return len(first & second) / len(first | second)

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the category that most chose; of several, each that more than half chose.

        If none of several has a majority, the one with the most votes is
        taken. Ties go to the smallest category in NFC. The confidence is the
        share of the vote; of several, the mean share of those who agree with
        the verdict about a category, over all that anybody chose.
        """
        everybody = [answer.weight for answer in answers]
        votes: dict[str, list[float]] = {}
        for answer in answers:
            for category in _chosen(answer.response):
                votes.setdefault(category, []).append(answer.weight)
        shares = {category: weighing.share(weights, everybody) for category, weights in votes.items()}
        best = min(shares, key=lambda category: (-shares[category], category))
        if not _several(params):
            return Verdict(response=_response(params, {best}), confidence=shares[best])
        winners = {name for name, weights in votes.items() if weighing.is_majority(weights, everybody)} or {best}
        agreed = sorted(each if name in winners else 1 - each for name, each in shares.items())
        return Verdict(response=_response(params, winners), confidence=weighing.mean(agreed))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.categorization_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.categorization_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Categorization()]


def _several(params: JsonObject) -> bool:
    return bool(params.get("allow_multiple", False))


def _choice(values: Sequence[str], params: JsonObject) -> Mapping[str, Any]:
    one = choices.schema(values)
    if not _several(params):
        return {"description": "Choose one.", "x-description-ko": "하나를 고르세요.", **one}
    texts = {"description": "Choose all that fit.", "x-description-ko": "맞는 것을 모두 고르세요."}
    return {**texts, "type": "array", "items": one, "minItems": 1, "uniqueItems": True}


def _listed(chosen: Json) -> Sequence[str]:
    return [chosen] if isinstance(chosen, str) else chosen


def _chosen(response: Json) -> set[str]:
    """Return the categories of a response in NFC."""
    return {choices.nfc(category) for category in _listed(response["category"])}


def _response(params: JsonObject, chosen: set[str]) -> Json:
    """Return the response that names these categories, which are in NFC."""
    categories = [category for category in params["categories"] if choices.nfc(category) in chosen]
    response: dict[str, Any] = {"category": categories if _several(params) else categories[0]}
    if "category_ids" in params:
        by_category = {choices.nfc(category): name for name, category in params["category_ids"].items()}
        ids = [by_category[choices.nfc(category)] for category in categories]
        response["category_id"] = ids if _several(params) else ids[0]
    return response


# --- issues ------------------------------------------------------------------------------------------


def _id_issues(ids: Mapping[str, str], categories: Sequence[str]) -> Iterator[Issue]:
    spellings = choices.spellings(categories)
    by_category: dict[str, str] = {}
    names: set[str] = set()
    for name, category in ids.items():
        where = pointer("category_ids", name)
        form, first = choices.nfc(category), by_category.setdefault(choices.nfc(category), name)
        if not name.strip():
            yield Issue(where, "This id is only white space.", "blank")
        if choices.nfc(name) in names:
            yield Issue(where, "This id is the same as another one, in Unicode NFC.", "duplicate_item")
        if form not in spellings:
            yield choices.not_in_list(where, category, categories)
        elif first != name:
            text = f"{choices.shown(category)} has the id {choices.shown(first)} already; a category has one id."
            yield Issue(where, text, "duplicate_item")
        names.add(choices.nfc(name))
    for form, category in spellings.items():
        if form not in by_category:
            text = f"{choices.shown(category)} has no id; give an id to every category or to none."
            yield Issue("/category_ids", text, "missing_item")


def _disagreements(params: JsonObject, response: Json) -> Iterator[Issue]:
    """Yield which ids are of other categories, and which categories lack theirs."""
    wanted = _listed(_response(params, _chosen(response))["category_id"])
    given = {choices.nfc(name) for name in _listed(response["category_id"])}
    expected = {choices.nfc(name) for name in wanted}
    for position, name in enumerate(_listed(response["category_id"])):
        if choices.nfc(name) not in expected:
            where = pointer("category_id", position) if _several(params) else "/category_id"
            yield Issue(where, f"{choices.shown(name)} is the id of another category than the one chosen.", "differs")
    for name in wanted:
        if _several(params) and choices.nfc(name) not in given:
            text = f"The id {choices.shown(name)} of a chosen category is missing."
            yield Issue("/category_id", text, "missing_item")
