"""The task type `polygon`: outline each object in an image."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import outlines, regions, weighing
from workersai_plugins.outlines import Outline
from workersai_plugins.pointers import pointer

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["Polygon", "register_task_types"]

_MAX_POLYGONS = 100
_MAX_VERTICES = 200
_MAX_CORNERS = 4000
"""Of all polygons of an answer; comparing takes time."""
_LEAST_AREA = 1e-6
_USUAL_SIZE = 640


class Marked(NamedTuple):
    """A polygon in its standard form, and its label."""

    outline: Outline
    label: str


class Polygon(TaskType):
    """Outline objects with simple polygons. Two are as alike as their intersection over union."""

    name = "polygon"
    summary = "Outline each object in an image with a polygon."
    params_schema: ClassVar[Json] = regions.params_schema(
        "a polygon",
        "다각형으로",
        {
            "min_vertices": {
                "type": "integer",
                "description": "The least number of corners.",
                "x-description-ko": "꼭짓점의 최소 개수",
                "minimum": 3,
                "maximum": _MAX_VERTICES,
                "default": 3,
            },
            "max_vertices": {
                "type": "integer",
                "description": "The greatest number of corners.",
                "x-description-ko": "꼭짓점의 최대 개수",
                "minimum": 3,
                "maximum": _MAX_VERTICES,
                "default": _MAX_VERTICES,
            },
        },
    )
    response_schema: ClassVar[Json] = regions.response_schema(
        "polygon",
        "다각형",
        _MAX_POLYGONS,
        {
            "vertices": {
                "title": "Corners",
                "x-title-ko": "꼭짓점",
                "type": "array",
                "description": "Its corners in their order; the last is joined to the first, and edges do not cross.",
                "x-description-ko": "꼭짓점을 차례대로. 마지막은 처음과 이어지고, 변은 서로 엇갈리지 않습니다.",
                "minItems": 3,
                "maxItems": _MAX_VERTICES,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["x", "y"],
                    "properties": {
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
                },
            }
        },
    )
    examples = (
        (
            {
                "attachment": "https://example.com/roofs/1.jpg",
                "objects_to_annotate": ["roof", "solar panel"],
                "with_labels": True,
                "image_width": 800,
                "image_height": 600,
            },
            {
                "annotations": [
                    {
                        "vertices": [{"x": 100, "y": 80}, {"x": 420, "y": 95.5}, {"x": 400, "y": 310}],
                        "label": "roof",
                    }
                ]
            },
        ),
        (
            {"attachment": "https://example.com/호수/2.jpg", "objects_to_annotate": ["호수"], "min_vertices": 4},
            {
                "annotations": [
                    {"vertices": [{"x": 0, "y": 0}, {"x": 50, "y": 5}, {"x": 60, "y": 40}, {"x": 10, "y": 30}]}
                ]
            },
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment", "/objects_to_annotate"],
        "widgets": {"/annotations": "polygons"},
    }

    def response_schema_for(self, params: JsonObject) -> Json:
        """Return the schema with this task's labels and numbers of corners."""
        vertices = self.response_schema["properties"]["annotations"]["items"]["properties"]["vertices"]
        limits = {
            "minItems": int(params.get("min_vertices", 3)),
            "maxItems": int(params.get("max_vertices", _MAX_VERTICES)),
        }
        return regions.narrowed(self.response_schema, params, {"vertices": {**vertices, **limits}})

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a wrong URL, repeated objects, and numbers of corners that nothing has."""
        yield from regions.object_issues(params)
        least, most = params.get("min_vertices", 3), params.get("max_vertices", _MAX_VERTICES)
        if least > most:
            yield Issue("/max_vertices", f"At least min_vertices, {least}; this is {most}.", "too_small")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield wrong labels, too many corners or some outside of the image, polygons not simple or there twice."""
        yield from regions.label_issues(params, response)
        yield from regions.duplicate_issues(_marked(response))
        corners = sum(len(each["vertices"]) for each in response["annotations"])
        if corners > _MAX_CORNERS:
            yield Issue(
                "/annotations", f"At most {_MAX_CORNERS} corners in all; these are {corners}.", "too_many_items"
            )
        for n, annotation in enumerate(response["annotations"]):
            for m, corner in enumerate(annotation["vertices"]):
                yield from regions.point_issues(params, corner["x"], corner["y"], "annotations", n, "vertices", m)
            yield from _outline_issues(_corners(annotation), "annotations", n, "vertices")

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Draw one or two regular polygons."""
        count = max(int(params.get("min_vertices", 3)), min(6, int(params.get("max_vertices", 6))))
        width, height = (params.get(size, _USUAL_SIZE) for size in ("image_width", "image_height"))
        annotations = []
        for _ in range(rng.randint(1, 2)):
            share = rng.uniform(0.2, 0.45)
            vertices = [
                {
                    "x": width * (0.5 + share * math.cos(math.tau * n / count)),
                    "y": height * (0.5 + share * math.sin(math.tau * n / count)),
                }
                for n in range(count)
            ]
            label = {"label": rng.choice(params["objects_to_annotate"])} if params.get("with_labels", False) else {}
            annotations.append({"vertices": vertices, **label})
        return {"annotations": annotations}

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the polygons in order, each in its standard form, labels in NFC."""
        return [[list(map(list, each.outline)), each.label] for each in sorted(_marked(response))]

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return the F measure of paired polygons of the same label, each pair counted by its overlap."""
        return regions.agreement(_marked(a), _marked(b), _overlap, _bounds)

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return a polygon for each object that more than half of the weight marked.

        Polygons mean the same object from an intersection over union of one
        half on; the one that overlaps best with all of them stands for it,
        corner by corner, the smallest first. The confidence is the mean agreement of the answers
        with the verdict.
        """
        drawn = [(_marked(answer.response), answer.weight) for answer in answers]
        overlap = cache(_overlap)  # the same two are compared several times
        polygons = _within_limits(regions.gathered(drawn, overlap, partial(_typical, overlap), _bounds))
        response = {
            "annotations": [
                {
                    "vertices": [{"x": x, "y": y} for x, y in polygon.outline],
                    **regions.spelled(params, polygon.label),
                }
                for polygon in polygons
            ]
        }
        alike = [(regions.agreement(polygons, each, overlap, _bounds), weight) for each, weight in drawn]
        return Verdict(response=response, confidence=weighing.average(alike))

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.polygon_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import region_strategies

        return region_strategies.polygon_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [Polygon()]


