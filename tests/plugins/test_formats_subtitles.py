"""The export formats `webvtt` and `srt`, read back."""

from __future__ import annotations

import html
import io
import re
import zipfile

import pytest

from support.exported_tasks import completed, open_task
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
    head, *cues = text.rstrip("\n").split("\n\n")
    assert "WEBVTT" == head
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
