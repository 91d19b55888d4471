"""The formats `webvtt` and `srt`, read back by themselves and by webvtt-py."""

from __future__ import annotations

import html
import io
import re
import zipfile

import pytest
import webvtt
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, read_back, reading
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue
from workersai_plugins.audio_transcription import AudioTranscription
from workersai_plugins.srt_format import Srt
from workersai_plugins.webvtt_format import WebVtt

TALK = {
    "transcript": "네 & <b>?",
    "duration": 3700,
    "segments": [
        {"start": 3661.5, "end": 3662.0004, "text": "second"},
        {"start": 0, "end": 1.1, "speaker": "고객 <1>", "text": "a --> b\r\n\n 1 < 2 & 3 "},
        {"start": 2, "end": 2, "text": "short"},
        {"start": 2, "end": 3, "text": "  "},
    ],
}


def spoken(response, **fields):
    return completed("audio_transcription", {"attachment": "https://example.com/1.wav"}, response, **fields)


def documents(exporter, *tasks):
    with zipfile.ZipFile(io.BytesIO(b"".join(exporter.write(tasks)))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_webvtt_has_the_segments_in_order_escaped_and_with_their_speaker():
    [text] = documents(WebVtt(), spoken(TALK)).values()
    head, note, *cues = text.rstrip("\n").split("\n\n")
    assert ("WEBVTT", "NOTE workersai {") == (head, note[:16])
    assert "-->" not in note
    read = [cue.partition("\n") for cue in cues]
    assert [
        "00:00:00.000 --> 00:00:01.100",
        "00:00:02.000 --> 00:00:02.001",
        "01:01:01.500 --> 01:01:02.000",
    ] == [times for times, _, _ in read]
    speaker, said = re.fullmatch(r"<v ([^>]*)>(.*)</v>", read[0][2], re.DOTALL).groups()
    assert ("고객 <1>", "a --> b\n1 < 2 & 3") == (html.unescape(speaker), html.unescape(said))
    assert "-->" not in read[0][2]


def test_srt_numbers_its_cues_and_holds_no_other_arrow():
    [text] = documents(Srt(), spoken(TALK)).values()
    assert [
        ["1", "00:00:00,000 --> 00:00:01,100", "고객 <1>: a -> b", "1 < 2 & 3"],
        ["2", "00:00:02,000 --> 00:00:02,001", "short"],
        ["3", "01:01:01,500 --> 01:01:02,000", "second"],
    ] == [cue.splitlines() for cue in text.rstrip("\n").split("\n\n")]


@pytest.mark.parametrize("exporter", [WebVtt(), Srt()])
def test_there_is_a_document_for_each_transcript_and_nothing_else(exporter):
    one, other = spoken({"transcript": "hello", "duration": 2}), spoken({"transcript": "", "duration": 0})
    found = documents(exporter, one, open_task(), other)
    assert [one.external_id, other.external_id] == [name.rpartition(".")[0] for name in found]
    assert "hello" in found[next(iter(found))]
    assert {} == documents(exporter)


def test_the_same_export_has_the_same_bytes():
    task = spoken(TALK)
    assert b"".join(Srt().write([task])) == b"".join(Srt().write([task]))


@given(st.lists(completed_tasks(AudioTranscription()), max_size=3, unique_by=lambda task: task.external_id))
def test_a_task_comes_back_with_its_segments_to_the_millisecond(tasks):
    expected = [carried(task) for task in sorted(tasks, key=lambda task: task.external_id)]
    for each in expected:
        if each["response"].get("segments"):
            each["response"]["segments"] = shown(each["response"]["segments"])
    assert expected == read_back(WebVtt(), *tasks)


def shown(segments):
    """Return segments as cues show them: to the millisecond, in order, without blank lines."""
    cues = []
    for each in segments:
        lines = [line.strip() for line in each["text"].splitlines()]
        start, end = (round(each[side] * 1000) for side in ("start", "end"))
        speaker = {"speaker": " ".join(each["speaker"].split())} if each.get("speaker", "").split() else {}
        text = "\n".join(filter(None, lines))
        if text:
            cues.append({"start": start / 1000, "end": max(end, start + 1) / 1000, **speaker, "text": text})
    return sorted(cues, key=lambda cue: (cue["start"], cue["end"]))


def test_webvtt_py_reads_them(tmp_path):
    for exporter, ending, read in ((WebVtt(), "vtt", webvtt.read), (Srt(), "srt", webvtt.from_srt)):
        [text] = documents(exporter, spoken(TALK)).values()
        path = tmp_path / f"talk.{ending}"
        path.write_text(text, encoding="utf-8")
        captions = list(read(path))
        assert ["00:00:00.000", "00:00:02.000", "01:01:01.500"] == [each.start for each in captions]
        assert ["00:00:01.100", "00:00:02.001", "01:01:02.000"] == [each.end for each in captions]
        assert ["short", "second"] == [each.text for each in captions[1:]]
    assert "고객 &lt;1&gt;" == next(iter(webvtt.read(tmp_path / "talk.vtt"))).voice


def zipped(*texts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, text in enumerate(texts):
            archive.writestr(f"{number}.vtt", text)
    return buffer.getvalue()


def test_cues_that_another_tool_changed_are_read_as_it_wrote_them():
    [text] = documents(WebVtt(), spoken(TALK)).values()
    head, note, *_ = text.split("\n\n")
    cue = "7\r\n01:01.500 --> 01:02.000 align:start\r\n<v.loud A>one <b>two</b>\r\nthree &amp; four"
    [(_, task)] = reading(WebVtt(), zipped(f"{head}\n\n{note}\n\n{cue}"))
    assert [{"start": 61.5, "end": 62.0, "speaker": "A", "text": "one two\nthree & four"}] == task["response"][
        "segments"
    ]


@pytest.mark.parametrize("wrong", ["", "WEBVTT\n\n00:00.000 --> 00:01.000\nHello", "WEBVTT\n\nNOTE workersai {", "1\n"])
def test_a_file_that_does_not_say_what_was_recorded_fails_alone(wrong):
    [good] = documents(WebVtt(), spoken(TALK)).values()
    (name, issue), (_, task) = reading(WebVtt(), zipped(wrong, good))
    assert "0.vtt" == name
    assert isinstance(issue, Issue)
    assert {"attachment": "https://example.com/1.wav"} == task["params"]
