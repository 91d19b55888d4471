"""The export format `conll`, read back into spans."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.exported_tasks import completed, open_task
from workersai_plugins.conll_format import Conll, tokens_of

TASK = completed("named_entity_recognition", {"text": "x", "labels": ["a"]}, {"spans": []})


def lines(text, *spans):
    spans = [{"start": a, "end": b, "label": label, "text": text[a:b]} for a, b, label in spans]
    task = completed("named_entity_recognition", {"text": text, "labels": ["a"]}, {"spans": spans})
    return b"".join(Conll().write([task])).decode().split("\n")[1:-2]


def read(text, rows):
    """Return the spans that tags stand for."""
    found = []
    for (start, end), row in zip(tokens_of(text), rows, strict=True):
        token, tag = row.split("\t")
        assert text[start:end] == token
        if tag.startswith("B-"):
            found.append((start, end, tag[2:]))
        elif tag.startswith("I-"):
            assert found[-1][2] == tag[2:]
            found[-1] = (found[-1][0], end, tag[2:])
    return found


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
    assert f"# id\t{TASK.external_id}\nx\tO\n\n" * 2 == text
