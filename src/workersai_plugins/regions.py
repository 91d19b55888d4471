"""What `bounding_box`, `polygon` and `keypoint` have in common: objects marked in an image.

Two answers are compared by pairing their shapes, the most alike first. Several
become one by gathering the shapes that mean the same object; an object counts
when more than half of the weight marked it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import nsmallest
from typing import Any, Protocol, TypeVar

from workersai_core.api import Issue, Json, JsonObject
from workersai_plugins import attachments, choices, weighing
from workersai_plugins.pointers import pointer

__all__ = [
    "COORDINATE",
    "MAX_SIZE",
    "SAME",
    "TOLERANCE",
    "Shape",
    "agreement",
    "duplicate_issues",
    "gathered",
    "label_issues",
    "label_of",
    "narrowed",
    "object_issues",
    "params_schema",
    "point_issues",
    "response_schema",
    "spelled",
    "voted_label",
]

MAX_SIZE = 100_000
"""The greatest width and height of an image, in pixels."""
TOLERANCE = 1e-6
"""How far a coordinate may be out, in pixels; so much gets lost in arithmetic."""
SAME = 0.5
"""From which likeness on two shapes mean the same object, as in PASCAL VOC (Everingham 2010, section 4.2)."""
_NEAREST = 8
COORDINATE: Mapping[str, Any] = {"type": "number", "minimum": 0, "maximum": MAX_SIZE}
"""The schema of a place on one axis, in pixels from the left or the top."""


class Shape(Protocol):
    """Something marked; shapes are compared and sorted as the tuples they are."""

    @property
    def label(self) -> str:
        """Which object it is, in NFC; "" when the task asks for no labels."""

    def __lt__(self, other: Any, /) -> bool: ...


S = TypeVar("S", bound=Shape)
Likeness = Callable[[S, S], float]
Bounds = tuple[float, float, float, float]
"""Left, top, right and bottom; shapes whose bounds are apart have nothing in common."""
BoundsOf = Callable[[S], Bounds]


# --- schemas -----------------------------------------------------------------------------------------

_ATTACHMENT_TYPE: JsonObject = {
    "type": "string",
    "description": "Always image; it may be left out.",
    "x-description-ko": "항상 image이며, 생략할 수 있습니다.",
    "enum": ["image"],
    "default": "image",
}


_ATTACHMENT: JsonObject = {
    "title": "Image",
    "x-title-ko": "이미지",
    "x-media": "image",
    "type": "string",
    "description": "The http or https URL of the image.",
    "x-description-ko": "이미지의 http 또는 https URL",
    "minLength": 1,
    "maxLength": attachments.MAX_URL,
}
_SIZE: JsonObject = {"type": "integer", "minimum": 1, "maximum": MAX_SIZE}
_SIZES: JsonObject = {
    "image_width": {
        **_SIZE,
        "description": "The width of the image in pixels; then nothing may be outside.",
        "x-description-ko": "이미지의 너비(픽셀). 적으면 이미지 밖에는 표시할 수 없습니다.",
    },
    "image_height": {
        **_SIZE,
        "description": "The height of the image in pixels.",
        "x-description-ko": "이미지의 높이(픽셀)",
    },
}


def params_schema(what: str, what_ko: str, more: JsonObject) -> Json:
    """Return the schema of the params.

    Args:
        what: What is drawn around an object, such as "a box".
        what_ko: With what, in Korean, such as "상자로".
        more: The properties that only this type has.
    """
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachment", "objects_to_annotate"],
        "dependentRequired": {"image_width": ["image_height"], "image_height": ["image_width"]},
        "properties": {
            "attachment": _ATTACHMENT,
            "attachment_type": _ATTACHMENT_TYPE,
            "objects_to_annotate": {
                "title": "Objects",
                "x-title-ko": "표시할 것",
                "type": "array",
                "description": f"What gets {what}; no two may be the same in Unicode NFC.",
                "x-description-ko": f"{what_ko} 표시할 대상. 유니코드 NFC 기준으로 모두 달라야 합니다.",
                "minItems": 1,
                "maxItems": 100,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One kind of object.",
                    "x-description-ko": "대상 한 종류",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
            "with_labels": {
                "type": "boolean",
                "description": "Whether each annotation says which of the objects it is.",
                "x-description-ko": "표시마다 어떤 대상인지 밝히는지",
                "default": False,
            },
            **_SIZES,
            **more,
        },
    }


def response_schema(what: str, what_ko: str, most: int, members: JsonObject) -> Json:
    """Return the schema of the response, not narrowed to a task.

    Args:
        what: What one annotation is, such as "box".
        what_ko: The same in Korean.
        most: How many annotations there may be.
        members: The schemas of its members besides the label; all are required.
    """
    label = {
        "title": "Label",
        "x-title-ko": "이름",
        "type": "string",
        "description": "Which of the objects it is, when the task asks for labels.",
        "x-description-ko": "어떤 대상인지. 작업이 이름을 요구할 때 고릅니다.",
    }
    annotation = {
        "type": "object",
        "additionalProperties": False,
        "required": list(members),
        "properties": {**members, "label": label},
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["annotations"],
        "properties": {
            "annotations": {
                "title": "Annotations",
                "x-title-ko": "표시",
                "type": "array",
                "description": f"A {what} for each object; none when there is no such object.",
                "x-description-ko": f"대상마다 {what_ko} 하나. 없으면 비워 둡니다.",
                "maxItems": most,
                "items": annotation,
            }
        },
    }


def narrowed(schema: Json, params: JsonObject, members: JsonObject | None = None) -> Json:
    """Return a response schema for one task: with its labels or without any.

    Args:
        schema: From `response_schema`.
        params: The task's params.
        members: Schemas that take the place of members of an annotation.
    """
    annotations = schema["properties"]["annotations"]
    item = annotations["items"]
    properties = {**item["properties"], **(members or {})}
    label = properties.pop("label")
    required = list(item["required"])
    if params.get("with_labels", False):
        properties["label"] = {**label, **choices.schema(params["objects_to_annotate"])}
        required.append("label")
    item = {**item, "required": required, "properties": properties}
    return {**schema, "properties": {"annotations": {**annotations, "items": item}}}


# --- issues ------------------------------------------------------------------------------------------


def object_issues(params: JsonObject) -> Iterator[Issue]:
    """Yield a URL that no browser would load, and objects that are blank or the same."""
    yield from attachments.url_issues(params["attachment"])
    yield from choices.issues(params["objects_to_annotate"], "objects_to_annotate")


def label_issues(params: JsonObject, response: Json) -> Iterator[Issue]:
    """Yield labels that are none of the task's objects in any spelling."""
    for n, annotation in enumerate(response["annotations"]):
        if "label" in annotation:
            offered = params["objects_to_annotate"]
            yield from choices.chosen_issues(annotation["label"], offered, "annotations", n, "label")


