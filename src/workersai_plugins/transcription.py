"""The task type `transcription`: write down what stands in a document, field by field.

Unlike the values of `data_collection`, these are copied: letters, case and
punctuation count, and only Unicode form and white space do not.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rapidfuzz.distance import Indel

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, languages, weighing
from workersai_plugins.choices import shown
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Transcription", "register_task_types"]

_KINDS = ("image", "pdf")
_MAX_FIELDS = 100
_MAX_VALUE = 20_000


class Transcription(TaskType):
    """Copy fields from a document. What cannot be read or is not there is left out."""

    name = "transcription"
    summary = "Write down what stands in a document, field by field."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachment_type", "attachment", "fields"],
        "properties": {
            "attachment_type": {
                "type": "string",
                "description": "What the document is.",
                "x-description-ko": "문서의 종류",
                "enum": list(_KINDS),
            },
            "attachment": {
                "title": "Document",
                "x-title-ko": "문서",
                "type": "string",
                "description": "The http or https URL of the document.",
                "x-description-ko": "문서의 http 또는 https URL",
                "minLength": 1,
                "maxLength": attachments.MAX_URL,
            },
            "language": {
                "title": "Language",
                "x-title-ko": "언어",
                "type": "string",
                "description": "The language of the document, as a BCP 47 tag such as en or ko-KR.",
                "x-description-ko": "문서의 언어. en이나 ko-KR 같은 BCP 47 태그로 적습니다.",
                "minLength": 2,
                "maxLength": 100,
            },
            "fields": {
                "type": "array",
                "description": "What to write down; no two names may be the same in Unicode NFC.",
                "x-description-ko": "옮겨 적을 항목. 이름은 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 1,
                "maxItems": _MAX_FIELDS,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["name"],
                    "properties": {
                        "name": {
                            "type": "string",
                            "description": "Under which name the text comes back.",
                            "x-description-ko": "응답에서 글을 담을 이름",
                            "minLength": 1,
                            "maxLength": 64,
                        },
                        "description": {
                            "type": "string",
                            "description": "What the worker should look for.",
                            "x-description-ko": "작업자가 무엇을 찾아야 하는지",
                            "minLength": 1,
                            "maxLength": 1000,
                        },
                        "required": {
                            "type": "boolean",
                            "description": "Whether it must be there.",
                            "x-description-ko": "꼭 있어야 하는지",
                            "default": False,
                        },
                    },
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["fields"],
        "properties": {
            "fields": {
                "title": "Fields",
                "x-title-ko": "항목",
                "description": "What stands there, by the names of the fields; what cannot be read is left out.",
                "x-description-ko": "문서에 적힌 그대로 옮깁니다. 없거나 읽을 수 없으면 비워 둡니다.",
                "type": "object",
                "maxProperties": _MAX_FIELDS,
                "propertyNames": {"minLength": 1, "maxLength": 64},
                "additionalProperties": {"type": "string", "minLength": 1, "maxLength": _MAX_VALUE},
            }
        },
    }
    examples = (
        (
            {
                "attachment_type": "image",
                "attachment": "https://example.com/receipts/7.jpg",
                "fields": [
                    {"name": "shop", "required": True},
                    {"name": "total", "description": "With the currency.", "required": True},
                    {"name": "time"},
                ],
            },
            {"fields": {"shop": "Café Flora", "total": "€ 12.50"}},
        ),
        (
            {
                "attachment_type": "pdf",
                "attachment": "https://example.com/계약/3.pdf",
                "language": "ko",
                "fields": [{"name": "계약일"}, {"name": "갑", "description": "첫째 당사자의 이름"}],
            },
            {"fields": {"계약일": "2030년 1월 31일", "갑": "김민지"}},
        ),
    )
    ui: ClassVar[JsonObject] = {"show": ["/attachment", "/language"]}

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's fields."""
        wide = self.response_schema["properties"]["fields"]
        value = wide["additionalProperties"]
        fields = {
            **{text: wide[text] for text in ("title", "x-title-ko", "description", "x-description-ko")},
            "type": "object",
            "additionalProperties": False,
            "required": [field["name"] for field in params["fields"] if field.get("required", False)],
            "properties": {
                field["name"]: {
                    "title": field["name"],
                    "description": field.get("description", field["name"]),
                    **value,
                }
                for field in params["fields"]
            },
        }
        return {**self.response_schema, "properties": {"fields": fields}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong URL, a malformed language tag, and repeated names."""
        yield from attachments.url_issues(params["attachment"])
        language = params.get("language")
        if language is not None and not languages.is_well_formed(language):
            text = f"A language is a BCP 47 tag such as en, ko-KR or zh-Hant; this is {shown(language)}."
            yield Issue("/language", text, "invalid_language")
        for issue in choices.issues([field["name"] for field in params["fields"]], "fields"):
            yield Issue(f"{issue.pointer}/name", issue.message, issue.code)

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield texts of nothing but white space."""
        for name, text in response["fields"].items():
            if not text.strip():
                yield Issue(pointer("fields", name), "This is only white space; leave it out.", "blank")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Make up a text for each required field and for most others."""
        return {
            "fields": {
                field["name"]: f"sample {rng.randint(1, 99)}"
                for field in params["fields"]
                if field.get("required", False) or rng.random() < 0.75
            }
        }

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the texts in NFC with single spaces."""
        return {name: _form(text) for name, text in response["fields"].items()}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the mean agreement over all fields: twice the common letters in order by all letters.

        Where only one side has a text there is none.
        """
        return weighing.mean([_likeness(a["fields"].get(name), b["fields"].get(name)) for name in _names(params)])

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the text of each field that more than half of the weight wrote, or else the most typical one.

        A field that more than half leave out is left out. The confidence is
        the mean agreement of the answers with the verdict.
        """
        everybody = [answer.weight for answer in answers]
        fields: dict[str, str] = {}
        for name in _names(params):
            written = [
                (answer.response["fields"][name], answer.weight)
                for answer in answers
                if name in answer.response["fields"]
            ]
            missing = [answer.weight for answer in answers if name not in answer.response["fields"]]
            if written and not weighing.is_majority(missing, everybody):
                fields[name] = _combined(written)
        response = {"fields": fields}
        alike = [(self.agreement(params, response, answer.response), answer.weight) for answer in answers]
        return Verdict(response=response, confidence=weighing.average(alike))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import text_strategies

        return text_strategies.transcription_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import text_strategies

        return text_strategies.transcription_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Transcription()]


def _names(params: JsonObject) -> list[str]:
    return [field["name"] for field in params["fields"]]


def _form(text: str) -> str:
    return choices.nfc(" ".join(text.split()))


def _likeness(a: str | None, b: str | None) -> float:
    if a is None or b is None:
        return 1.0 if a is b else 0.0
    return Indel.normalized_similarity(_form(a), _form(b))


def _combined(written: Sequence[tuple[str, float]]) -> str:
    """Return the text that stands for several: the one most wrote, when they are a majority, else the most typical."""
    form, share = weighing.plurality((_form(text), weight) for text, weight in written)
    if share > 0.5:
        spelled = [(text, weight) for text, weight in written if _form(text) == form]
        # Of equally usual spellings the tidy one: the smaller text wins, and "0" is smaller than "1".
        return weighing.plurality((f"{text != form:d}{text}", weight) for text, weight in spelled)[0][1:]
    ranked = sorted(written, key=lambda each: (-each[1], each[0]))
    return ranked[weighing.typical(ranked, _likeness)[0]][0]
