"""The task type `ranking`: put items into an order, the best first.

Several rankings become one by the rule of Kemeny (1959): the order that
contradicts the fewest preferences of one item over another. For up to 8 items
it is found exactly; longer rankings start from the order by mean position
(Borda) and exchange neighbours as long as a majority wants it ("local
Kemenization", Dwork et al. 2001).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, choices, weighing

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Ranking", "register_task_types"]

_MOST_EXACT = 8


class Ranking(TaskType):
    """Order all items. They are compared in Unicode NFC."""

    name = "ranking"
    summary = "Put items into an order, the best first."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["items"],
        "dependentRequired": {"attachment": ["attachment_type"], "attachment_type": ["attachment"]},
        "properties": {
            **attachments.properties("What the items are about", "항목이 무엇에 관한 것인지"),
            "items": {
                "title": "To be ordered",
                "x-title-ko": "순서를 정할 것",
                "type": "array",
                "description": "What to order; no two may be the same in Unicode NFC.",
                "x-description-ko": "순서를 정할 항목. 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 2,
                "maxItems": 50,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One item.",
                    "x-description-ko": "항목 하나",
                    "minLength": 1,
                    "maxLength": 2000,
                },
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["ranking"],
        "properties": {
            "ranking": {
                "title": "Ranking",
                "x-title-ko": "순위",
                "description": "All items, each once, the best first.",
                "x-description-ko": "모든 항목을 좋은 것부터 한 번씩",
                "type": "array",
                "minItems": 2,
                "maxItems": 50,
                "items": {"type": "string"},
            }
        },
    }
    examples = (
        (
            {"items": ["The parcel came early.", "Parcel early came.", "The parcel has come early."]},
            {"ranking": ["The parcel came early.", "The parcel has come early.", "Parcel early came."]},
        ),
        (
            {
                "attachment_type": "text",
                "attachment": "비 오는 날 서울에서 갈 만한 곳",
                "items": ["국립중앙박물관", "한강 공원"],
            },
            {"ranking": ["국립중앙박물관", "한강 공원"]},
        ),
    )
    ui: ClassVar[JsonObject] = {"show": ["/attachment", "/items"], "widgets": {"/ranking": "ranking"}}

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's items.

        It does not say that they differ, for a form would then make
        checkboxes of them, which have no order; `check_response` says so.
        """
        items = params["items"]
        limits = {"minItems": len(items), "maxItems": len(items), "items": choices.schema(items)}
        ranking = {**self.response_schema["properties"]["ranking"], **limits}
        return {**self.response_schema, "properties": {"ranking": ranking}}

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong attachment and repeated items."""
        if "attachment" in params:
            yield from attachments.attachment_issues(params["attachment_type"], params["attachment"])
        yield from choices.issues(params["items"], "items")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield what is no item, and items that come twice."""
        yield from choices.chosen_issues(response["ranking"], params["items"], "ranking")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Order the items by chance."""
        return {"ranking": rng.sample(params["items"], len(params["items"]))}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the items in NFC."""
        return {"ranking": [choices.nfc(item) for item in response["ranking"]]}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return Kendall's tau brought to 0 to 1: the share of pairs that both put into the same order."""
        return _agreement(_places(params, a), _places(params, b))

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the order that contradicts the fewest preferences; a tie goes to the requester's order.

        The confidence is the mean agreement of the answers with it.
        """
        ballots = [(_places(params, answer.response), answer.weight) for answer in answers]
        order = _consensus(ballots)
        places = [order.index(item) for item in range(len(order))]
        confidence = weighing.average((_agreement(places, ballot), weight) for ballot, weight in ballots)
        return Verdict(response={"ranking": [params["items"][item] for item in order]}, confidence=confidence)

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.ranking_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.ranking_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Ranking()]


Places = Sequence[int]
"""The place of each item, by the item's position in the params; 0 is the best."""


def _places(params: JsonObject, response: Json) -> Places:
    place = {choices.nfc(item): position for position, item in enumerate(response["ranking"])}
    return [place[choices.nfc(item)] for item in params["items"]]


def _agreement(a: Places, b: Places) -> float:
    pairs = list(combinations(range(len(a)), 2))
    return sum((a[i] < a[j]) == (b[i] < b[j]) for i, j in pairs) / len(pairs)


def _consensus(ballots: Sequence[tuple[Places, float]]) -> list[int]:
    """Return the items in the order that the ballots agree on best."""
    items = range(len(ballots[0][0]))
    wanted = [[math.fsum(weight for ballot, weight in ballots if ballot[i] < ballot[j]) for j in items] for i in items]
    if len(items) <= _MOST_EXACT:
        return _exact(wanted)
    scores = [math.fsum(ballot[item] * weight for ballot, weight in ballots) for item in items]
    return _improved(sorted(items, key=lambda item: (scores[item], item)), wanted)


def _exact(wanted: Sequence[Sequence[float]]) -> list[int]:
    """Return the best order of all.

    Args:
        wanted: By item and other item, the weight of those who put the first above the second.
    """
    count = len(wanted)
    everything = (1 << count) - 1
    costs = [0.0] * (everything + 1)
    following = [0] * (everything + 1)
    # By the set of items that are placed already: which one comes next, and what is then contradicted.
    for placed in reversed(range(everything)):
        left = [item for item in range(count) if not placed >> item & 1]
        options = [
            (math.fsum(wanted[other][item] for other in left if other != item) + costs[placed | 1 << item], item)
            for item in left
        ]
        costs[placed], following[placed] = min(options)
    order: list[int] = []
    placed = 0
    while placed != everything:
        order.append(following[placed])
        placed |= 1 << order[-1]
    return order


def _improved(order: Sequence[int], wanted: Sequence[Sequence[float]]) -> list[int]:
    """Return the order with each item moved up past those that a majority puts below it."""
    improved: list[int] = []
    for item in order:
        position = len(improved)
        while position and wanted[item][improved[position - 1]] > wanted[improved[position - 1]][item]:
            position -= 1
        improved.insert(position, item)
    return improved
