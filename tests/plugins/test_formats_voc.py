"""The format `voc`, read back by itself and by an XML parser of its own."""

from __future__ import annotations

import io
import unicodedata
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.bounding_box import BoundingBox
from workersai_plugins.voc_format import Voc

BOMB = """<!DOCTYPE a [<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotation><filename>&b;</filename></annotation>"""
OUTSIDE = """<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<annotation><filename>&a;</filename></annotation>"""
XML = "\N{REPLACEMENT CHARACTER}"


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.xml", text)
    return buffer.getvalue()


def spelled(label):
    """Return a label as XML takes it."""
    return "".join(XML if each < " " or each in "\ufffe\uffff" else each for each in " ".join(label.split()))


def expected(task):
    """Return what VOC holds of the boxes: their corners and labels."""
    params, whole = task.params, carried(task)
    asked = params["objects_to_annotate"]
    usual = asked[0] if len(asked) == 1 else "object"
    boxes = [
        {**each, "label": spelled(unicodedata.normalize("NFC", each.get("label", usual)))}
        for each in whole["response"]["annotations"]
    ]
    return params["attachment"], params.get("image_width"), params.get("image_height"), boxes


@given(st.lists(completed_tasks(BoundingBox()), max_size=3, unique_by=lambda task: task.external_id))
def test_boxes_come_back_to_the_last_digit(tasks):
    back = []
    for each in read_back(Voc(), *tasks):
        params, boxes = each["params"], each["response"]["annotations"]
        back.append((params["attachment"], params.get("image_width"), params.get("image_height"), boxes))
    assert [expected(task) for task in sorted(tasks, key=lambda task: task.external_id)] == back


def test_other_tools_find_what_they_look_for():
    task = completed("bounding_box", *BoundingBox.examples[0])
    with zipfile.ZipFile(io.BytesIO(written(Voc(), open_task(), task))) as archive:
        [name] = archive.namelist()
        root = ElementTree.fromstring(archive.read(name))
    assert f"Annotations/{task.external_id}.xml" == name
    assert ("1.jpg", "1280", "720") == tuple(root.findtext(at) for at in ("filename", "size/width", "size/height"))
    assert [("car", 120, 300.5, 340, 440.5), ("bicycle", 900, 410, 960, 500)] == [
        (each.findtext("name"), *(float(corner.text) for corner in each.find("bndbox"))) for each in root.iter("object")
    ]


def test_files_of_other_tools_are_tasks_for_all_their_classes():
    one = "<annotation><filename>1.jpg</filename><object><name>cat</name><bndbox><xmin>1</xmin><ymin>2</ymin>"
    one += "<xmax>4</xmax><ymax>8</ymax></bndbox></object></annotation>"
    two = "<annotation><path>C:\\pictures\\2.jpg</path><filename>2.jpg</filename><object><name>dog</name>"
    two += "<bndbox><xmin>0</xmin><ymin>0</ymin><xmax>1.5</xmax><ymax>1</ymax></bndbox></object></annotation>"
    cat, dog = found(Voc(), zipped(a=one, b=two))
    assert {"attachment": "1.jpg", "objects_to_annotate": ["cat", "dog"], "with_labels": True} == cat["params"]
    assert [{"left": 1, "top": 2, "width": 3, "height": 6, "label": "cat"}] == cat["response"]["annotations"]
    assert ("2.jpg", 1.5) == (dog["params"]["attachment"], dog["response"]["annotations"][0]["width"])


@pytest.mark.parametrize("hostile", [BOMB, OUTSIDE, "<annotation>&a;</annotation>", "<html/>", "", "\0", "<a>" * 50])
def test_entities_are_never_expanded_and_a_wrong_file_fails_alone(hostile):
    good = "<annotation><filename>1.jpg</filename></annotation>"
    (name, issue), (_, task) = reading(Voc(), zipped(a=hostile, b=good))
    assert "a.xml" == name
    assert isinstance(issue, Issue)
    assert "1.jpg" == task["params"]["attachment"]


def test_what_is_no_zip_is_refused():
    with pytest.raises(Rejected, match="no zip"):
        reading(Voc(), b"PK\x03\x04 no zip")


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 17 * 1_048_576)
    [(_, issue)] = reading(Voc(), buffer.getvalue())
    assert "bytes at most" in issue.message
