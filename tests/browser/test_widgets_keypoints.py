"""Placing named points on a picture in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.pictures import png
from support.recordings import serving
from support.shift import Picture, give, response_of, saved, submit

WIDTH, HEIGHT = 400, 200
NAMES = ["nose", "왼손", "right hand"]
SKELETON = [["nose", "왼손"], ["nose", "right hand"]]


@pytest.fixture(scope="module")
def address():
    with serving({"/picture.png": ("image/png", png(WIDTH, HEIGHT))}) as url:
        yield f"{url}/picture.png"


@pytest.fixture
def task(at_work, world, address):
    """Return a function that shows a task and returns its id and its picture."""

    def show(**params):
        at_work.watch.allow(address)
        params = {"keypoints": NAMES, "skeleton": SKELETON, "objects_to_annotate": ["person", "dog"], **params}
        task_id = give(at_work, world, "keypoint", {"attachment": address, **params})
        expect(at_work.locator(".wai-view svg")).to_be_visible()
        return task_id, Picture(at_work, WIDTH, HEIGHT)

    return show


def point(x, y, visibility=2):
    return {"x": pytest.approx(x, abs=1), "y": pytest.approx(y, abs=1), "visibility": visibility}


def due(page):
    return page.locator(".wai-drawing strong")


def test_points_are_placed_in_their_order_for_one_object_after_the_other(at_work, world, task):
    task_id, picture = task(with_labels=True)
    for name, place in zip(NAMES, [(100, 40), (60, 120), (140, 120)], strict=True):
        expect(due(at_work)).to_have_text(name)
        picture.click(*place)
    at_work.get_by_role("button", name="Next object").click()
    at_work.keyboard.press("2")
    picture.click(300, 40)
    at_work.keyboard.press("Alt+x")
    picture.click(340, 120)
    submit(at_work)
    first, second = response_of(world, task_id)["annotations"]
    assert {"nose": point(100, 40), "왼손": point(60, 120), "right hand": point(140, 120)} == first["keypoints"]
    assert {"nose": point(300, 40), "왼손": {"visibility": 0}, "right hand": point(340, 120)} == second["keypoints"]
    assert ["person", "dog"] == [first["label"], second["label"]]


def test_the_keyboard_alone_places_hides_and_moves(at_work, world, task):
    task_id, _ = task()
    at_work.locator(".wai-view").focus()
    at_work.keyboard.press("ArrowLeft")  # shows the cross in the middle
    at_work.keyboard.press("Enter")
    at_work.keyboard.press("Shift+ArrowDown")
    at_work.keyboard.press("Enter")
    at_work.keyboard.press("Alt+x")
    at_work.get_by_role("button", name="왼손, visible").focus()
    at_work.keyboard.press(" ")
    expect(at_work.get_by_role("button", name="왼손, hidden")).to_be_focused()
    at_work.keyboard.press("ArrowLeft")
    submit(at_work)
    (found,) = response_of(world, task_id)["annotations"]
    expected = {
        "nose": {"x": 200, "y": 100, "visibility": 2},
        "왼손": {"x": 199, "y": 110, "visibility": 1},
        "right hand": {"visibility": 0},
    }
    assert expected == found["keypoints"]


def test_the_list_says_what_can_be_seen_and_the_mouse_drags(at_work, task):
    _, picture = task()
    for place in [(100, 40), (60, 120), (140, 120)]:
        picture.click(*place)
    picture.drag((60, 120), (80, 150))
    at_work.get_by_label("nose", exact=True).select_option("0")
    expect(at_work.get_by_label("nose", exact=True)).to_be_focused()
    expected = {"nose": {"visibility": 0}, "왼손": point(80, 150), "right hand": point(140, 120)}
    assert expected == picture.marked()[0]["keypoints"]


def test_an_unfinished_object_goes_on_after_a_reload(at_work, task):
    _, picture = task()
    with saved(at_work, "nose"):
        picture.click(100, 40)
    at_work.reload()
    expect(due(at_work)).to_have_text("왼손")
    Picture(at_work, WIDTH, HEIGHT).click(60, 120)
    assert ["nose", "왼손"] == list(picture.marked()[0]["keypoints"])


def test_the_skeleton_joins_points(at_work, task):
    _, picture = task()
    for place in [(100, 40), (60, 120), (140, 120)]:
        picture.click(*place)
    expect(at_work.locator(".wai-shape line.wai-line")).to_have_count(2)
