"""The format `voc`: boxes as PASCAL VOC, a zip with an XML file for each image.

Everingham 2010, "The PASCAL Visual Object Classes (VOC) Challenge", with the
element ``path`` that labelImg added: it holds the address of the image.
Corners are in pixels from the upper left corner of the image, with fractions
as they were drawn. White space in a label becomes one space.

An import takes a zip or a folder in which files ending in ``.xml`` may lie
anywhere. A document type is refused, and with it every entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, localcontext
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from xml.sax.saxutils import escape

from workersai_core.api import Issue, JsonObject, hookimpl
from workersai_plugins.archives import Entries, archive
from workersai_plugins.exporting import ExportedTask, Found, guarded, is_completed
from workersai_plugins.marked_images import box, category_of, file_name, image_params, one_line, size_of

__all__ = ["Voc", "register_exporters"]

_TASK_TYPE = "bounding_box"
_EXACT = 800
"""Digits enough to add and subtract any two floats without rounding."""
_NO_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")


class Voc:
    """Writes and reads boxes as PASCAL VOC."""

    media_type = "application/zip"
    file_extension = "zip"

    def write(self, tasks: Iterable[ExportedTask]) -> Iterator[bytes]:
        """Return the zip in pieces."""
        done = (task for task in tasks if is_completed(task, _TASK_TYPE))
        return archive((f"Annotations/{task.external_id}.xml", _document(task)) for task in done)

    def read(self, file: BinaryIO) -> Iterator[Found]:
        """Yield a task for each XML file.

        Raises:
            Rejected: it is no zip.
        """
        # Twice, because a task says what may be marked in any of the images.
        first, entries = Entries(file), Entries(file)
        names = first.names(".xml")
        roots = (_root(first, name) for name in names)
        classes = {label for root in roots if isinstance(root, Element) for label in _labels(root)}
        for name in names:
            found = _root(entries, name)
            yield name, found if isinstance(found, Issue) else guarded(_task, found, sorted(classes))


@hookimpl
def register_exporters() -> Mapping[str, object]:
    """Return the format of this module."""
    return {"voc": Voc()}


# --- writing -----------------------------------------------------------------------------------------


def _document(task: ExportedTask) -> str:
    params, size = task.params, size_of(task.params)
    sides = "" if size is None else f"<width>{size[0]}</width><height>{size[1]}</height><depth>3</depth>"
    return "\n".join(
        [
            "<annotation>",
            f"  <filename>{_text(file_name(params['attachment']))}</filename>",
            f"  <path>{_text(params['attachment'])}</path>",
            *([f"  <size>{sides}</size>"] if sides else []),
            "  <segmented>0</segmented>",
            *(_object(category_of(params, marked), marked) for marked in task.response["annotations"]),
            "</annotation>\n",
        ]
    )


def _object(label: str, marked: JsonObject) -> str:
    with localcontext(prec=_EXACT):
        corners: dict[str, Decimal] = {}
        for axis, start, side in (("x", "left", "width"), ("y", "top", "height")):
            low = Decimal(repr(marked[start]))
            corners |= {f"{axis}min": low, f"{axis}max": low + Decimal(repr(marked[side]))}
        edges = "".join(f"<{name}>{corners[name]:f}</{name}>" for name in ("xmin", "ymin", "xmax", "ymax"))
    rest = "<pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
    return f"  <object><name>{_text(one_line(label))}</name>{rest}<bndbox>{edges}</bndbox></object>"


def _text(text: str) -> str:
    return escape(text.translate(_NO_XML))


# --- reading -----------------------------------------------------------------------------------------


def _root(entries: Entries, name: str) -> Element | Issue:
    try:
        return _parsed(entries.read(name))
    except (ValueError, LookupError, expat.ExpatError) as error:
        return Issue("", f"This is no annotation in XML: {error}.", "invalid_row")


def _parsed(content: bytes) -> Element:
    """Return the root element.

    SECURITY: expat says where a document type begins before it looks into it.
    Refused there, no entity is ever defined, expanded or fetched.
    """
    builder, parser = TreeBuilder(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.Parse(content, True)
    return builder.close()


def _refuse(*_: object) -> None:
    raise ValueError("it has a document type, which is not read")


def _labels(root: Element) -> Iterator[str]:
    for each in root.iter("object"):
        yield one_line(each.findtext("name", ""))


def _task(root: Element, classes: Sequence[str]) -> JsonObject:
    if root.tag != "annotation":
        raise ValueError(f"its root is {root.tag} instead of annotation")
    path, name = root.findtext("path", ""), root.findtext("filename", "")
    size = [_number(root.findtext(f"size/{side}", "0")) for side in ("width", "height")]
    attachment = path if "://" in path else name or path
    return {
        "task_type": _TASK_TYPE,
        "params": image_params(attachment, classes, size if all(size) else None),
        "response": {"annotations": [_box(each) for each in root.iter("object")]},
    }


def _box(marked: Element) -> JsonObject:
    left, top, right, bottom = (marked.findtext(f"bndbox/{name}", "") for name in ("xmin", "ymin", "xmax", "ymax"))
    with localcontext(prec=_EXACT):
        width, height = Decimal(right) - Decimal(left), Decimal(bottom) - Decimal(top)
    sides = [_number(str(each)) for each in (left, top, width, height)]
    return box(*sides, label=one_line(marked.findtext("name", "")))


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")) or value != value:
        raise ValueError(f"{text} is no number of pixels")
    return int(value) if value.is_integer() else value
