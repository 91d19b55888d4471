"""The task type `keypoint`: mark named points of each object in an image, such as the joints of a person.

Visibility and the likeness of two objects are those of COCO (Lin 2014;
cocodataset.org, "Keypoint evaluation").
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import choices, regions, weighing
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Keypoint", "register_task_types"]

_MAX_OBJECTS = 50
_MAX_POINTS = 100
_ABSENT = 0
_USUAL_SIZE = 640
_SPREAD = 0.1
"""How far a mark of a point usually is from its place, by the size of the object.

COCO measured 0.025 for eyes to 0.107 for hips; one value has to do for points of every kind.
"""

_NAME = {"type": "string", "minLength": 1, "maxLength": 64}
_PARAMS = regions.params_schema(
    "keypoints",
    "점으로",
    {
        "keypoints": {
            "title": "Points",
            "x-title-ko": "점",
            "type": "array",
            "description": "The names of the points; no two may be the same in Unicode NFC.",
            "x-description-ko": "점의 이름. 유니코드 NFC 기준으로 모두 달라야 합니다.",
            "minItems": 1,
            "maxItems": _MAX_POINTS,
            "uniqueItems": True,
            "items": {**_NAME, "description": "One point.", "x-description-ko": "점 하나"},
        },
        "skeleton": {
            "type": "array",
            "description": "Which points are shown joined by a line, as pairs of names.",
            "x-description-ko": "선으로 이어서 보여 줄 점들. 이름을 둘씩 짝지어 적습니다.",
            "maxItems": 500,
            "items": {
                "type": "array",
                "description": "Two of the points.",
                "x-description-ko": "점 두 개",
                "minItems": 2,
                "maxItems": 2,
                "items": _NAME,
            },
        },
    },
)
_POINT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["visibility"],
    "properties": {
        "visibility": {
            "title": "Visibility",
            "x-title-ko": "보임",
            "type": "integer",
            "description": "2: visible; 1: hidden, but its place is clear; 0: not in the image, then without x and y.",
            "x-description-ko": "2: 보임, 1: 가려졌지만 자리가 분명함, 0: 이미지에 없음(x와 y 없이)",
            "enum": [0, 1, 2],
        },
        "x": {
            "description": "From the left edge of the image, in pixels.",
            "x-description-ko": "이미지 왼쪽 끝에서 잰 거리(픽셀)",
            **regions.COORDINATE,
        },
        "y": {
            "description": "From the top edge of the image, in pixels.",
            "x-description-ko": "이미지 위쪽 끝에서 잰 거리(픽셀)",
            **regions.COORDINATE,
        },
    },
    "dependentRequired": {"x": ["y"], "y": ["x"]},
}


class Point(NamedTuple):
    """One keypoint; of an absent one the coordinates are 0."""

    visibility: int
    x: float
    y: float


class Marked(NamedTuple):
    """The keypoints of one object, in the order of the params."""

    points: tuple[Point, ...]
    label: str


class Keypoint(TaskType):
    """Mark keypoints. Two objects are as alike as their object keypoint similarity (OKS)."""

    name = "keypoint"
    summary = "Mark named points of each object in an image."
    params_schema: ClassVar[Json] = {**_PARAMS, "required": [*_PARAMS["required"], "keypoints"]}
    response_schema: ClassVar[Json] = regions.response_schema(
        "set of points",
        "점 모음",
        _MAX_OBJECTS,
        {
            "keypoints": {
                "title": "Points",
                "x-title-ko": "점",
                "type": "object",
                "description": "Every point of the object by its name.",
                "x-description-ko": "대상의 모든 점을 이름별로 적습니다.",
                "minProperties": 1,
                "maxProperties": _MAX_POINTS,
                "additionalProperties": _POINT,
            }
        },
    )
    examples = (
        (
            {
                "attachment": "https://example.com/people/1.jpg",
                "objects_to_annotate": ["person"],
                "keypoints": ["nose", "left hand", "right hand"],
                "skeleton": [["nose", "left hand"], ["nose", "right hand"]],
                "image_width": 640,
                "image_height": 480,
            },
            {
                "annotations": [
                    {
                        "keypoints": {
                            "nose": {"x": 310, "y": 90, "visibility": 2},
                            "left hand": {"x": 250.5, "y": 240, "visibility": 1},
                            "right hand": {"visibility": 0},
                        }
                    }
                ]
            },
        ),
        (
            {
                "attachment": "https://example.com/개/2.jpg",
                "objects_to_annotate": ["개", "고양이"],
                "with_labels": True,
                "keypoints": ["코", "꼬리"],
            },
            {
                "annotations": [
                    {
                        "keypoints": {
                            "코": {"x": 10, "y": 20, "visibility": 2},
                            "꼬리": {"x": 90, "y": 30, "visibility": 2},
                        },
                        "label": "개",
                    }
                ]
            },
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment", "/objects_to_annotate", "/keypoints"],
        "widgets": {"/annotations": "keypoints"},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's points and labels."""
        wide = self.response_schema["properties"]["annotations"]["items"]["properties"]["keypoints"]
        points = {
            **{text: wide[text] for text in ("title", "x-title-ko", "description", "x-description-ko")},
            "type": "object",
            "additionalProperties": False,
            "required": list(params["keypoints"]),
            "properties": {name: {**_POINT, "title": name, "description": name} for name in params["keypoints"]},
        }
        return regions.narrowed(self.response_schema, params, {"keypoints": points})

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong URL, repeated objects or points, and lines between points that are none."""
        yield from regions.object_issues(params)
        yield from choices.issues(params["keypoints"], "keypoints")
        for n, pair in enumerate(params.get("skeleton", ())):
            yield from choices.chosen_issues(pair, params["keypoints"], "skeleton", n)

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield wrong labels, points that lack their place or are out of the image, objects twice or without any."""
        yield from regions.label_issues(params, response)
        yield from regions.duplicate_issues(_marked(params, response))
        for n, annotation in enumerate(response["annotations"]):
            points = annotation["keypoints"]
            for name, point in points.items():
                yield from _point_issues(params, point, "annotations", n, "keypoints", name)
            if all(point["visibility"] == _ABSENT for point in points.values()):
                text = "None of the points is in the image; leave out what cannot be seen at all."
                yield Issue(pointer("annotations", n, "keypoints"), text, "blank")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Mark one or two objects; the first point of each is visible."""
        width, height = (params.get(size, _USUAL_SIZE) for size in ("image_width", "image_height"))
        annotations = []
        for _ in range(rng.randint(1, 2)):
            points = {}
            for n, name in enumerate(params["keypoints"]):
                visibility = 2 if n == 0 else rng.choice([0, 1, 2, 2, 2])
                place = {"x": width * rng.random(), "y": height * rng.random()} if visibility else {}
                points[name] = {**place, "visibility": visibility}
            label = {"label": rng.choice(params["objects_to_annotate"])} if params.get("with_labels", False) else {}
            annotations.append({"keypoints": points, **label})
        return {"annotations": annotations}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the objects in order, each as (visibility, x, y) by point, labels in NFC."""
        return [[list(map(list, each.points)), each.label] for each in sorted(_marked(params, response))]

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the F measure of paired objects of the same label, each pair counted by its similarity."""
        return regions.agreement(_marked(params, a), _marked(params, b), _similarity)

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the points of each object that more than half of the weight marked.

        Marks mean the same object from a similarity of one half on. A point is
        absent unless more than half placed it; else its place is the weighted
        median on each axis. The confidence is the mean agreement of the answers
        with the verdict.
        """
        everything = ((_marked(params, each.response), each.weight) for each in answers)
        objects = regions.gathered(everything, _similarity, _median)
        placed = sorted([each for each in objects if any(point.visibility for point in each.points)][:_MAX_OBJECTS])
        response = {
            "annotations": [
                {
                    "keypoints": {
                        name: _answered(point) for name, point in zip(params["keypoints"], each.points, strict=True)
                    },
                    **regions.spelled(params, each.label),
                }
                for each in placed
            ]
        }
        alike = [(self.agreement(params, response, answer.response), answer.weight) for answer in answers]
        return Verdict(response=response, confidence=weighing.average(alike))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.keypoint_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.keypoint_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Keypoint()]


