"""The export format `coco`: boxes, polygons and keypoints as one COCO document.

Lin 2014 and cocodataset.org, "Data format": `images`, `annotations` and
`categories`, coordinates in pixels. Each task is an image; `external_id` is
kept beside its number, and its size is there when the task says it. The
category is the label; without labels it is the object that was asked for, or
``object`` when there are several. The points of a `keypoint` task belong to
its category, so tasks with other points have categories of their own.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from workersai_core.api import JsonObject, hookimpl
from workersai_plugins.choices import nfc
from workersai_plugins.exporting import ExportedTask, is_completed

__all__ = ["Coco", "register_exporters"]

_TYPES = ("bounding_box", "polygon", "keypoint")
_IN_MEMORY = 8 * 1_048_576
_PIECE_BYTES = 65_536


class Coco:
    """Writes what was marked in images as COCO."""

    media_type = "application/json"
    file_extension = "json"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Yield the document; annotations wait in a file until all images are written."""
        categories = _Categories()
        count = 0
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as waiting:
            yield b'{"info":{"description":"WorkersAI"},"images":['
            done = (task for task in tasks if is_completed(task, *_TYPES))
            for number, task in enumerate(done, start=1):
                params = task.params
                yield (b"" if number == 1 else b",") + _json(_image(number, task.external_id, params))
                for marked in task.response["annotations"]:
                    count += 1
                    given = {"id": count, "image_id": number, "category_id": categories.number(params, marked)}
                    annotation = _json({**given, **_shape(params, marked), "iscrowd": 0})
                    waiting.write((b"" if count == 1 else b",") + annotation)
            yield b'],"annotations":['
            waiting.seek(0)
            while piece := waiting.read(_PIECE_BYTES):
                yield piece
        yield b'],"categories":' + _json(categories.all) + b"}"


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"coco": Coco()}


class _Categories:
    """The categories met so far, numbered from 1."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}

    def number(self, params: JsonObject, marked: JsonObject) -> int:
        """Return the number of what was marked."""
        asked = params["objects_to_annotate"]
        category: dict[str, Any] = {
            "name": nfc(marked.get("label", asked[0] if len(asked) == 1 else "object")),
            "supercategory": "",
        }
        if "keypoints" in params:
            names = list(params["keypoints"])
            category["keypoints"] = names
            category["skeleton"] = [[names.index(a) + 1, names.index(b) + 1] for a, b in params.get("skeleton", ())]
        key = json.dumps(category)
        if key not in self._numbers:
            self._numbers[key] = len(self.all) + 1
            self.all.append({"id": self._numbers[key], **category})
        return self._numbers[key]


def _image(number: int, external_id: str, params: JsonObject) -> JsonObject:
    url = params["attachment"]
    image = {"id": number, "file_name": urlsplit(url).path.rpartition("/")[2] or url, "coco_url": url}
    size = {name: params[f"image_{name}"] for name in ("width", "height") if f"image_{name}" in params}
    return {**image, **size, "external_id": external_id}


def _shape(params: JsonObject, marked: JsonObject) -> JsonObject:
    if "vertices" in marked:
        corners = [(corner["x"], corner["y"]) for corner in marked["vertices"]]
        flat = [value for corner in corners for value in corner]
        return {"segmentation": [flat], "bbox": _bounds(corners), "area": _area(corners)}
    if "keypoints" in marked:
        points = [marked["keypoints"][name] for name in params["keypoints"]]
        placed = [(point["x"], point["y"]) for point in points if point["visibility"] > 0]
        bounds = _bounds(placed)
        flat = [value for point in points for value in (point.get("x", 0), point.get("y", 0), point["visibility"])]
        return {"keypoints": flat, "num_keypoints": len(placed), "bbox": bounds, "area": bounds[2] * bounds[3]}
    bounds = [marked[name] for name in ("left", "top", "width", "height")]
    return {"segmentation": [], "bbox": bounds, "area": bounds[2] * bounds[3]}


def _bounds(points: list[tuple[float, float]]) -> list[float]:
    """Return left, top, width and height; zeros where there is no point."""
    if not points:
        return [0, 0, 0, 0]
    xs, ys = zip(*points, strict=True)
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _area(corners: list[tuple[float, float]]) -> float:
    """Return the area within a simple polygon, by the shoelace formula."""
    doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*corners, corners[0]]))
    return abs(doubled) / 2


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
