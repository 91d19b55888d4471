"""The export format `coco`, read back."""

from __future__ import annotations

import json

from support.exported_tasks import completed, open_task
from workersai_plugins.bounding_box import BoundingBox
from workersai_plugins.coco_format import Coco
from workersai_plugins.keypoint import Keypoint
from workersai_plugins.polygon import Polygon


def document(*tasks):
    return json.loads(b"".join(Coco().write(tasks)))


def test_boxes_polygons_and_keypoints_stand_in_one_document():
    tasks = [completed(each.name, *each.examples[0]) for each in (BoundingBox, Polygon, Keypoint)]
    found = document(open_task(), *tasks)
    assert [(n, task.external_id) for n, task in enumerate(tasks, start=1)] == [
        (image["id"], image["external_id"]) for image in found["images"]
    ]
    assert ("1.jpg", "https://example.com/streets/1.jpg", 1280, 720) == tuple(
        found["images"][0][name] for name in ("file_name", "coco_url", "width", "height")
    )
    assert ["car", "bicycle", "roof", "person"] == [category["name"] for category in found["categories"]]
    car, bicycle, roof, person = found["annotations"]
    assert [1, 2, 3, 4] == [each["id"] for each in found["annotations"]]
    assert [(1, 1), (1, 2), (2, 3), (3, 4)] == [
        (each["image_id"], each["category_id"]) for each in (car, bicycle, roof, person)
    ]
    assert ([120, 300.5, 220, 140], 30800) == (car["bbox"], car["area"])
    assert ([[100, 80, 420, 95.5, 400, 310]], [100, 80, 320, 230]) == (roof["segmentation"], roof["bbox"])
    assert 34475 == roof["area"]
    assert ([310, 90, 2, 250.5, 240, 1, 0, 0, 0], 2) == (person["keypoints"], person["num_keypoints"])
    assert [250.5, 90, 59.5, 150] == person["bbox"]
    assert ["nose", "left hand", "right hand"] == found["categories"][3]["keypoints"]
    assert [[1, 2], [1, 3]] == found["categories"][3]["skeleton"]


def test_without_labels_the_category_is_what_was_asked_for():
    box = {"annotations": [{"left": 0, "top": 0, "width": 1, "height": 1}]}
    one = completed("bounding_box", {"attachment": "https://example.com/", "objects_to_annotate": ["간판"]}, box)
    two = completed("bounding_box", {"attachment": "https://example.com/", "objects_to_annotate": ["a", "b"]}, box)
    found = document(one, two, one)
    assert ["간판", "object"] == [category["name"] for category in found["categories"]]
    assert [1, 2, 1] == [each["category_id"] for each in found["annotations"]]


def test_no_task_leaves_an_empty_document():
    assert {"info": {"description": "WorkersAI"}, "images": [], "annotations": [], "categories": []} == document()
