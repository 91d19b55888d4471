"""The export format `preference_pairs`."""

from __future__ import annotations

import json

import pytest

from support.exported_tasks import completed, open_task
from workersai_plugins.preference_pairs_format import PreferencePairs

THREE = [
    {"type": "text", "text": "가"},
    {"type": "image", "url": "https://example.com/1"},
    {"type": "text", "text": "c"},
]


def pairs(*tasks):
    lines = b"".join(PreferencePairs().write(tasks)).splitlines()
    return [tuple(json.loads(line)[name] for name in ("prompt", "chosen", "rejected")) for line in lines]


@pytest.mark.parametrize(
    ("more", "choice", "expected"),
    [
        ({}, "B", [("Which?", "https://example.com/1", "가"), ("Which?", "https://example.com/1", "c")]),
        ({"choices": ["A", "B", "C", "same"]}, "A", [("Which?", "가", "https://example.com/1"), ("Which?", "가", "c")]),
        ({"choices": ["A", "B", "C", "same"]}, "same", []),
        ({"choices": ["E", "F"]}, "E", []),
    ],
)
def test_a_comparison_gives_the_chosen_against_each_other_one(more, choice, expected):
    task = completed("comparison", {"attachments": THREE, **more}, {"choice": choice}, instruction="Which?")
    assert expected == pairs(task)


def test_a_ranking_gives_each_item_against_each_below_it():
    params = {"items": ["a", "b", "c"], "attachment_type": "text", "attachment": "질문"}
    task = completed("ranking", params, {"ranking": ["c", "a", "b"]}, confidence=0.5)
    assert [("질문", "c", "a"), ("질문", "c", "b"), ("질문", "a", "b")] == pairs(task)
    line = json.loads(next(PreferencePairs().write([task])))
    assert (task.external_id, 0.5) == (line["external_id"], line["confidence"])


def test_what_is_open_or_of_another_type_is_left_out():
    assert [] == pairs(open_task())
