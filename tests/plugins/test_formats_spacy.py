"""The format `spacy`, read back by itself and as spaCy takes offsets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.named_entity_recognition import NamedEntityRecognition
from workersai_plugins.spacy_format import Spacy


@given(st.lists(completed_tasks(NamedEntityRecognition()), max_size=3))
def test_a_task_comes_back_as_it_was(tasks):
    assert [carried(task) for task in tasks] == read_back(Spacy(), *tasks)


@given(completed_tasks(NamedEntityRecognition()))
def test_spans_stand_where_tokens_do_or_are_reported(task):
    line = json.loads(written(Spacy(), task))
    text, tokens = line["text"], line["tokens"]
    assert [text[each["start"] : each["end"]] for each in tokens] == [each["text"] for each in tokens]
    starts, ends = ({each[side] for each in tokens} for side in ("start", "end"))
    for number, span in enumerate(line["spans"]):
        whole = span["start"] in starts and span["end"] in ends
        assert whole == (number not in line["cut"])
        if whole:
            first, last = tokens[span["token_start"]], tokens[span["token_end"]]
            assert (span["start"], span["end"]) == (first["start"], last["end"])


def test_a_span_that_cuts_a_token_is_reported():
    task = completed("named_entity_recognition", *NamedEntityRecognition.examples[1])
    line = json.loads(written(Spacy(), open_task(), task))
    assert ("서울대학교는", [0, 1, 2]) == (line["tokens"][0]["text"], line["cut"])


def test_lines_of_other_tools_have_their_labels_together():
    lines = '{"text": "Ada in Rome", "entities": [[0, 3, "PER"]]}\n\n{"text": "Rome", "spans": []}\n{"text": "No"}'
    first, second, third = found(Spacy(), lines)
    assert {"text": "Ada in Rome", "labels": ["PER"], "overlap": "any"} == first["params"]
    assert [{"start": 0, "end": 3, "label": "PER", "text": "Ada"}] == first["response"]["spans"]
    assert ["PER"] == second["params"]["labels"] == third["params"]["labels"]


@pytest.mark.parametrize(
    "wrong",
    ["{", "[]", "{}", '{"text": "a", "spans": [[0, 2]]}', '{"text": "a", "entities": [[0, 2, "x"]]}', '{"a": NaN}'],
)
def test_a_wrong_line_fails_alone(wrong):
    (number, issue), (_, task) = reading(Spacy(), f'{wrong}\n{{"text": "b"}}')
    assert 1 == number
    assert isinstance(issue, Issue)
    assert "b" == task["params"]["text"]
    with pytest.raises(Rejected, match="UTF-8"):
        reading(Spacy(), b"\xff")
