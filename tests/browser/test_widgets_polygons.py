"""Outlining objects on a picture in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.pictures import png
from support.recordings import serving
from support.shift import Picture, give, response_of, saved, submit

WIDTH, HEIGHT = 400, 200
TRIANGLE = [(40, 40), (160, 50), (120, 140)]


@pytest.fixture(scope="module")
def address():
    with serving({"/picture.png": ("image/png", png(WIDTH, HEIGHT))}) as url:
        yield f"{url}/picture.png"


@pytest.fixture
def task(at_work, world, address):
    """Return a function that shows a task and returns its id and its picture."""

    def show(**params):
        at_work.watch.allow(address)
        params = {"attachment": address, "objects_to_annotate": ["roof", "호수"], **params}
        task_id = give(at_work, world, "polygon", params)
        expect(at_work.locator(".wai-view svg")).to_be_visible()
        return task_id, Picture(at_work, WIDTH, HEIGHT)

    return show


def corners(annotation):
    return [(each["x"], each["y"]) for each in annotation["vertices"]]


def near(expected, found):
    assert len(expected) == len(found)
    for one, other in zip(expected, found, strict=True):
        assert one == pytest.approx(other, abs=1)
    return True


def outline(picture, points):
    for point in points:
        picture.click(*point)
    picture.click(*points[0])


def test_clicks_draw_and_one_on_the_first_corner_closes(at_work, world, task):
    task_id, picture = task(with_labels=True)
    at_work.keyboard.press("2")
    outline(picture, TRIANGLE)
    submit(at_work)
    (found,) = response_of(world, task_id)["annotations"]
    assert "호수" == found["label"]
    assert {tuple(map(round, each)) for each in TRIANGLE} == {tuple(map(round, each)) for each in corners(found)}


def test_the_keyboard_alone_draws_and_moves_a_corner(at_work, world, task):
    task_id, picture = task()
    at_work.locator(".wai-view").focus()
    at_work.keyboard.press("ArrowLeft")  # shows the cross in the middle
    for key in ("Shift+ArrowRight", "Shift+ArrowDown"):
        at_work.keyboard.press("Enter")
        for _ in range(4):
            at_work.keyboard.press(key)
    at_work.keyboard.press("Enter")
    at_work.keyboard.press("Shift+Enter")
    assert [(200, 100), (240, 100), (240, 140)] == corners(picture.marked()[0])
    at_work.get_by_role("button", name="Corner 2: 240, 100").focus()
    at_work.keyboard.press("Shift+ArrowUp")
    expect(at_work.get_by_role("button", name="Corner 2: 240, 90")).to_be_focused()
    submit(at_work)
    found = corners(response_of(world, task_id)["annotations"][0])
    assert {(200, 100), (240, 90), (240, 140)} == set(found)


def test_a_corner_is_dragged_another_made_and_one_removed(at_work, task):
    _, picture = task()
    outline(picture, TRIANGLE)
    picture.drag((160, 50), (200, 60))
    assert near([(40, 40), (200, 60), (120, 140)], corners(picture.marked()[0]))
    picture.drag((120, 50), (130, 20))
    assert near([(40, 40), (130, 20), (200, 60), (120, 140)], corners(picture.marked()[0]))
    at_work.get_by_role("button", name="Corner 1:").focus()
    at_work.keyboard.press("Delete")
    assert near([(130, 20), (200, 60), (120, 140)], corners(picture.marked()[0]))
    picture.drag((150, 70), (160, 80))
    assert near([(140, 30), (210, 70), (130, 150)], corners(picture.marked()[0]))


def test_backspace_takes_the_last_corner_back_and_escape_the_outline(at_work, task):
    _, picture = task()
    for point in TRIANGLE:
        picture.click(*point)
    at_work.keyboard.press("Backspace")
    assert near(TRIANGLE[:2], corners(picture.marked()[0]))
    at_work.keyboard.press("Escape")
    assert [] == picture.marked()
    outline(picture, TRIANGLE)
    assert near(TRIANGLE, corners(picture.marked()[0]))


def test_the_outline_closes_by_itself_at_the_greatest_number_of_corners(at_work, world, task):
    task_id, picture = task(max_vertices=3)
    for point in TRIANGLE:
        picture.click(*point)
    expect(at_work.get_by_role("button", name="Close the outline")).to_be_disabled()
    picture.click(300, 150)
    assert 1 == len([each for each in picture.marked() if len(each["vertices"]) == 3])
    at_work.keyboard.press("Escape")
    submit(at_work)
    assert 1 == len(response_of(world, task_id)["annotations"])


def test_an_outline_that_was_begun_is_not_lost_and_not_accepted(at_work, task):
    _, picture = task()
    with saved(at_work, "vertices"):
        for point in TRIANGLE[:2]:
            picture.click(*point)
    at_work.keyboard.press("Control+Enter")
    expect(at_work.locator(".wai-summary")).to_be_visible()
    expect(at_work.locator(".wai-found li .wai-error")).to_be_visible()
    assert near(TRIANGLE[:2], corners(picture.marked()[0]))
    at_work.watch.forget("422")
