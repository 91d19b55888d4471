"""The format `label_studio`, in both directions."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_core.plugins import Plugins
from workersai_plugins.label_studio_format import LabelStudio

TYPES = {each.name: each for each in Plugins.load(()).types if each.name != "keypoint"}
MARKED = ("bounding_box", "polygon")


def rounded(response):
    """Return what was marked to a millionth of a pixel, with labels in NFC."""
    found = []
    for each in response["annotations"]:
        label = {"label": unicodedata.normalize("NFC", each["label"])} if "label" in each else {}
        places = each.get("vertices", [each])
        numbers = [value for place in places for name, value in sorted(place.items()) if name != "label"]
        found.append((label, numbers))
    return found


@pytest.mark.parametrize("name", sorted(set(TYPES) - set(MARKED)))
def test_a_task_comes_back_as_it_was(name):
    @settings(max_examples=40)
    @given(st.lists(completed_tasks(TYPES[name]), max_size=2))
    def law(tasks):
        assert [carried(task) for task in tasks] == read_back(LabelStudio(), *tasks)

    law()


@pytest.mark.parametrize("name", MARKED)
def test_what_was_marked_comes_back_to_a_millionth_of_a_pixel(name):
    @given(completed_tasks(TYPES[name]))
    def law(task):
        mine, [its] = carried(task), read_back(LabelStudio(), task)
        expected, response = mine.pop("response"), its.pop("response", None)
        assert mine == its
        if not expected["annotations"]:
            assert expected == response
        elif "image_width" not in task.params:
            assert response is None
        else:
            for (label, places), (label_again, again) in zip(rounded(expected), rounded(response), strict=True):
                assert label == label_again
                assert again == pytest.approx(places, abs=2e-6)

    law()


def test_label_studio_finds_what_it_looks_for():
    tasks = [completed(name, *TYPES[name].examples[0]) for name in (*MARKED, "named_entity_recognition")]
    boxes, polygon, spans = json.loads(written(LabelStudio(), open_task(), *tasks))
    [[car, _]] = [each["result"] for each in boxes["annotations"]]
    assert {"image": "https://example.com/streets/1.jpg"} == boxes["data"]
    assert ("rectanglelabels", "image", 1280, 720, ["car"]) == (
        car["type"],
        car["to_name"],
        car["original_width"],
        car["original_height"],
        car["value"]["rectanglelabels"],
    )
    assert (9.375, 17.1875) == (car["value"]["x"], car["value"]["width"])
    [roof] = polygon["annotations"][0]["result"]
    assert [12.5, 80 / 6] == pytest.approx(roof["value"]["points"][0])
    assert {"start": 0, "end": 12, "text": "Ada Lovelace", "labels": ["person"]} == (
        spans["annotations"][0]["result"][0]["value"]
    )


def entry(*results, data=None, **more):
    return {
        "id": 5,
        "data": data or {"image": "https://example.com/1.jpg"},
        "annotations": [{"result": results}],
        **more,
    }


def result(kind, **value):
    return {
        "id": "a",
        "type": kind,
        "from_name": "x",
        "to_name": "y",
        "value": value,
        "original_width": 200,
        "original_height": 100,
    }


def test_tasks_of_label_studio_itself_have_the_type_of_their_results():
    box = result("rectanglelabels", x=10, y=20, width=30, height=40, rotation=0, rectanglelabels=["cat"])
    polygon = result("polygonlabels", points=[[0, 0], [50, 0], [50, 50]], polygonlabels=["dog"])
    span = result("labels", start=0, end=3, text="Ada", labels=["PER"])
    choice = result("choices", choices=["a", "b"])
    boxed, outlined, spans, chosen = found(
        LabelStudio(),
        json.dumps(
            [
                entry(box),
                entry(polygon),
                entry(span, data={"text": "Ada"}),
                entry(choice, data={"text": "hello"}),
            ]
        ),
    )
    assert [{"left": 20, "top": 20, "width": 60, "height": 40, "label": "cat"}] == boxed["response"]["annotations"]
    assert (["cat"], 200, 100) == tuple(
        boxed["params"][n] for n in ("objects_to_annotate", "image_width", "image_height")
    )
    assert {"x": 100, "y": 50} == outlined["response"]["annotations"][0]["vertices"][2]
    assert [{"start": 0, "end": 3, "label": "PER", "text": "Ada"}] == spans["response"]["spans"]
    assert ("categorization", ["a", "b"], {"category": ["a", "b"]}) == (
        chosen["task_type"],
        chosen["params"]["categories"],
        chosen["response"],
    )


def test_the_last_annotation_that_was_not_skipped_counts():
    one, two, skipped = (
        {"result": [result("choices", choices=[each])], "was_cancelled": each == "c"} for each in ("a", "b", "c")
    )
    task = {"data": {"text": "x"}, "annotations": [one, two, skipped]}
    [read] = found(LabelStudio(), json.dumps([task]))
    assert {"category": "b"} == read["response"]


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        {},
        entry(),
        entry(result("brushlabels")),
        entry(result("rectanglelabels", rectanglelabels=["a"], x=1, y=1, width=1, height=1, rotation=7)),
        entry(result("labels")),
    ],
)
def test_a_wrong_task_fails_alone(wrong):
    good = entry(result("choices", choices=["a"]), data={"text": "x"})
    (number, issue), (_, task) = reading(LabelStudio(), json.dumps([wrong, good]))
    assert 1 == number
    assert isinstance(issue, Issue)
    assert "x" == task["params"]["attachment"]


@pytest.mark.parametrize("content", ["", "{}", "[NaN]"])
def test_what_is_no_array_is_refused(content):
    with pytest.raises(Rejected):
        reading(LabelStudio(), content)
