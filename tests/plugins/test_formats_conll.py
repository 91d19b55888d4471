"""The format `conll`, read back into spans by a reader of its own and by itself."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, found, read_back, reading, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_plugins.conll_format import Conll, tokens_of
from workersai_plugins.named_entity_recognition import NamedEntityRecognition

TASK = completed("named_entity_recognition", {"text": "x", "labels": ["a"]}, {"spans": []})


def lines(text, *spans):
    spans = [{"start": a, "end": b, "label": label, "text": text[a:b]} for a, b, label in spans]
    task = completed("named_entity_recognition", {"text": text, "labels": ["a"]}, {"spans": spans})
    return b"".join(Conll().write([task])).decode().split("\n")[2:-2]


def read(text, rows):
    """Return the spans that tags stand for."""
    spans = []
    for (start, end), row in zip(tokens_of(text), rows, strict=True):
        token, tag = row.split("\t")
        assert text[start:end] == token
        if tag.startswith("B-"):
            spans.append((start, end, tag[2:]))
        elif tag.startswith("I-"):
            assert spans[-1][2] == tag[2:]
            spans[-1] = (spans[-1][0], end, tag[2:])
    return spans


def test_tokens_have_the_tags_of_iob2():
    text = "Ada Lovelace was born, in London."
    assert [
        "Ada\tB-a_person",
        "Lovelace\tI-a_person",
        "was\tO",
        "born\tO",
        ",\tO",
        "in\tO",
        "London\tB-place",
        ".\tO",
    ] == lines(text, (26, 32, "place"), (0, 12, "a person"))


def test_a_span_that_cuts_a_token_is_reported_and_tags_it_whole():
    assert ['# cut\t0\t5\t["기관", "서울대학교"]', "서울대학교는\tB-기관", "관악구\tO"] == lines(
        "서울대학교는 관악구", (0, 5, "기관")
    )


def test_a_span_whose_tokens_are_taken_is_reported():
    assert ['# left out\t4\t8\t["b", "York"]', "New\tB-a", "York\tI-a"] == lines("New York", (4, 8, "b"), (0, 8, "a"))


def test_marks_belong_to_their_word():
    assert [(0, 3)] == tokens_of("e\u0301a")


@given(st.text("ab가1_\u0301 .\n#\t", max_size=30), st.data())
def test_spans_of_whole_tokens_come_back(text, data):
    tokens, spans, n = tokens_of(text), [], 0
    while n < len(tokens):
        last = data.draw(st.integers(n, len(tokens) - 1))
        if data.draw(st.booleans()):
            spans.append((tokens[n][0], tokens[last][1], data.draw(st.sampled_from(["x", "y"]))))
        n = last + 1
    assert spans == read(text, lines(text, *spans))


def test_each_task_is_a_sequence_of_its_own_and_others_are_left_out():
    text = b"".join(Conll().write([TASK, open_task(), TASK])).decode()
    first, second, end = text.split("\n\n")
    assert (first, "") == (second, end)
    head, ours, tokens = first.split("\n")
    assert (f"# id\t{TASK.external_id}", "x\tO") == (head, tokens)
    assert TASK.params == json.loads(ours.removeprefix("# workersai\t"))["params"]


def same_tag(labels):
    return len({"_".join(unicodedata.normalize("NFC", label).split()) for label in labels}) < len(labels)


def in_order(response):
    """Return the spans by their start, without white space at their ends, which belongs to no token."""
    spans = []
    for span in response["spans"]:
        text = span["text"]
        start = span["start"] + len(text) - len(text.lstrip())
        spans.append((start, start + len(text.strip()), unicodedata.normalize("NFC", span["label"]), text.strip()))
    return sorted(spans)


@given(st.lists(completed_tasks(NamedEntityRecognition()), max_size=3))
def test_a_task_comes_back_with_its_spans_of_whole_tokens(tasks):
    assume(not any(same_tag(task.params["labels"]) for task in tasks))
    for task, back in zip(tasks, read_back(Conll(), *tasks), strict=True):
        mine, its = carried(task), dict(back)
        response = its.pop("response")
        spans = mine.pop("response")
        assert mine == its
        text = written(Conll(), task)
        if b"\n# cut\t" not in text and b"\n# left out\t" not in text:
            assert in_order(spans) == in_order(response)


FOREIGN = """-DOCSTART- -X- -X- O

EU NNP B-NP S-ORG
rejects VBZ B-VP O
New NNP B-NP B-LOC
York NNP I-NP E-LOC

# a comment
Bob I-PER
Ann B-PER
"""


def test_files_of_other_tools_have_their_labels_together():
    one, two = found(Conll(), FOREIGN)
    assert {"text": "EU rejects New York", "labels": ["LOC", "ORG", "PER"]} == one["params"]
    assert [(0, 2, "ORG", "EU"), (11, 19, "LOC", "New York")] == [
        tuple(span.values()) for span in one["response"]["spans"]
    ]
    assert [(0, 3, "PER", "Bob"), (4, 7, "PER", "Ann")] == [tuple(span.values()) for span in two["response"]["spans"]]


@pytest.mark.parametrize(
    "wrong",
    [
        "a B",
        "a",
        "a X-y",
        '# workersai\t{"a"\na O',
        '# workersai\t{"task_type": "named_entity_recognition", "params": {}}',
    ],
)
def test_a_wrong_sequence_fails_alone(wrong):
    (_, issue), (_, task) = reading(Conll(), f"{wrong}\n\nb O\n")
    assert isinstance(issue, Issue)
    assert "b" == task["params"]["text"]


def test_another_encoding_is_refused():
    with pytest.raises(Rejected, match="Line 2 is not UTF-8"):
        reading(Conll(), b"a O\n\xff O\n")
