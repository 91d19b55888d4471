"""Writing down a recording in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from support.recordings import serving, tone
from support.shift import give, response_of, saved, submit

LENGTH_S = 2.5


@pytest.fixture(scope="module")
def recording():
    with serving({"/tone.wav": ("audio/wav", tone(LENGTH_S))}) as url:
        yield f"{url}/tone.wav"


def show(page, world, recording):
    page.watch.allow(recording)
    task_id = give(page, world, "audio_transcription", {"attachment": recording})
    expect(page.locator(".wai-player")).to_be_visible()
    expect(page.locator("[name='response/duration']")).to_have_value(str(LENGTH_S))
    return task_id


def go_to(page, seconds):
    page.evaluate(
        "at => new Promise(done => {"
        " const audio = document.querySelector('audio');"
        " audio.addEventListener('seeked', done, {once: true}); audio.currentTime = at; })",
        seconds,
    )


def played(page, name):
    return page.evaluate(f"document.querySelector('audio').{name}")


def test_the_duration_is_filled_in_and_the_transcript_submitted(at_work, world, recording):
    task_id = show(at_work, world, recording)
    expect(at_work.locator(".wai-transcript")).to_be_focused()
    at_work.keyboard.type("전화해 주셔서 감사합니다.")
    submit(at_work)
    assert {"transcript": "전화해 주셔서 감사합니다.", "duration": LENGTH_S} == response_of(world, task_id)


def test_segments_take_their_times_from_the_player(at_work, world, recording):
    task_id = show(at_work, world, recording)
    go_to(at_work, 0.5)
    at_work.keyboard.press("Alt+n")
    at_work.keyboard.type("Hello.")
    go_to(at_work, 1.25)
    at_work.keyboard.press("Alt+]")
    at_work.get_by_label("Speaker").last.fill("A")
    at_work.keyboard.press("Alt+n")
    at_work.keyboard.type("Bye.")
    at_work.get_by_label("Speaker").last.fill("B")
    at_work.get_by_label("End", exact=True).last.fill("0:02.5")
    at_work.get_by_role("button", name="Take the text of the segments").click()
    expect(at_work.locator(".wai-transcript")).to_have_value("Hello. Bye.")
    submit(at_work)
    segments = [
        {"start": 0.5, "end": 1.25, "speaker": "A", "text": "Hello."},
        {"start": 1.25, "end": 2.5, "speaker": "B", "text": "Bye."},
    ]
    expected = {"transcript": "Hello. Bye.", "duration": LENGTH_S, "segments": segments}
    assert expected == response_of(world, task_id)


def test_what_is_wrong_with_a_segment_stands_at_it(at_work, world, recording):
    show(at_work, world, recording)
    at_work.keyboard.type("x")
    at_work.keyboard.press("Alt+n")
    at_work.get_by_label("What is said").fill("x")
    at_work.get_by_label("End", exact=True).fill("99")
    at_work.keyboard.press("Control+Enter")
    link = at_work.locator(".wai-summary a")
    expect(link).to_have_count(1)
    target = link.get_attribute("href").removeprefix("#")
    expect(at_work.locator(f".wai-segments > li [id='{target}']")).to_contain_text("At most the duration")
    at_work.watch.forget("422")


def test_a_removed_segment_is_gone(at_work, world, recording):
    task_id = show(at_work, world, recording)
    at_work.keyboard.type("x")
    at_work.keyboard.press("Alt+n")
    at_work.keyboard.type("y")
    at_work.get_by_role("button", name="Remove segment 1").click()
    submit(at_work)
    assert {"transcript": "x", "duration": LENGTH_S} == response_of(world, task_id)


def test_segments_survive_a_reload_as_a_draft(at_work, world, recording):
    show(at_work, world, recording)
    at_work.keyboard.press("Alt+n")
    with saved(at_work, "half a sent"):
        at_work.keyboard.type("half a sent")
    at_work.reload()
    expect(at_work.get_by_label("What is said")).to_have_value("half a sent")


def test_the_player_works_while_the_cursor_is_in_the_text(at_work, world, recording):
    show(at_work, world, recording)
    go_to(at_work, 2.2)
    at_work.locator(".wai-transcript").focus()
    at_work.keyboard.press("Alt+j")
    at_work.wait_for_function("Math.abs(document.querySelector('audio').currentTime - 0.2) < 0.1")
    at_work.keyboard.press("Alt+p")
    expect(at_work.locator(".wai-play")).to_contain_text("Pause")
    at_work.keyboard.press("Alt+p")
    expect(at_work.locator(".wai-play")).to_contain_text("Play")
    expect(at_work.locator(".wai-transcript")).to_have_value("")


def test_the_speed_is_remembered(at_work, world, recording):
    show(at_work, world, recording)
    at_work.locator(".wai-transcript").focus()
    at_work.keyboard.press("Alt+.")
    expect(at_work.get_by_label("Speed")).to_have_value("1.25")
    at_work.get_by_label("Speed").select_option("2")
    at_work.reload()
    expect(at_work.get_by_label("Speed")).to_have_value("2")
    at_work.wait_for_function("document.querySelector('audio').readyState > 0")
    assert 2 == played(at_work, "playbackRate")


def test_the_waveform_shows_the_recording_and_goes_where_it_is_clicked(at_work, world, recording):
    show(at_work, world, recording)
    wave = at_work.get_by_role("slider", name="Position in the recording")
    expect(wave).to_be_visible()
    box = wave.bounding_box()
    at_work.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    expect(wave).to_have_attribute("aria-valuenow", re.compile(r"1\.[23]"))
    wave.press("ArrowRight")
    expect(wave).to_have_attribute("aria-valuenow", re.compile(r"2\.[23]"))


def test_a_recording_that_may_not_be_read_is_only_played(at_work, world):
    with serving({"/tone.wav": ("audio/wav", tone(LENGTH_S))}, shared=False) as url:
        with at_work.expect_console_message(lambda message: "No waveform" in message.text):
            show(at_work, world, f"{url}/tone.wav")
        expect(at_work.locator(".wai-wave")).to_be_hidden()
        at_work.keyboard.press("Alt+p")
        expect(at_work.locator(".wai-play")).to_contain_text("Pause")
    at_work.watch.forget("CORS policy")
    at_work.watch.forget("Failed to load resource")


def test_a_shortcut_becomes_its_text_and_is_kept(at_work, world, recording):
    show(at_work, world, recording)
    at_work.locator(".wai-snippets summary").click()
    at_work.locator("#wai-snippets").fill("ty = Thank you for calling.\nㅈㄱ = 감사합니다.")
    at_work.reload()
    expect(at_work.locator(".wai-player")).to_be_visible()
    text = at_work.locator(".wai-transcript")
    text.focus()
    at_work.keyboard.type("ty ")
    at_work.keyboard.insert_text("ㅈㄱ")
    at_work.keyboard.type(" party ty")
    expect(text).to_have_value("Thank you for calling. 감사합니다. party ty")