def duplicate_issues(shapes: Sequence[Shape]) -> Iterator[Issue]:
    """Yield which shapes are the same as one before, with the same label."""
    seen: dict[Shape, int] = {}
    for n, shape in enumerate(shapes):
        first = seen.setdefault(shape, n)
        if first != n:
            yield Issue(pointer("annotations", n), f"This is the same as the one at {first}.", "duplicate_item")


def point_issues(params: JsonObject, x: float, y: float, *steps: str | int) -> Iterator[Issue]:
    """Yield in which direction a point is outside of the image; its members are ``x`` and ``y``."""
    for name, value, size in (("x", x, params.get("image_width")), ("y", y, params.get("image_height"))):
        if size is not None and value > size + TOLERANCE:
            text = f"The image ends at {size}; this is at {value}."
            yield Issue(pointer(*steps, name), text, "outside_image")


# --- labels ------------------------------------------------------------------------------------------


def label_of(annotation: JsonObject) -> str:
    """Return the label of an annotation in NFC; "" when it has none."""
    return choices.nfc(annotation.get("label", ""))


def spelled(params: JsonObject, label: str) -> dict[str, str]:
    """Return the member ``label`` as the requester spells it; nothing when the task asks for no labels."""
    return {"label": choices.spellings(params["objects_to_annotate"])[label]} if label else {}


def voted_label(members: Iterable[tuple[Shape, float]]) -> str:
    """Return the label with the most weight."""
    return weighing.plurality((shape.label, weight) for shape, weight in members)[0]


# --- comparing and gathering -------------------------------------------------------------------------


def agreement(a: Sequence[S], b: Sequence[S], likeness: Likeness[S], bounds: BoundsOf[S] | None = None) -> float:
    """Return how far two answers agree, 0 to 1: twice the likeness of all pairs by the number of shapes.

    Only shapes with the same label make a pair. This is the F measure in which
    a pair counts by its likeness. For `bounds` see `gathered`.
    """
    if not a and not b:
        return 1.0
    scores = [score for score, _, _ in _pairs(a, b, likeness, bounds, labels_matter=True, least=0.0)]
    return min(1.0, 2 * math.fsum(scores) / (len(a) + len(b)))


