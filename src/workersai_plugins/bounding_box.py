"""The task type `bounding_box`: draw a box around each object in an image."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import regions, weighing
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["BoundingBox", "register_task_types"]

_MAX_BOXES = 300
_LEAST = 0.001
"""The smallest width and height of a box, in pixels; so it always has an area."""
_USUAL_SIZE = 640
_SIZE = {"type": "number", "minimum": _LEAST, "maximum": regions.MAX_SIZE}
_LEAST_SIZE = {"type": "number", "minimum": 0, "maximum": regions.MAX_SIZE, "default": 0}


class Box(NamedTuple):
    """A box by its edges."""

    left: float
    top: float
    right: float
    bottom: float
    label: str


class BoundingBox(TaskType):
    """Draw boxes, with or without labels. Two boxes are as alike as their intersection over union."""

    name = "bounding_box"
    summary = "Draw a box around each object in an image."
    params_schema: ClassVar[Json] = regions.params_schema(
        "a box",
        "상자로",
        {
            "min_width": {
                **_LEAST_SIZE,
                "description": "Smaller objects need no box: its least width in pixels.",
                "x-description-ko": "상자의 최소 너비(픽셀). 더 작은 대상은 표시하지 않아도 됩니다.",
            },
            "min_height": {
                **_LEAST_SIZE,
                "description": "Its least height in pixels.",
                "x-description-ko": "상자의 최소 높이(픽셀)",
            },
        },
    )
    response_schema: ClassVar[Json] = regions.response_schema(
        "box",
        "상자",
        _MAX_BOXES,
        {
            "left": {
                "title": "Left",
                "x-title-ko": "왼쪽",
                "description": "From the left edge of the image, in pixels.",
                "x-description-ko": "이미지 왼쪽 끝에서 잰 거리(픽셀)",
                **regions.COORDINATE,
            },
            "top": {
                "title": "Top",
                "x-title-ko": "위",
                "description": "From the top edge of the image, in pixels.",
                "x-description-ko": "이미지 위쪽 끝에서 잰 거리(픽셀)",
                **regions.COORDINATE,
            },
            "width": {
                "title": "Width",
                "x-title-ko": "너비",
                "description": "In pixels.",
                "x-description-ko": "픽셀 단위",
                **_SIZE,
            },
            "height": {
                "title": "Height",
                "x-title-ko": "높이",
                "description": "In pixels.",
                "x-description-ko": "픽셀 단위",
                **_SIZE,
            },
        },
    )
    examples = (
        (
            {
                "attachment": "https://example.com/streets/1.jpg",
                "objects_to_annotate": ["car", "bicycle"],
                "with_labels": True,
                "image_width": 1280,
                "image_height": 720,
                "min_width": 10,
                "min_height": 10,
            },
            {
                "annotations": [
                    {"left": 120, "top": 300.5, "width": 220, "height": 140, "label": "car"},
                    {"left": 900, "top": 410, "width": 60, "height": 90, "label": "bicycle"},
                ]
            },
        ),
        (
            {"attachment": "https://example.com/거리/2.jpg", "objects_to_annotate": ["간판"]},
            {"annotations": [{"left": 10, "top": 20, "width": 300, "height": 80}]},
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment", "/objects_to_annotate"],
        "widgets": {"/annotations": "boxes"},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's labels, or without labels."""
        return regions.narrowed(self.response_schema, params)

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong URL, repeated objects, and a least size that is greater than the image."""
        yield from regions.object_issues(params)
        for least, size in (("min_width", "image_width"), ("min_height", "image_height")):
            if params.get(least, 0) > params.get(size, regions.MAX_SIZE):
                text = f"At most {size}, {params[size]}; this is {params[least]}."
                yield Issue(pointer(least), text, "too_large")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield wrong labels, and boxes that come twice, are too small or reach out of the image."""
        yield from regions.label_issues(params, response)
        yield from regions.duplicate_issues(_boxes(response))
        for n, box in enumerate(response["annotations"]):
            for start, length, axis in (("left", "width", "image_width"), ("top", "height", "image_height")):
                least = params.get(f"min_{length}", 0)
                if box[length] < least - regions.TOLERANCE:
                    text = f"At least {least} pixels; this is {box[length]}."
                    yield Issue(pointer("annotations", n, length), text, "too_small")
                size, end = params.get(axis, regions.MAX_SIZE), box[start] + box[length]
                if end > size + regions.TOLERANCE:
                    text = f"The image ends at {size}; this box ends at {end}."
                    yield Issue(pointer("annotations", n, length), text, "outside_image")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Draw one to three boxes anywhere."""
        boxes = []
        for _ in range(rng.randint(1, 3)):
            left, width = _mocked_span(params, "image_width", "min_width", rng)
            top, height = _mocked_span(params, "image_height", "min_height", rng)
            box = {"left": left, "top": top, "width": width, "height": height}
            if params.get("with_labels", False):
                box["label"] = rng.choice(params["objects_to_annotate"])
            boxes.append(box)
        return {"annotations": boxes}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the boxes in order, to a millionth of a pixel, labels in NFC."""
        boxes = [
            [*(round(each[name], 6) for name in ("left", "top", "width", "height")), regions.label_of(each)]
            for each in response["annotations"]
        ]
        return sorted(boxes)

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the F measure of paired boxes of the same label, each pair counted by its intersection over union."""
        return regions.agreement(_boxes(a), _boxes(b), _overlap, _bounds)

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return a box for each object that more than half of the weight marked.

        Boxes mean the same object from an intersection over union of one half
        on. Each edge is the weighted median; the label is the one with the
        most weight. The confidence is the mean agreement of the answers with
        the verdict.
        """
        everything = ((_boxes(each.response), each.weight) for each in answers)
        boxes = sorted(regions.gathered(everything, _overlap, _median, _bounds)[:_MAX_BOXES])
        drawn = [
            (box, given)
            for answer in answers
            for box, given in zip(_boxes(answer.response), answer.response["annotations"], strict=True)
        ]
        drawn.sort(key=lambda each: (each[0], each[1]["width"], each[1]["height"]), reverse=True)
        as_drawn = dict(drawn)
        response = {"annotations": [_annotation(params, box, as_drawn.get(box)) for box in boxes]}
        alike = [(self.agreement(params, response, answer.response), answer.weight) for answer in answers]
        return Verdict(response=response, confidence=weighing.average(alike))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.box_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.box_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [BoundingBox()]


