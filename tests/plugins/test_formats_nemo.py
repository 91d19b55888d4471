"""The format `nemo`, read back by itself and as NeMo reads manifests."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue
from workersai_plugins.audio_transcription import AudioTranscription
from workersai_plugins.nemo_format import Nemo


@given(st.lists(completed_tasks(AudioTranscription()), max_size=3))
def test_a_task_without_an_error_comes_back_as_it_was(tasks):
    assert [carried(task) for task in tasks if "error" not in task.response] == read_back(Nemo(), *tasks)


def test_a_line_is_what_nemo_trains_with():
    params, response = AudioTranscription.examples[0]
    line = json.loads(written(Nemo(), open_task(), completed("audio_transcription", params, response)))
    expected = {
        "audio_filepath": params["attachment"],
        "duration": response["duration"],
        "text": response["transcript"],
        "lang": params["language"],
    }
    assert expected == {name: line[name] for name in expected}


def test_a_manifest_of_another_tool_makes_tasks():
    whole = '{"audio_filepath": "1.wav", "duration": 2, "text": "hi", "lang": "en"}'
    first, second = found(Nemo(), whole + '\n{"audio_filepath": "2.wav", "offset": 1}')
    assert ({"attachment": "1.wav", "language": "en"}, {"transcript": "hi", "duration": 2}) == (
        first["params"],
        first["response"],
    )
    assert ({"attachment": "2.wav"}, False) == (second["params"], "response" in second)


@pytest.mark.parametrize("wrong", ["{", "[]", "{}"])
def test_a_wrong_line_fails_alone(wrong):
    (_, issue), (number, _) = reading(Nemo(), f'{wrong}\n{{"audio_filepath": "a"}}')
    assert isinstance(issue, Issue)
    assert 2 == number