def gathered(
    answers: Iterable[tuple[Sequence[S], float]],
    likeness: Likeness[S],
    represent: Callable[[Sequence[tuple[S, float]]], S],
    bounds: BoundsOf[S] | None = None,
) -> list[S]:
    """Return the shape of each object that more than half of the weight marked, the ones with the most weight first.

    There may be more of them than an answer may have: two of three workers can
    agree on each.

    Args:
        answers: The shapes and the weight of each answer.
        likeness: How alike two shapes are, 0 to 1, whatever their labels.
        represent: Returns the shape that stands for several, given with their weights.
        bounds: Where a shape is, when shapes that are apart cannot be alike.
    """
    # Sorted, so that the result does not depend on who answered first.
    ordered = sorted((sorted(shapes), weight) for shapes, weight in answers)
    objects: list[list[tuple[S, float]]] = []
    standing: list[S] = []
    for shapes, weight in ordered:
        found = _pairs(shapes, standing, likeness, bounds, labels_matter=False, least=SAME)
        place = {n: known for _, n, known in found}
        for n, shape in enumerate(shapes):
            if n in place:
                objects[place[n]].append((shape, weight))
                standing[place[n]] = represent(objects[place[n]])
            else:
                objects.append([(shape, weight)])
                standing.append(shape)
    everybody = [weight for _, weight in ordered]
    ranked = []
    for shape, members in zip(standing, objects, strict=True):
        weights = [weight for _, weight in members]
        if weighing.is_majority(weights, everybody):
            ranked.append((-math.fsum(weights), shape))
    # Of two objects the medians may be the same; an answer says each thing once.
    return list(dict.fromkeys(shape for _, shape in sorted(ranked)))


def _pairs(
    a: Sequence[S],
    b: Sequence[S],
    likeness: Likeness[S],
    bounds: BoundsOf[S] | None,
    *,
    labels_matter: bool,
    least: float,
) -> list[tuple[float, int, int]]:
    """Return pairs as (likeness, position in `a`, position in `b`), each shape in one at most, the best first.

    Which pairs they are does not depend on which side is `a`. Where labels do
    not matter, equal ones still go first.
    """
    candidates = []
    for i, j in _near(a, b, bounds):
        one, other = a[i], b[j]
        differs = one.label != other.label
        if differs and labels_matter:
            continue
        score = likeness(one, other)
        if score > 0 and score >= least:
            low, high = (one, other) if one < other else (other, one)
            candidates.append((differs, -score, low, high, i, j))
    found, left, right = [], set(range(len(a))), set(range(len(b)))
    for _, negative, _, _, i, j in sorted(candidates):
        if i in left and j in right:
            left.discard(i)
            right.discard(j)
            found.append((-negative, i, j))
    return found


def _near(a: Sequence[S], b: Sequence[S], bounds: BoundsOf[S] | None) -> Iterable[tuple[int, int]]:
    """Return the positions of the shapes of `a` and `b` that are worth comparing.

    PERF: without `bounds` all; else for each shape the ones whose bounds have
    most in common with its own, so that a pile of shapes on one place costs no
    more than as many shapes side by side.
    """
    if bounds is None:
        return [(i, j) for i in range(len(a)) for j in range(len(b))]
    of_a, of_b = [bounds(shape) for shape in a], [bounds(shape) for shape in b]
    rows: dict[tuple[int, int], list[tuple[float, bool, S, int, int]]] = {}
    for i, j in _touching(of_a, of_b):
        common, differs = -_bounds_overlap(of_a[i], of_b[j]), a[i] != b[j]
        rows.setdefault((0, i), []).append((common, differs, b[j], i, j))
        rows.setdefault((1, j), []).append((common, differs, a[i], i, j))
    return {(i, j) for row in rows.values() for *_, i, j in nsmallest(_NEAREST, row)}


def _touching(a: Sequence[Bounds], b: Sequence[Bounds]) -> Iterator[tuple[int, int]]:
    """Yield which bounds of `a` and of `b` have points in common, by a sweep from left to right."""
    begun = sorted((each, side, n) for side, all_of_them in enumerate((a, b)) for n, each in enumerate(all_of_them))
    active: tuple[list[tuple[Bounds, int]], list[tuple[Bounds, int]]] = ([], [])
    """By side: the bounds around the present place, and their positions."""
    for (left, top, right, bottom), side, n in begun:
        others = active[1 - side]
        others[:] = [each for each in others if each[0][2] > left]
        for (_, upper, _, lower), m in others:
            if upper < bottom and top < lower:
                yield (n, m) if side == 0 else (m, n)
        active[side].append(((left, top, right, bottom), n))


def _bounds_overlap(a: Bounds, b: Bounds) -> float:
    """Return the intersection over union of two bounds that touch."""
    common = (min(a[2], b[2]) - max(a[0], b[0])) * (min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0