def _boxes(response: Json) -> list[Box]:
    return [
        Box(
            each["left"],
            each["top"],
            each["left"] + each["width"],
            each["top"] + each["height"],
            regions.label_of(each),
        )
        for each in response["annotations"]
    ]


def _overlap(a: Box, b: Box) -> float:
    """Return the intersection over union."""
    if a[:4] == b[:4]:
        return 1.0
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (_area(a) + _area(b) - common)


def _bounds(box: Box) -> regions.Bounds:
    return box[:4]


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _median(members: Sequence[tuple[Box, float]]) -> Box:
    return Box(
        weighing.median((box.left, weight) for box, weight in members),
        weighing.median((box.top, weight) for box, weight in members),
        weighing.median((box.right, weight) for box, weight in members),
        weighing.median((box.bottom, weight) for box, weight in members),
        regions.voted_label(members),
    )


def _annotation(params: JsonObject, box: Box, drawn: JsonObject | None) -> JsonObject:
    """Return a box as it is answered; one that somebody drew keeps their numbers."""
    if drawn is not None:
        place = {name: drawn[name] for name in ("left", "top", "width", "height")}
    else:
        left, width = _fitted(params, box.left, box.right, "width")
        top, height = _fitted(params, box.top, box.bottom, "height")
        place = {"left": left, "top": top, "width": width, "height": height}
    return {**place, **regions.spelled(params, box.label)}


def _fitted(params: JsonObject, start: float, end: float, side: str) -> tuple[float, float]:
    """Return the start and the length of a side whose edges are medians; rounding must not take it out of bounds."""
    length = max(end - start, params.get(f"min_{side}", 0), _LEAST)
    return max(0, min(start, params.get(f"image_{side}", regions.MAX_SIZE) - length)), length


def _mocked_span(params: JsonObject, size: str, least: str, rng: random.Random) -> tuple[float, float]:
    """Return a start and a length within the image."""
    shortest = max(params.get(least, 0), _LEAST)
    longest = params.get(size, max(shortest, _USUAL_SIZE))
    length = shortest + (longest - shortest) * rng.random()
    return (longest - length) * rng.random(), length
