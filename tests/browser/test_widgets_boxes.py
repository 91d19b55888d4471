"""Drawing boxes on a picture in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from support.pictures import png
from support.recordings import serving
from support.shift import Picture, give, response_of, saved, submit

WIDTH, HEIGHT = 400, 200


@pytest.fixture(scope="module")
def picture():
    with serving({"/picture.png": ("image/png", png(WIDTH, HEIGHT))}) as url:
        yield f"{url}/picture.png"


def show(page, world, picture, **params):
    page.watch.allow(picture)
    params = {"attachment": picture, "objects_to_annotate": ["car", "표지판"], **params}
    task_id = give(page, world, "bounding_box", params)
    expect(page.locator(".wai-view svg")).to_be_visible()
    return task_id


def drag(page, start, end):
    Picture(page, WIDTH, HEIGHT).drag(start, end)


def boxes(page):
    return Picture(page, WIDTH, HEIGHT).marked()


def near(expected, found):
    """Compare boxes to a pixel: a window has whole ones of its own."""
    names = ("left", "top", "width", "height")
    assert [each.get("label") for each in expected] == [each.get("label") for each in found]
    for one, other in zip(expected, found, strict=True):
        assert [one[name] for name in names] == pytest.approx([other[name] for name in names], abs=1)
    return True


def box(left, top, width, height, **more):
    return {"left": left, "top": top, "width": width, "height": height, **more}


def test_the_mouse_draws_boxes_with_labels_chosen_by_key(at_work, world, picture):
    task_id = show(at_work, world, picture, with_labels=True)
    drag(at_work, (20, 30), (120, 90))
    at_work.keyboard.press("2")
    at_work.keyboard.press("Escape")
    at_work.keyboard.press("1")
    drag(at_work, (300, 180), (200, 100))
    submit(at_work)
    found = response_of(world, task_id)["annotations"]
    assert near([box(20, 30, 100, 60, label="표지판"), box(200, 100, 100, 80, label="car")], found)


def test_the_keyboard_alone_draws_moves_and_resizes(at_work, world, picture):
    task_id = show(at_work, world, picture)
    at_work.locator(".wai-view").focus()
    at_work.keyboard.press("ArrowLeft")  # shows the cross in the middle
    at_work.keyboard.press("Enter")
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "ArrowDown"):
        at_work.keyboard.press(key)
    at_work.keyboard.press("Enter")
    assert [box(200, 100, 20, 11)] == boxes(at_work)
    at_work.keyboard.press("Tab")
    for key in ("ArrowLeft", "Shift+ArrowUp", "Control+ArrowRight", "Control+Shift+ArrowDown"):
        at_work.keyboard.press(key)
    submit(at_work)
    assert {"annotations": [box(199, 90, 21, 21)]} == response_of(world, task_id)


def test_a_handle_resizes_and_the_inside_moves(at_work, world, picture):
    show(at_work, world, picture)
    drag(at_work, (100, 50), (200, 100))
    drag(at_work, (200, 100), (250, 140))
    assert near([box(100, 50, 150, 90)], boxes(at_work))
    drag(at_work, (150, 70), (130, 80))
    assert near([box(80, 60, 150, 90)], boxes(at_work))


def test_a_handle_pulled_over_the_other_side_turns_the_box_over(at_work, world, picture):
    show(at_work, world, picture)
    drag(at_work, (100, 50), (200, 100))
    drag(at_work, (200, 75), (40, 75))
    assert near([box(40, 50, 60, 50)], boxes(at_work))


def test_a_box_ends_where_the_picture_ends(at_work, world, picture):
    task_id = show(at_work, world, picture, image_width=WIDTH, image_height=HEIGHT)
    drag(at_work, (350, 150), (WIDTH + 60, HEIGHT + 20))
    submit(at_work)
    assert near([box(350, 150, 50, 50)], response_of(world, task_id)["annotations"])


def test_coordinates_count_in_the_pixels_that_the_task_names(at_work, world, picture):
    task_id = show(at_work, world, picture, image_width=WIDTH * 10, image_height=HEIGHT * 10)
    drag(at_work, (40, 20), (140, 120))
    submit(at_work)
    found = response_of(world, task_id)["annotations"]
    assert [400, 200, 1000, 1000] == pytest.approx([found[0][name] for name in box(0, 0, 0, 0)], abs=10)


def test_a_number_can_be_typed_and_a_change_taken_back(at_work, world, picture):
    task_id = show(at_work, world, picture)
    drag(at_work, (100, 50), (200, 100))
    at_work.get_by_label("Width").fill("33.5")
    expect(at_work.get_by_label("Width")).to_be_focused()
    assert 33.5 == boxes(at_work)[0]["width"]
    at_work.get_by_label("Height").fill("many")
    expect(at_work.get_by_label("Height")).to_have_attribute("aria-invalid", "true")
    at_work.locator(".wai-shape").focus()
    at_work.keyboard.press("Control+z")
    assert near([box(100, 50, 100, 50)], boxes(at_work))
    submit(at_work)
    assert near([box(100, 50, 100, 50)], response_of(world, task_id)["annotations"])


def test_delete_and_the_button_take_a_box_away(at_work, world, picture):
    task_id = show(at_work, world, picture)
    drag(at_work, (20, 20), (80, 80))
    drag(at_work, (200, 20), (280, 80))
    at_work.keyboard.press("Delete")
    expect(at_work.locator(".wai-found li")).to_have_count(1)
    at_work.get_by_role("button", name="Remove: Box 1").click()
    submit(at_work)
    assert {"annotations": []} == response_of(world, task_id)


def test_zoomed_in_the_pixels_stay_those_of_the_picture(at_work, world, picture):
    show(at_work, world, picture)
    before = at_work.locator(".wai-view svg").bounding_box()["width"]
    at_work.locator(".wai-view").focus()
    at_work.keyboard.press("Alt+=")
    at_work.wait_for_function("w => document.querySelector('.wai-view svg').clientWidth > w * 1.3", arg=before)
    drag(at_work, (180, 90), (220, 110))
    assert near([box(180, 90, 40, 20)], boxes(at_work))
    at_work.keyboard.press("Alt+0")
    at_work.wait_for_function("w => document.querySelector('.wai-view svg').clientWidth <= w + 1", arg=before)


def test_boxes_survive_a_reload_as_a_draft(at_work, world, picture):
    show(at_work, world, picture)
    with saved(at_work, "width"):
        drag(at_work, (20, 30), (120, 90))
    at_work.reload()
    expect(at_work.locator(".wai-found li")).to_have_count(1)
    assert near([box(20, 30, 100, 60)], boxes(at_work))


def test_what_is_wrong_with_a_box_stands_at_it(at_work, world, picture):
    show(at_work, world, picture, image_width=WIDTH, image_height=HEIGHT, min_width=50)
    drag(at_work, (20, 30), (45, 90))
    at_work.keyboard.press("Control+Enter")
    link = at_work.locator(".wai-summary a")
    expect(link).to_have_count(1)
    target = link.get_attribute("href").removeprefix("#")
    expect(at_work.locator(f".wai-found li [id='{target}']")).to_contain_text("At least 50 pixels")
    at_work.watch.forget("422")


def test_a_finger_draws_too(chrome, world, picture):
    context = chrome.new_context(locale="en-US", has_touch=True, viewport={"width": 375, "height": 700})
    page = context.new_page()
    page.goto(f"{world.url}/work/sign-in")
    page.fill("#token", world.worker_token)
    page.click("main button")
    page.wait_for_url(f"{world.url}/work")
    params = {"attachment": picture, "objects_to_annotate": ["car"]}
    give(page, world, "bounding_box", params)
    expect(page.locator(".wai-view svg")).to_be_visible()
    page.locator(".wai-view").scroll_into_view_if_needed()
    touch = context.new_cdp_session(page)
    for kind, place in (
        ("touchStart", (50, 50)),
        ("touchMove", (90, 70)),
        ("touchMove", (150, 100)),
        ("touchEnd", None),
    ):
        points = [] if place is None else [dict(zip("xy", Picture(page, WIDTH, HEIGHT).at(*place), strict=True))]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    expect(page.locator(".wai-found li")).to_have_count(1)
    names = ("left", "top", "width", "height")
    assert [50, 50, 100, 50] == pytest.approx([boxes(page)[0][name] for name in names], abs=3)
    context.close()


def test_a_picture_that_cannot_be_loaded_leaves_the_form(at_work, world):
    at_work.watch.allow("http://127.0.0.1:9/")
    params = {"attachment": "http://127.0.0.1:9/none.png", "objects_to_annotate": ["car"]}
    give(at_work, world, "bounding_box", params)
    expect(at_work.locator(".wai-broken")).to_be_visible()
    expect(at_work.get_by_role("button", name="Add an item")).to_be_visible()
    at_work.watch.forget("Failed to load resource")
    at_work.watch.forget("is not shown")
