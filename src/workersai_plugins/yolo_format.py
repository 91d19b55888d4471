"""The format `yolo`: boxes and polygons as a zip with a text file for each image.

Ultralytics, "Object Detection Datasets Overview" and "Instance Segmentation
Datasets Overview": ``labels/NAME.txt`` has a line for each object, the number
of its class and then centre and size of the box, or the corners of the
polygon, as shares of the image. The classes are in ``data.yaml`` and, for tools
that look there, in ``classes.txt``. ``images.csv`` is ours: which image belongs
to which file, where to fetch it and how large it is. White space in a label
becomes one space.

Shares need the size of the image. Tasks that do not say it are left out, and
``skipped.txt`` names them.

An import takes a zip or a folder. ``data.yaml`` is read where there is no
``classes.txt``; that needs PyYAML: ``pip install 'workersai[yolo]'``. Without
the sizes in ``images.csv`` it makes tasks without their responses.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from workersai_core.api import JsonObject, Rejected, hookimpl
from workersai_plugins.archives import Entries, archive
from workersai_plugins.exporting import ExportedTask, Found, guarded, is_completed
from workersai_plugins.marked_images import box, category_of, file_name, image_params, one_line, size_of

__all__ = ["Yolo", "register_exporters"]

_TYPES = ("bounding_box", "polygon")
_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_NO_LABELS = frozenset({"classes", "skipped", "train", "val", "valid", "test", "readme", "readme.roboflow"})
_BOX = 4
_LEAST_CORNERS = 6
_LONGEST_YAML = 200_000
_EXACT = 6
"""Digits of a pixel that come back."""


class Yolo:
    """Writes and reads boxes and polygons for YOLO."""

    media_type = "application/zip"
    file_extension = "zip"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Return the zip in pieces."""
        return archive(_files(tasks))

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield a task for each text file of labels.

        Raises:
            Rejected: it is no zip, or its classes cannot be read.
        """
        entries = Entries(file)
        try:
            classes = _classes(entries)
            images = _images(entries)
        except ValueError as error:
            raise Rejected(f"The classes or images of this data set cannot be read: {error}") from None
        for name in entries.names(".txt"):
            if _stem(name).lower() not in _NO_LABELS:
                yield name, guarded(_task, entries, name, classes, images)


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"yolo": Yolo()}


class _Image(NamedTuple):
    """Where an image is, and its size if that is known."""

    address: str
    size: tuple[float, float] | None


# --- writing -----------------------------------------------------------------------------------------


def _files(tasks: Iterable[ExportedTask]) -> Iterator[tuple[str, str]]:
    numbers: dict[str, int] = {}
    images, skipped = io.StringIO(), io.StringIO()
    rows = csv.writer(images)
    rows.writerow(["file", "url", "width", "height"])
    for task in tasks:
        if not is_completed(task, *_TYPES):
            continue
        params = task.params
        size = size_of(params)
        if size is None:
            skipped.write(f"{task.external_id}\tno image_width and image_height\n")
            continue
        lines = [_line(params, marked, size, numbers) for marked in task.response["annotations"]]
        yield f"labels/{task.external_id}.txt", "".join(lines)
        # The address begins with http: no spreadsheet takes it for a formula.
        rows.writerow([f"images/{task.external_id}{_ending(params['attachment'])}", params["attachment"], *size])
    names = list(numbers)
    # JSON is YAML.
    listed = json.dumps(names, ensure_ascii=False)
    yield "data.yaml", f"path: .\ntrain: images\nval: images\nnc: {len(names)}\nnames: {listed}\n"
    yield "classes.txt", "".join(f"{name}\n" for name in names)
    yield "images.csv", images.getvalue()
    yield "skipped.txt", skipped.getvalue()


def _line(params: JsonObject, marked: JsonObject, size: tuple[float, float], numbers: dict[str, int]) -> str:
    number = numbers.setdefault(one_line(category_of(params, marked)), len(numbers))
    width, height = size
    if "vertices" in marked:
        shares = [share for each in marked["vertices"] for share in (each["x"] / width, each["y"] / height)]
    else:
        across, down = marked["width"] / width, marked["height"] / height
        shares = [marked["left"] / width + across / 2, marked["top"] / height + down / 2, across, down]
    return " ".join([str(number), *(_decimal(share) for share in shares)]) + "\n"


def _decimal(share: float) -> str:
    """Return a share to a millionth of a pixel of the largest image."""
    return f"{min(max(share, 0.0), 1.0):.12f}".rstrip("0").rstrip(".")


def _ending(url: str) -> str:
    dot, ending = file_name(url).rpartition(".")[1:]
    return f".{ending.lower()}" if f"{dot}{ending}".lower() in _IMAGES else ".jpg"


# --- reading -----------------------------------------------------------------------------------------


def _stem(name: str) -> str:
    last = name.rpartition("/")[2]
    return last.rpartition(".")[0]


def _classes(entries: Entries) -> Sequence[str]:
    for known in ("classes.txt", "obj.names"):
        listed = entries.named(known)
        if listed is not None:
            return [line.strip() for line in entries.text(listed).splitlines()]
    for known in ("data.yaml", "data.yml", "dataset.yaml"):
        described = entries.named(known)
        if described is not None:
            return _named_in(entries.text(described))
    raise ValueError("there is no classes.txt and no data.yaml.")


def _named_in(text: str) -> Sequence[str]:
    """Return the classes of a `data.yaml`: a list, or a mapping from their numbers."""
    try:
        import yaml  # type: ignore[import-untyped]  # it has no types
    except ModuleNotFoundError:
        raise Rejected("A data.yaml needs PyYAML. Install it with: pip install 'workersai[yolo]'") from None
    if len(text) > _LONGEST_YAML:
        raise ValueError(f"data.yaml has {_LONGEST_YAML} characters at most.")
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"data.yaml is no YAML: {error}.") from None
    names = document.get("names") if isinstance(document, dict) else None
    if isinstance(names, dict):
        names = [names.get(number) for number in range(len(names))]
    # SECURITY: a list of aliases to lists of aliases would grow without end as text.
    if isinstance(names, list) and all(isinstance(name, str | int | float) for name in names):
        return [str(name) for name in names]
    raise ValueError("data.yaml has no names, as a list or by their numbers from 0.")


def _images(entries: Entries) -> Mapping[str, _Image]:
    """Return the images by the names of their files, without their endings."""
    images = {_stem(name): _Image(name.rpartition("/")[2], None) for name in entries.names(*_IMAGES)}
    listed = entries.named("images.csv")
    if listed is not None:
        try:
            for row in csv.DictReader(io.StringIO(entries.text(listed), newline="")):
                images[_stem(row["file"])] = _Image(row["url"], (_side(row["width"]), _side(row["height"])))
        except (csv.Error, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"images.csv has a row without file, url, width and height: {error}.") from None
    return images


def _task(entries: Entries, name: str, classes: Sequence[str], images: Mapping[str, _Image]) -> JsonObject:
    image = images.get(_stem(name))
    if image is None:
        raise ValueError("there is no image of this name, neither in the data set nor in images.csv")
    objects = [_object(line.split()) for line in entries.text(name).splitlines() if line.strip()]
    outlined = any(len(shares) >= _LEAST_CORNERS for _, shares in objects)
    task = {
        "task_type": "polygon" if outlined else "bounding_box",
        "params": image_params(image.address, classes, image.size),
    }
    if image.size is None:
        return task
    width, height = image.size
    shape = _polygon if outlined else _rectangle
    marked = [{**shape(shares, width, height), "label": classes[number]} for number, shares in objects]
    return {**task, "response": {"annotations": marked}}


def _object(words: Sequence[str]) -> tuple[int, Sequence[float]]:
    number, shares = int(words[0]), [float(word) for word in words[1:]]
    if number < 0 or not (len(shares) == _BOX or (len(shares) >= _LEAST_CORNERS and len(shares) % 2 == 0)):
        raise ValueError(f"a line has a class and 4 numbers or the pairs of 3 corners or more; this has {len(words)}")
    if not all(0 <= share <= 1 for share in shares):
        raise ValueError("places and sizes are shares of the image, from 0 to 1")
    return number, shares


def _rectangle(shares: Sequence[float], width: float, height: float) -> JsonObject:
    across, down = shares[2] * width, shares[3] * height
    return box(
        max(0, _pixels(shares[0] * width - across / 2)),
        max(0, _pixels(shares[1] * height - down / 2)),
        _pixels(across),
        _pixels(down),
    )


def _polygon(shares: Sequence[float], width: float, height: float) -> JsonObject:
    if len(shares) == _BOX:
        across, down = shares[2] / 2, shares[3] / 2
        left, right, top, bottom = shares[0] - across, shares[0] + across, shares[1] - down, shares[1] + down
        shares = (left, top, right, top, right, bottom, left, bottom)
    corners = zip(shares[::2], shares[1::2], strict=True)
    return {"vertices": [{"x": _pixels(x * width), "y": _pixels(y * height)} for x, y in corners]}


def _pixels(value: float) -> float:
    return _number(round(value, _EXACT))


def _side(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(f"{text} is no size of an image")
    return _number(value)


def _number(value: float) -> float:
    return int(value) if value.is_integer() else value
