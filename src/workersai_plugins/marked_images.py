"""What the formats for images have in common: the name, the size and the categories of what was marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from workersai_core.api import JsonObject
from workersai_plugins.choices import nfc

__all__ = ["box", "category_of", "file_name", "image_params", "one_line", "size_of"]

_SIDES = ("width", "height")


def category_of(params: JsonObject, marked: JsonObject) -> str:
    """Return the label in NFC; without labels the object that was asked for, or ``object`` if there are several."""
    asked = params["objects_to_annotate"]
    return nfc(marked.get("label", asked[0] if len(asked) == 1 else "object"))


def file_name(url: str) -> str:
    """Return the name of the file at a URL; the URL when it has none."""
    return urlsplit(url).path.rpartition("/")[2] or url


def size_of(params: JsonObject) -> tuple[float, float] | None:
    """Return the width and height of the image; None when the task does not say both."""
    if "image_width" in params and "image_height" in params:
        return params["image_width"], params["image_height"]
    return None


def image_params(attachment: str, categories: Sequence[str], size: Sequence[Any] | None = None) -> dict[str, Any]:
    """Return params of a task for an image that another tool described.

    Args:
        attachment: Its URL, or the name of its file.
        categories: What may be marked.
        size: Its width and height.
    """
    params = {"attachment": attachment, "objects_to_annotate": list(categories) or ["object"], "with_labels": True}
    return params if size is None else {**params, **dict(zip(("image_width", "image_height"), size, strict=True))}


def box(left: Any, top: Any, width: Any, height: Any, **more: str) -> JsonObject:
    """Return an annotation of `bounding_box`."""
    return {"left": left, "top": top, "width": width, "height": height, **more}


def one_line(label: str) -> str:
    """Return a label whose white space is single spaces."""
    return " ".join(label.split())
