"""Responses as results of Label Studio, and back.

Label Studio, "Export annotations" and the reference of its tags. Places in
images are in percent of the image, so they need its size; places in texts and
recordings are as here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from workersai_core.api import JsonObject
from workersai_plugins.marked_images import box, category_of, size_of

__all__ = ["KINDS", "Kind", "Result"]

Result = Mapping[str, Any]
"""One element of the array ``result`` of an annotation."""

_EXACT = 6
"""Digits of a pixel that come back."""
_SPEECH = "speech"


class Kind(NamedTuple):
    """How the responses of a task type are written and read."""

    write: Callable[[JsonObject, JsonObject], list[Result]]
    read: Callable[[JsonObject, Sequence[Result]], JsonObject]
    rest: tuple[str, ...] = ()
    """The members of a response that have no place in results."""


def _result(number: int, kind: str, name: str, to: str, value: JsonObject, **more: Any) -> Result:
    return {"id": f"r{number}", "type": kind, "from_name": name, "to_name": to, "value": value, **more}


# --- images ------------------------------------------------------------------------------------------


def _regions(kind: str, shape: Callable[[JsonObject, float, float], JsonObject]) -> Callable[..., list[Result]]:
    def write(params: JsonObject, response: JsonObject) -> list[Result]:
        size = size_of(params)
        if size is None:
            return []
        whole = {"original_width": size[0], "original_height": size[1], "image_rotation": 0}
        return [
            _result(n, kind, "label", "image", {**shape(each, *size), kind: [category_of(params, each)]}, **whole)
            for n, each in enumerate(response["annotations"])
        ]

    return write


def _shapes(kind: str, shape: Callable[[JsonObject, float, float], JsonObject]) -> Callable[..., JsonObject]:
    def read(params: JsonObject, results: Sequence[Result]) -> JsonObject:
        marked = []
        for each in results:
            if each["type"] == kind:
                value = each["value"]
                label = {"label": value[kind][0]} if params.get("with_labels", False) else {}
                marked.append({**shape(value, each["original_width"], each["original_height"]), **label})
        return {"annotations": marked}

    return read


def _rectangle(marked: JsonObject, width: float, height: float) -> JsonObject:
    x, y = 100 * marked["left"] / width, 100 * marked["top"] / height
    return {
        "x": x,
        "y": y,
        "width": 100 * marked["width"] / width,
        "height": 100 * marked["height"] / height,
        "rotation": 0,
    }


def _box(value: JsonObject, width: float, height: float) -> JsonObject:
    if value.get("rotation", 0):
        raise ValueError("a box is turned, which bounding_box cannot say")
    across, down = (width, "x", "width"), (height, "y", "height")
    (left, wide), (top, high) = (
        [_pixels(value[name] * side / 100) for name in names] for side, *names in (across, down)
    )
    return box(left, top, wide, high)


def _points(marked: JsonObject, width: float, height: float) -> JsonObject:
    points = [[100 * each["x"] / width, 100 * each["y"] / height] for each in marked["vertices"]]
    return {"points": points, "closed": True}


def _polygon(value: JsonObject, width: float, height: float) -> JsonObject:
    return {
        "vertices": [{"x": _pixels(x * width / 100), "y": _pixels(y * height / 100)} for x, y in value["points"]],
    }


def _pixels(value: float) -> float:
    rounded = round(float(value), _EXACT)
    return int(rounded) if rounded.is_integer() else rounded


# --- texts -------------------------------------------------------------------------------------------


def _spans(_: JsonObject, response: JsonObject) -> list[Result]:
    return [
        _result(
            n,
            "labels",
            "label",
            "text",
            {"start": int(each["start"]), "end": int(each["end"]), "text": each["text"], "labels": [each["label"]]},
        )
        for n, each in enumerate(response["spans"])
    ]


def _read_spans(params: JsonObject, results: Sequence[Result]) -> JsonObject:
    spans = []
    for each in results:
        if each["type"] == "labels":
            value = each["value"]
            start, end = int(value["start"]), int(value["end"])
            text = params["text"][start:end]
            spans.append({"start": start, "end": end, "label": value["labels"][0], "text": text})
    return {"spans": spans}


# --- recordings --------------------------------------------------------------------------------------


def _said(_: JsonObject, response: JsonObject) -> list[Result]:
    length = {"original_length": response["duration"]}
    results = [_result(0, "textarea", "transcript", "audio", {"text": [response["transcript"]]}, **length)]
    for n, each in enumerate(response.get("segments", ()), start=1):
        place = {"start": each["start"], "end": each["end"], "channel": 0}
        who = {"labels": [each.get("speaker", _SPEECH)]}
        results.append(_result(n, "labels", "speaker", "audio", {**place, **who}, **length))
        results.append(_result(n, "textarea", "segment", "audio", {**place, "text": [each["text"]]}, **length))
    return results


def _read_said(_: JsonObject, results: Sequence[Result]) -> JsonObject:
    texts = [each for each in results if each["type"] == "textarea"]
    [whole] = [each for each in texts if each["from_name"] == "transcript"]
    response = {"transcript": whole["value"]["text"][0], "duration": whole["original_length"]}
    written = {each["id"]: each["value"]["text"][0] for each in texts if each["from_name"] == "segment"}
    segments = []
    for each in results:
        if each["type"] == "labels":
            value = each["value"]
            speaker = {} if value["labels"][0] == _SPEECH else {"speaker": value["labels"][0]}
            segments.append({"start": value["start"], "end": value["end"], **speaker, "text": written[each["id"]]})
    return {**response, "segments": segments} if segments else response


# --- single values -----------------------------------------------------------------------------------


def _value(kind: str, name: str, value: Any) -> Result:
    return _result(0, kind, name, "shown", {"text" if kind == "textarea" else kind: value})


def _chosen(member: str) -> Kind:
    """Return how one choice or several are written."""

    def write(_: JsonObject, response: JsonObject) -> list[Result]:
        value = response[member]
        return [_value("choices", member, value if isinstance(value, list) else [value])]

    def read(params: JsonObject, results: Sequence[Result]) -> JsonObject:
        [chosen] = [each["value"]["choices"] for each in results if each["type"] == "choices"]
        return {member: chosen if params.get("allow_multiple", False) else chosen[0]}

    return Kind(write, read)


def _rated(_: JsonObject, response: JsonObject) -> list[Result]:
    return [_value("number", "rating", response["rating"])]


def _read_rated(_: JsonObject, results: Sequence[Result]) -> JsonObject:
    [rated] = [each["value"]["number"] for each in results if each["type"] == "number"]
    return {"rating": rated}


def _wrote(_: JsonObject, response: JsonObject) -> list[Result]:
    return [_value("textarea", "text", [response["text"]])]


def _read_wrote(_: JsonObject, results: Sequence[Result]) -> JsonObject:
    [text] = [each["value"]["text"][0] for each in results if each["type"] == "textarea"]
    return {"text": text}


def _ranked(_: JsonObject, response: JsonObject) -> list[Result]:
    return [_value("ranker", "ranking", {"rank": response["ranking"]})]


def _read_ranked(_: JsonObject, results: Sequence[Result]) -> JsonObject:
    [ranked] = [each["value"]["ranker"]["rank"] for each in results if each["type"] == "ranker"]
    return {"ranking": ranked}


def _filled(_: JsonObject, response: JsonObject) -> list[Result]:
    results = []
    for name, value in response["fields"].items():
        if isinstance(value, bool):
            results.append(_value("choices", name, ["true" if value else "false"]))
        elif isinstance(value, str):
            results.append(_value("textarea", name, [value]))
        else:
            results.append(_value("number", name, value))
    return results


def _read_filled(_: JsonObject, results: Sequence[Result]) -> JsonObject:
    fields: dict[str, Any] = {}
    for each in results:
        value = each["value"]
        if each["type"] == "choices":
            fields[each["from_name"]] = value["choices"][0] == "true"
        else:
            fields[each["from_name"]] = value["text"][0] if each["type"] == "textarea" else value["number"]
    return {"fields": fields}


_FIELDS = Kind(_filled, _read_filled)

KINDS: Mapping[str, Kind] = {
    "audio_transcription": Kind(_said, _read_said, ("alignment", "error")),
    "bounding_box": Kind(_regions("rectanglelabels", _rectangle), _shapes("rectanglelabels", _box)),
    "categorization": _chosen("category")._replace(rest=("category_id",)),
    "comparison": _chosen("choice"),
    "data_collection": _FIELDS,
    "named_entity_recognition": Kind(_spans, _read_spans),
    "polygon": Kind(_regions("polygonlabels", _points), _shapes("polygonlabels", _polygon)),
    "ranking": Kind(_ranked, _read_ranked),
    "rating": Kind(_rated, _read_rated),
    "text_response": Kind(_wrote, _read_wrote),
    "transcription": _FIELDS,
}
"""By the name of the task type."""
