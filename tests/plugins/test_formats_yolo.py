"""The format `yolo`, read back by itself and as its documentation describes it."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
import zipfile
from itertools import pairwise

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.bounding_box import BoundingBox
from workersai_plugins.polygon import Polygon
from workersai_plugins.yolo_format import Yolo

TYPES = (BoundingBox(), Polygon())


def files(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)
    return buffer.getvalue()


def numbers(annotations):
    """Return what was marked as one list of numbers for each object."""
    return [
        [value for corner in each["vertices"] for value in (corner["x"], corner["y"])]
        if "vertices" in each
        else [each[name] for name in ("left", "top", "width", "height")]
        for each in annotations
    ]


@given(
    st.lists(st.one_of([completed_tasks(each) for each in TYPES]), max_size=3, unique_by=lambda each: each.external_id)
)
def test_what_was_marked_comes_back_to_a_millionth_of_a_pixel(tasks):
    sized = sorted((task for task in tasks if "image_width" in task.params), key=lambda task: task.external_id)
    back = read_back(Yolo(), *tasks)
    assert len(sized) == len(back)
    for task, one in zip(sized, back, strict=True):
        params, marked = task.params, carried(task)["response"]["annotations"]
        again = one["response"]["annotations"]
        if marked:
            assert task.task_type == one["task_type"]
        for name in ("attachment", "image_width", "image_height"):
            assert params[name] == one["params"][name]
        for mine, its in zip(numbers(marked), numbers(again), strict=True):
            # Boxes may reach out of the image by a millionth of a pixel, which shares cannot.
            assert its == pytest.approx(mine, abs=3e-6)
        asked = params["objects_to_annotate"]
        usual = asked[0] if len(asked) == 1 else "object"
        labels = [unicodedata.normalize("NFC", each.get("label", usual)) for each in marked]
        assert [" ".join(label.split()) for label in labels] == [each["label"] for each in again]


def test_the_data_set_is_as_ultralytics_describes_it():
    box, polygon = (completed(each.name, *each.examples[0]) for each in TYPES)
    unsized = completed("bounding_box", *BoundingBox.examples[1])
    found = files(written(Yolo(), box, open_task(), polygon, unsized))
    data = yaml.safe_load(found["data.yaml"])
    assert (3, ["car", "bicycle", "roof"], "images") == (data["nc"], data["names"], data["train"])
    assert data["names"] == found["classes.txt"].splitlines()
    car, bicycle = (line.split() for line in found[f"labels/{box.external_id}.txt"].splitlines())
    assert ["0", "1"] == [car[0], bicycle[0]]
    assert [230 / 1280, 370.5 / 720, 220 / 1280, 140 / 720] == pytest.approx([float(each) for each in car[1:]])
    [roof] = found[f"labels/{polygon.external_id}.txt"].splitlines()
    assert "2 0.125 0.133333333333 0.525 0.159166666667 0.5 0.516666666667" == roof
    rows = list(csv.DictReader(io.StringIO(found["images.csv"])))
    assert [(f"images/{box.external_id}.jpg", "https://example.com/streets/1.jpg", "1280", "720")] == [
        tuple(row.values()) for row in rows[:1]
    ]
    assert f"{unsized.external_id}\tno image_width and image_height\n" == found["skipped.txt"]


DATA = "names:\n  1: dog\n  0: cat\n"


def test_a_data_set_of_another_tool_makes_tasks_for_its_images():
    content = zipped(data_yaml=DATA, train__images__a_jpg="", train__labels__a_txt="1 .5 .5 .5 .5\n", README_txt="Hi")
    [task] = found(Yolo(), content)
    assert {"attachment": "a.jpg", "objects_to_annotate": ["cat", "dog"], "with_labels": True} == task["params"]
    assert "bounding_box" == task["task_type"]
    assert "response" not in task


def test_a_box_among_polygons_is_a_polygon():
    images = "file,url,width,height\na.jpg,https://example.com/a.jpg,100,200\n"
    labels = "0 0 0 1 0 1 1\n1 .5 .5 .5 .5\n"
    [task] = found(Yolo(), zipped(classes_txt="cat\ndog\n", labels__a_txt=labels, images_csv=images))
    assert "polygon" == task["task_type"]
    assert [[0, 0, 100, 0, 100, 200], [25, 50, 75, 50, 75, 150, 25, 150]] == numbers(task["response"]["annotations"])


@pytest.mark.parametrize(
    "labels", ["0 1 1", "x 0 0 1 1", "0 0 0 1 b", "-1 0 0 1 1", "7 0 0 1 1", "0 nan 0 1 1", b"\xff"]
)
def test_a_wrong_file_fails_alone(labels):
    images = "file,url,width,height\na.jpg,https://example.com/a.jpg,100,200\nb.jpg,https://example.com/b.jpg,1,1\n"
    content = zipped(classes_txt="cat\n", images_csv=images, labels__a_txt=labels, labels__b_txt="", labels__c_txt="")
    (name, issue), (_, empty), (_, unknown) = reading(Yolo(), content)
    assert "labels/a.txt" == name
    assert isinstance(issue, Issue)
    assert [] == empty["response"]["annotations"]
    assert "no image of this name" in unknown.message


LAUGHS = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}]\n" for a, b in pairwise("abcdefghijkl"))


@pytest.mark.parametrize(
    "data",
    [
        "names: 7",
        "[",
        "a: b",
        "!!python/object/apply:os.getcwd []",
        "names: {1: a}",
        LAUGHS + "names: [*l]",
        "# " + "x" * 200_000,
    ],
    ids=range(7),
)
def test_classes_that_cannot_be_read_are_refused(data):
    with pytest.raises(Rejected, match="cannot be read"):
        reading(Yolo(), zipped(data_yaml=data))
    with pytest.raises(Rejected, match="there is no classes"):
        reading(Yolo(), zipped(a_txt=""))


def test_without_pyyaml_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Rejected, match=r"pip install 'workersai\[yolo\]'"):
        reading(Yolo(), zipped(data_yaml=DATA))
    assert [] == found(Yolo(), zipped(classes_txt="cat\n"))
