"""Hypothesis strategies for the params and responses of `bounding_box`, `polygon` and `keypoint`."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st

from workersai_core.api import JsonObject
from workersai_plugins.strategies import labels, respelled

__all__ = [
    "box_params",
    "box_response",
    "keypoint_params",
    "keypoint_response",
    "polygon_params",
    "polygon_response",
]

Strategy = st.SearchStrategy[Any]

_IMAGES = st.sampled_from(["https://example.com/1.jpg", "http://[::1]/사진.png", "HTTPS://example.com/a?b=c"])
_USUAL = 1000


@st.composite
def _params(draw: st.DrawFn, more: Strategy) -> Any:
    params = {"attachment": draw(_IMAGES), "objects_to_annotate": draw(labels(1, 4)), **draw(more)}
    if draw(st.booleans()):
        params["with_labels"] = draw(st.booleans())
    if draw(st.booleans()):
        sides = st.integers(1, 400) | st.sampled_from([1.0, 640.0])
        params["image_width"], params["image_height"] = draw(sides), draw(sides)
    return params


def _label(params: JsonObject) -> Strategy:
    if not params.get("with_labels", False):
        return st.just({})
    return st.fixed_dictionaries({"label": respelled(params["objects_to_annotate"])})


def _along(params: JsonObject, size: str) -> Strategy:
    """Return places on one axis, whole ones among them, so that shapes often coincide."""
    end = params.get(size, _USUAL)
    return st.floats(0, end, allow_subnormal=False) | st.integers(0, int(end)) | st.sampled_from([0, end])


def _annotations(one: Strategy) -> Strategy:
    return st.fixed_dictionaries({"annotations": st.lists(one, max_size=4)})


# --- bounding_box ------------------------------------------------------------------------------------


def box_params() -> Strategy:
    """Return params of `bounding_box`."""
    least = st.integers(0, 10) | st.floats(0, 10, allow_subnormal=False)
    return _params(st.fixed_dictionaries({}, optional={"min_width": least, "min_height": least}))


@st.composite
def _box(draw: st.DrawFn, params: JsonObject) -> Any:
    box: dict[str, Any] = {}
    for start, side in (("left", "width"), ("top", "height")):
        low, high = sorted([draw(_along(params, f"image_{side}")), draw(_along(params, f"image_{side}"))])
        box[start], box[side] = low, max(high - low, params.get(f"min_{side}", 0), 0.001)
    return {**box, **draw(_label(params))}


def box_response(params: JsonObject) -> Strategy:
    """Return responses of `bounding_box`; some of their boxes reach a little out of the image."""
    return _annotations(_box(params))


# --- polygon -----------------------------------------------------------------------------------------


def polygon_params() -> Strategy:
    """Return params of `polygon`."""
    counts = {"min_vertices": st.integers(3, 6), "max_vertices": st.integers(5, 9)}
    return _params(st.fixed_dictionaries({}, optional=counts))


@st.composite
def _polygon(draw: st.DrawFn, params: JsonObject) -> Any:
    """Draw the corners around a centre, so that the polygon is simple more often than not."""
    width, height = params.get("image_width", _USUAL), params.get("image_height", _USUAL)
    count = draw(st.integers(params.get("min_vertices", 3), max(params.get("max_vertices", 7), 5)))
    far = st.floats(0.1, 0.5) | st.just(0.5)
    vertices = [
        {
            "x": width * (0.5 + reach * math.cos(math.tau * n / count)),
            "y": height * (0.5 + reach * math.sin(math.tau * n / count)),
        }
        for n, reach in enumerate(draw(st.lists(far, min_size=count, max_size=count)))
    ]
    start = draw(st.integers(0, count - 1))
    turned = vertices[start:] + vertices[:start]
    return {"vertices": draw(st.sampled_from([turned, turned[::-1]])), **draw(_label(params))}


def polygon_response(params: JsonObject) -> Strategy:
    """Return responses of `polygon`."""
    return _annotations(_polygon(params))


# --- keypoint ----------------------------------------------------------------------------------------


@st.composite
def keypoint_params(draw: st.DrawFn) -> Any:
    """Draw params of `keypoint`."""
    names = draw(labels(1, 4, longest=64))
    pairs = st.lists(st.lists(respelled(names), min_size=2, max_size=2), max_size=3)
    return draw(_params(st.fixed_dictionaries({"keypoints": st.just(names)}, optional={"skeleton": pairs})))


def keypoint_response(params: JsonObject) -> Strategy:
    """Return responses of `keypoint`."""
    absent = st.just({"visibility": 0})
    place = {"x": _along(params, "image_width"), "y": _along(params, "image_height")}
    placed = st.fixed_dictionaries({"visibility": st.sampled_from([1, 2, 2.0]), **place})
    points = st.fixed_dictionaries(dict.fromkeys(params["keypoints"], placed | absent))
    one = st.builds(lambda found, label: {"keypoints": found, **label}, points, _label(params))
    return _annotations(one)
