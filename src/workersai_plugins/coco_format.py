"""The format `coco`: boxes, polygons and keypoints as one COCO document.

Lin 2014 and cocodataset.org, "Data format": `images`, `annotations` and
`categories`, coordinates in pixels. Each task is an image; `external_id` is
kept beside its number, and its size is there when the task says it. The
category is the label; without labels it is the object that was asked for, or
``object`` when there are several. The points of a `keypoint` task belong to
its category, so tasks with other points have categories of their own.

Other tools pass over the member `workersai` of an image. An import makes the
task again that stands there; of images without it the annotations tell which
type they are. Crowds and masks in run-length encoding are left out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, BinaryIO

from workersai_core.api import JsonObject, Rejected, hookimpl
from workersai_plugins.choices import nfc
from workersai_plugins.exporting import (
    OURS,
    ExportedTask,
    Found,
    compact,
    document_of,
    guarded,
    is_completed,
    original,
    restored,
)
from workersai_plugins.marked_images import box, category_of, file_name, image_params

__all__ = ["Coco", "register_exporters"]

_TYPES = ("bounding_box", "polygon", "keypoint")
_IN_MEMORY = 8 * 1_048_576
_PIECE_BYTES = 65_536


class Coco:
    """Writes and reads what was marked in images as COCO."""

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
                yield (b"" if number == 1 else b",") + compact(_image(number, task, params))
                for marked in task.response["annotations"]:
                    count += 1
                    given = {"id": count, "image_id": number, "category_id": categories.number(params, marked)}
                    annotation = compact({**given, **_shape(params, marked), "iscrowd": 0})
                    waiting.write((b"" if count == 1 else b",") + annotation)
            yield b'],"annotations":['
            waiting.seek(0)
            while piece := waiting.read(_PIECE_BYTES):
                yield piece
        yield b'],"categories":' + compact(categories.all) + b"}"

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield a task for each image, with the name of its file.

        Raises:
            Rejected: the file is no COCO document.
        """
        document = document_of(file, dict)
        images, annotations, categories = (document.get(name) for name in ("images", "annotations", "categories"))
        if not (isinstance(images, list) and isinstance(annotations, list) and isinstance(categories, list)):
            raise Rejected("A COCO document has the arrays images, annotations and categories.")
        known = {str(each["id"]): each for each in categories if isinstance(each, dict) and "id" in each}
        marked: dict[str, list[JsonObject]] = {}
        for each in annotations:
            if isinstance(each, dict):
                marked.setdefault(str(each.get("image_id")), []).append(each)
        for number, image in enumerate(images, start=1):
            name = str(image.get("file_name", number)) if isinstance(image, dict) else number
            yield name, guarded(_task, image, marked, known)


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
        category: dict[str, Any] = {"name": category_of(params, marked), "supercategory": ""}
        if "keypoints" in params:
            names = list(params["keypoints"])
            category["keypoints"] = names
            places = {nfc(name): n for n, name in enumerate(names, start=1)}
            category["skeleton"] = [[places[nfc(a)], places[nfc(b)]] for a, b in params.get("skeleton", ())]
        key = json.dumps(category)
        if key not in self._numbers:
            self._numbers[key] = len(self.all) + 1
            self.all.append({"id": self._numbers[key], **category})
        return self._numbers[key]


def _image(number: int, task: ExportedTask, params: JsonObject) -> JsonObject:
    url = params["attachment"]
    image = {"id": number, "file_name": file_name(url), "coco_url": url}
    size = {name: params[f"image_{name}"] for name in ("width", "height") if f"image_{name}" in params}
    return {**image, **size, "external_id": task.external_id, OURS: original(task)}


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


# --- reading -----------------------------------------------------------------------------------------


def _task(image: JsonObject, marked: Mapping[str, list[JsonObject]], known: Mapping[str, JsonObject]) -> JsonObject:
    annotations = [each for each in marked.get(str(image["id"]), ()) if not each.get("iscrowd")]
    given = restored(image, *_TYPES) or _foreign(image, annotations, known)
    params = given["params"]
    shapes = [
        {**shape, **_label(params, known[str(each["category_id"])])}
        for each in annotations
        for shape in _SHAPES[given["task_type"]](each, params)
    ]
    return {**given, "response": {"annotations": shapes}}


def _foreign(image: JsonObject, annotations: Sequence[JsonObject], known: Mapping[str, JsonObject]) -> JsonObject:
    """Return the task for an image of another tool."""
    address = image.get("coco_url") or image.get("flickr_url") or image["file_name"]
    size = [image["width"], image["height"]] if "width" in image and "height" in image else None
    names = [category["name"] for category in known.values()]
    params = image_params(address, names, size)
    if any("keypoints" in each for each in annotations):
        category = next(known[str(each["category_id"])] for each in annotations if "keypoints" in each)
        points = category["keypoints"]
        alike = [each["name"] for each in known.values() if each.get("keypoints") == points]
        lines = [[points[a - 1], points[b - 1]] for a, b in category.get("skeleton", ())]
        more = {"objects_to_annotate": alike, "keypoints": points, "skeleton": lines}
        return {"task_type": "keypoint", "params": {**params, **more}}
    outlined = any(isinstance(each.get("segmentation"), list) and each["segmentation"] for each in annotations)
    return {"task_type": "polygon" if outlined else "bounding_box", "params": params}


def _label(params: JsonObject, category: JsonObject) -> Mapping[str, str]:
    return {"label": category["name"]} if params.get("with_labels", False) else {}


def _boxes(annotation: JsonObject, _: JsonObject) -> Iterator[JsonObject]:
    yield box(*annotation["bbox"])


def _polygons(annotation: JsonObject, _: JsonObject) -> Iterator[JsonObject]:
    parts = annotation.get("segmentation")
    for flat in parts if isinstance(parts, list) else ():
        yield {"vertices": [{"x": x, "y": y} for x, y in zip(flat[::2], flat[1::2], strict=True)]}


def _points(annotation: JsonObject, params: JsonObject) -> Iterator[JsonObject]:
    flat = annotation.get("keypoints")
    if flat is not None:
        placed = zip(params["keypoints"], zip(flat[::3], flat[1::3], flat[2::3], strict=True), strict=True)
        yield {
            "keypoints": {
                name: {"x": x, "y": y, "visibility": visibility} if visibility else {"visibility": 0}
                for name, (x, y, visibility) in placed
            }
        }


_SHAPES = {"bounding_box": _boxes, "polygon": _polygons, "keypoint": _points}
