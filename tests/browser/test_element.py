"""The form element of a plugin in a real browser: the example, and elements that fail."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

from support.live_server import workersai
from support.shift import give, response_of, saved, submit
from support.snippets import ROOT

EXAMPLE = ROOT / "examples" / "form_element"
SET = """(input, value) => {
  input.value = value;
  input.dispatchEvent(new Event('input', { bubbles: true }));
}"""


def define(members):
    return f"customElements.define('wall-colour', class extends HTMLElement {{ {members} }});"


FAILING = {
    "throws when it is loaded": "throw new Error('planted');",
    "is no JavaScript": "class {",
    "never defines its element": "export {};",
    "throws when it is made": define("constructor() { super(); throw new Error('planted'); }"),
    "refuses its task": define("set task(task) { throw new Error('planted'); }"),
    "throws when it is shown": define("connectedCallback() { throw new Error('planted'); }"),
}


@pytest.fixture
def source():
    """What stands in the module; None for that of the example."""
    return None  # noqa: RET501 - a value, which tests replace


@pytest.fixture
def plugin_files(tmp_path, source):
    folder = shutil.copytree(EXAMPLE, tmp_path / "plugin")
    if source is not None:
        (folder / "wall_colour.js").write_text(source)
    return [folder / "wall_colour.py"]


def show(page, world, **fields):
    task_id = give(page, world, "wall_colour", {"room": "부엌"}, **fields)
    return task_id, page.locator("wall-colour input")


def test_the_example_passes_the_laws(tmp_path):
    checked = workersai("plugin", "check", str(EXAMPLE / "wall_colour.py"), cwd=tmp_path)
    assert 0 == checked.returncode, checked.stdout + checked.stderr


def test_what_the_element_says_is_submitted(at_work, world):
    task_id, colour = show(at_work, world, instruction="**Look**")
    expect(at_work.locator("wall-colour label")).to_contain_text("Colour of the wall: 부엌")
    expect(at_work.locator("[name='response/colour']")).to_be_hidden()
    colour.evaluate(SET, "#336699")
    submit(at_work)
    assert {"colour": "#336699"} == response_of(world, task_id)


def test_the_element_itself_can_submit(at_work, world):
    task_id, _ = show(at_work, world)
    at_work.get_by_role("button", name="It is white").click()
    at_work.wait_for_selector(".wai-nothing")
    assert {"colour": "#ffffff"} == response_of(world, task_id)


def test_a_draft_and_a_taken_back_answer_come_back_as_the_value(at_work, world):
    _, colour = show(at_work, world)
    with saved(at_work, "#336699"):
        colour.evaluate(SET, "#336699")
    at_work.reload()
    expect(colour).to_have_value("#336699")
    submit(at_work)
    at_work.keyboard.press("Alt+z")
    expect(colour).to_have_value("#336699")


def test_the_element_speaks_the_language_of_the_page(at_work, world):
    show(at_work, world)
    at_work.get_by_role("button", name="한국어").click()
    expect(at_work.locator("wall-colour label")).to_contain_text("벽의 색: 부엌")


def test_an_answer_that_is_refused_comes_back_with_what_is_wrong(at_work, world):
    show(at_work, world)
    at_work.keyboard.press("Control+Enter")
    expect(at_work.locator(".wai-summary")).to_be_visible()
    expect(at_work.locator("wall-colour")).to_be_visible()
    expect(at_work.locator(".wai-summary a")).to_have_count(0)
    at_work.watch.forget("422")


@pytest.mark.parametrize("source", FAILING.values(), ids=FAILING)
def test_an_element_that_fails_leaves_the_form(at_work, world, source):
    task_id, _ = show(at_work, world)
    with at_work.expect_console_message(lambda message: "is not shown" in message.text):
        at_work.reload()
    expect(at_work.locator("wall-colour")).to_have_count(0)
    at_work.get_by_role("textbox", name="colour").fill("#123456")
    submit(at_work)
    assert {"colour": "#123456"} == response_of(world, task_id)
    at_work.watch.forget("is not shown")


def show_result(page, world, task_id):
    """Open the page of a task on its owner's dashboard."""
    page.goto(f"{world.url}/sign-in")
    page.fill("#email", world.email)
    page.fill("#password", world.password)
    page.click("main button")
    page.wait_for_url("**/dashboard")
    page.goto(f"{world.url}/dashboard/tasks/{task_id}")


def test_the_result_is_shown_in_the_element_read_only(at_work, world):
    task_id, colour = show(at_work, world)
    colour.evaluate(SET, "#336699")
    submit(at_work)
    response_of(world, task_id)
    show_result(at_work, world, task_id)
    expect(colour).to_have_value("#336699")
    expect(colour).to_be_disabled()
    expect(at_work.locator(".wai-readonly [name='response/colour']")).to_have_count(0)


@pytest.mark.parametrize("source", [FAILING["throws when it is shown"], FAILING["is no JavaScript"]])
def test_a_result_whose_element_fails_is_shown_in_the_form(at_work, world, source):
    task_id, _ = show(at_work, world)
    at_work.get_by_role("textbox", name="colour").fill("#123456")
    submit(at_work)
    response_of(world, task_id)
    with at_work.expect_console_message(lambda message: "is not shown" in message.text):
        show_result(at_work, world, task_id)
    expect(at_work.locator("wall-colour")).to_have_count(0)
    expect(at_work.locator(".wai-readonly [name='response/colour']")).to_have_value("#123456")
    at_work.watch.forget("is not shown")


@pytest.mark.parametrize(
    "source", [define("connectedCallback() { this.innerHTML = '<b style=\"color: red\">x</b>'; }")]
)
def test_the_policy_of_the_page_holds_for_elements_too(at_work, world, source):
    show(at_work, world)
    expect(at_work.locator("wall-colour b")).to_be_visible()
    assert any("Content Security Policy" in each for each in at_work.watch.complaints)
    at_work.watch.forget("Content Security Policy")
