"""The format `coco`, read back by itself and by pycocotools."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools.coco import COCO

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.bounding_box import BoundingBox
from workersai_plugins.coco_format import Coco
from workersai_plugins.keypoint import Keypoint
from workersai_plugins.polygon import Polygon


def document(*tasks):
    return json.loads(b"".join(Coco().write(tasks)))


def test_boxes_polygons_and_keypoints_stand_in_one_document():
    tasks = [completed(each.name, *each.examples[0]) for each in (BoundingBox, Polygon, Keypoint)]
    whole = document(open_task(), *tasks)
    assert [(n, task.external_id) for n, task in enumerate(tasks, start=1)] == [
        (image["id"], image["external_id"]) for image in whole["images"]
    ]
    assert ("1.jpg", "https://example.com/streets/1.jpg", 1280, 720) == tuple(
        whole["images"][0][name] for name in ("file_name", "coco_url", "width", "height")
    )
    assert ["car", "bicycle", "roof", "person"] == [category["name"] for category in whole["categories"]]
    car, bicycle, roof, person = whole["annotations"]
    assert [1, 2, 3, 4] == [each["id"] for each in whole["annotations"]]
    assert [(1, 1), (1, 2), (2, 3), (3, 4)] == [
        (each["image_id"], each["category_id"]) for each in (car, bicycle, roof, person)
    ]
    assert ([120, 300.5, 220, 140], 30800) == (car["bbox"], car["area"])
    assert ([[100, 80, 420, 95.5, 400, 310]], [100, 80, 320, 230]) == (roof["segmentation"], roof["bbox"])
    assert 34475 == roof["area"]
    assert ([310, 90, 2, 250.5, 240, 1, 0, 0, 0], 2) == (person["keypoints"], person["num_keypoints"])
    assert [250.5, 90, 59.5, 150] == person["bbox"]
    assert ["nose", "left hand", "right hand"] == whole["categories"][3]["keypoints"]
    assert [[1, 2], [1, 3]] == whole["categories"][3]["skeleton"]


def test_without_labels_the_category_is_what_was_asked_for():
    box = {"annotations": [{"left": 0, "top": 0, "width": 1, "height": 1}]}
    one = completed("bounding_box", {"attachment": "https://example.com/", "objects_to_annotate": ["간판"]}, box)
    two = completed("bounding_box", {"attachment": "https://example.com/", "objects_to_annotate": ["a", "b"]}, box)
    whole = document(one, two, one)
    assert ["간판", "object"] == [category["name"] for category in whole["categories"]]
    assert [1, 2, 1] == [each["category_id"] for each in whole["annotations"]]


def test_no_task_leaves_an_empty_document():
    assert {"info": {"description": "WorkersAI"}, "images": [], "annotations": [], "categories": []} == document()


TYPES = (BoundingBox(), Polygon(), Keypoint())


def expected(task):
    """Return a task with its labels in NFC, and without the places of points that are not there."""
    whole = carried(task)
    for each in whole["response"]["annotations"]:
        if "label" in each:
            each["label"] = unicodedata.normalize("NFC", each["label"])
    return whole


@given(st.lists(st.one_of([completed_tasks(each) for each in TYPES]), max_size=3))
def test_a_task_comes_back_with_all_that_was_marked(tasks):
    assert [expected(task) for task in tasks] == read_back(Coco(), *tasks)


# pycocotools makes arrays the way of NumPy 1.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_pycocotools_reads_it(tmp_path):
    tasks = [completed(each.name, *each.examples[0]) for each in TYPES]
    (tmp_path / "coco.json").write_bytes(b"".join(Coco().write(tasks)))
    coco = COCO(tmp_path / "coco.json")
    assert ["car", "bicycle", "roof", "person"] == [each["name"] for each in coco.loadCats(coco.getCatIds())]
    assert [[120, 300.5, 220, 140], [900, 410, 60, 90]] == [
        each["bbox"] for each in coco.loadAnns(coco.getAnnIds(imgIds=[1]))
    ]
    [roof] = coco.loadAnns(coco.getAnnIds(imgIds=[2]))
    assert (600, 800) == coco.annToMask(roof).shape
    assert roof["area"] == pytest.approx(coco.annToMask(roof).sum(), rel=0.01)


def foreign(*annotations, **category):
    return json.dumps(
        {
            "images": [{"id": 7, "file_name": "a/1.jpg", "width": 64, "height": 48}],
            "annotations": [{"image_id": 7, "category_id": 3, **each} for each in annotations],
            "categories": [{"id": 3, "name": "cat", **category}],
        }
    )


def test_the_annotations_of_other_tools_tell_the_type():
    shared = {"attachment": "a/1.jpg", "objects_to_annotate": ["cat"], "with_labels": True}
    shared |= {"image_width": 64, "image_height": 48}
    box = {"bbox": [1, 2, 3, 4], "segmentation": []}
    [boxes] = found(Coco(), foreign(box, {**box, "iscrowd": 1}))
    assert ("bounding_box", shared) == (boxes["task_type"], boxes["params"])
    assert [{"left": 1, "top": 2, "width": 3, "height": 4, "label": "cat"}] == boxes["response"]["annotations"]
    [polygons] = found(Coco(), foreign({"segmentation": [[0, 0, 4, 0, 4, 4], [9, 9, 8, 8, 9, 8]]}))
    assert ("polygon", 2) == (polygons["task_type"], len(polygons["response"]["annotations"]))
    points = {"keypoints": ["ear", "tail"], "skeleton": [[1, 2]]}
    [keypoints] = found(Coco(), foreign({"keypoints": [5, 6, 2, 0, 0, 0]}, **points))
    assert ("keypoint", [["ear", "tail"]]) == (keypoints["task_type"], keypoints["params"]["skeleton"])
    assert [
        {"keypoints": {"ear": {"x": 5, "y": 6, "visibility": 2}, "tail": {"visibility": 0}}, "label": "cat"}
    ] == keypoints["response"]["annotations"]


def test_a_wrong_image_fails_alone_and_a_wrong_document_at_once():
    good = json.loads(foreign())
    good["images"] += [{"file_name": "no-id.jpg"}, 5]
    _, no_id, no_object = reading(Coco(), json.dumps(good))
    assert ("no-id.jpg", 3) == (no_id[0], no_object[0])
    assert isinstance(no_id[1], Issue)
    assert isinstance(no_object[1], Issue)
    for wrong in (b"", b"[]", b"{}", b'{"images": 1, "annotations": [], "categories": []}', b'{"a": NaN}', b"[" * 9999):
        with pytest.raises(Rejected):
            reading(Coco(), wrong)