def _point_issues(params: JsonObject, point: JsonObject, *steps: str | int) -> Iterator[Issue]:
    if point["visibility"] == _ABSENT:
        if "x" in point:
            yield Issue(pointer(*steps, "x"), "A point that is not in the image has no place.", "not_allowed")
    elif "x" not in point:
        yield Issue(pointer(*steps, "x"), "A point with this visibility has x and y.", "required")
    else:
        yield from regions.point_issues(params, point["x"], point["y"], *steps)


def _marked(params: JsonObject, response: Json) -> list[Marked]:
    return [
        Marked(tuple(_point(each["keypoints"][name]) for name in params["keypoints"]), regions.label_of(each))
        for each in response["annotations"]
    ]


def _point(answered: JsonObject) -> Point:
    return Point(int(answered["visibility"]), answered.get("x", 0), answered.get("y", 0))


def _answered(point: Point) -> JsonObject:
    if point.visibility == _ABSENT:
        return {"visibility": _ABSENT}
    return {"x": point.x, "y": point.y, "visibility": point.visibility}


def _similarity(a: Marked, b: Marked) -> float:
    """Return the object keypoint similarity; a point that only one side placed counts as missed."""
    placed = [(p, q) for p, q in zip(a.points, b.points, strict=True) if p.visibility or q.visibility]
    both = [(p, q) for p, q in placed if p.visibility and q.visibility]
    scale = _squared_size([point for pair in both for point in pair])
    scores = [math.exp(-((p.x - q.x) ** 2 + (p.y - q.y) ** 2) / (2 * scale * (2 * _SPREAD) ** 2)) for p, q in both]
    return math.fsum(scores) / len(placed) if placed else 1.0


def _squared_size(points: Sequence[Point]) -> float:
    """Return the area that points take up, at least a quarter of their longer side squared and one pixel."""
    if not points:
        return 1.0
    width = max(point.x for point in points) - min(point.x for point in points)
    height = max(point.y for point in points) - min(point.y for point in points)
    return max(width * height, max(width, height) ** 2 / 4, 1.0)


def _median(members: Sequence[tuple[Marked, float]]) -> Marked:
    columns = zip(*(marked.points for marked, _ in members), strict=True)
    weights = [weight for _, weight in members]
    return Marked(tuple(_median_point(column, weights) for column in columns), regions.voted_label(members))


def _median_point(column: Sequence[Point], weights: Sequence[float]) -> Point:
    placed = [(point, weight) for point, weight in zip(column, weights, strict=True) if point.visibility]
    if not weighing.is_majority([weight for _, weight in placed], weights):
        return Point(_ABSENT, 0, 0)
    visibility, _ = weighing.plurality((str(point.visibility), weight) for point, weight in placed)
    x = weighing.median((point.x, weight) for point, weight in placed)
    y = weighing.median((point.y, weight) for point, weight in placed)
    return Point(int(visibility), x, y)