def _corners(annotation: JsonObject) -> Outline:
    return tuple((corner["x"], corner["y"]) for corner in annotation["vertices"])


def _outline_issues(outline: Outline, *steps: str | int) -> Iterator[Issue]:
    """Yield why a polygon is not simple."""
    for n, corner in enumerate(outline):
        if corner == outline[n - 1]:
            text = "This corner is the same as the one before it; leave one of them out."
            yield Issue(pointer(*steps, n), text, "duplicate_item")
            return
    edge = outlines.crossing(outline)
    if edge is not None:
        yield Issue(pointer(*steps, edge), "The edge from this corner crosses or touches another one.", "not_simple")
    elif abs(outlines.area(outline)) < _LEAST_AREA:
        yield Issue(pointer(*steps), "This polygon has no area.", "too_small")


def _marked(response: Json) -> list[Marked]:
    return [Marked(_standard(_corners(each)), regions.label_of(each)) for each in response["annotations"]]


def _standard(outline: Outline) -> Outline:
    """Return the same polygon from its smallest corner on, with a positive area."""
    turned = outline if outlines.area(outline) > 0 else outline[::-1]
    first = turned.index(min(turned))
    return turned[first:] + turned[:first]


def _overlap(a: Marked, b: Marked) -> float:
    return outlines.overlap(a.outline, b.outline)


def _bounds(polygon: Marked) -> regions.Bounds:
    return outlines.bounds(polygon.outline)


def _within_limits(ranked: Sequence[Marked]) -> list[Marked]:
    """Return the first of these that one answer may have, sorted."""
    corners = accumulate(len(polygon.outline) for polygon in ranked)
    fitting = [polygon for polygon, so_far in zip(ranked, corners, strict=True) if so_far <= _MAX_CORNERS]
    return sorted(fitting[:_MAX_POLYGONS])


def _typical(overlap: Callable[[Marked, Marked], float], members: Sequence[tuple[Marked, float]]) -> Marked:
    ranked = sorted(members, key=lambda member: (-member[1], member[0]))
    best, _ = weighing.typical(ranked, overlap)
    return Marked(ranked[best][0].outline, regions.voted_label(members))
