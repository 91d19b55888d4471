"""The task type `audio_transcription`."""

from __future__ import annotations

import random
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.task_type_checks import Checked
from workersai_core.testing import conformance
from workersai_plugins.audio_transcription import AudioTranscription

conformance.add_tests(globals(), AudioTranscription(), examples=30)

TYPE = Checked(AudioTranscription())
CALL = {"attachment": "https://example.com/1.mp3", "language": "en"}
SHORT = {**CALL, "max_duration": 10}
VERBATIM = {**CALL, "verbatim": True}
KOREAN = {**CALL, "language": "ko-KR"}
GOOD = {"transcript": "Hello there.", "duration": 2}


def aligned(*entries, transcript="Hello there.", **more):
    """Return a response whose alignment has these (word, start, end)."""
    alignment = [{"word": word, "start": start, "end": end} for word, start, end in entries]
    return {"transcript": transcript, "duration": 2, "alignment": alignment, **more}


def segmented(*entries, **more):
    """Return a response with segments of these (start, end, speaker)."""
    segments = [
        {"start": start, "end": end, "text": "…", **({"speaker": speaker} if speaker else {})}
        for start, end, speaker in entries
    ]
    return {**GOOD, "segments": segments, **more}


def said(*texts, weights=None, params=CALL):
    """Return the verdict of transcripts."""
    return TYPE.verdict(params, *({"transcript": text, "duration": 2} for text in texts), weights=weights)


# --- params ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("/attachment", "required")]),
        ({**CALL, "tongue": "en"}, [("/tongue", "unknown_field")]),
        ({"attachment": "1.mp3"}, [("/attachment", "invalid_url")]),
        ({"attachment": "https://example.com/" + "a" * 2029}, [("/attachment", "too_long")]),
        ({**CALL, "attachment_type": "video"}, [("/attachment_type", "not_in_list")]),
        ({**CALL, "language": "english language"}, [("/language", "invalid_language")]),
        ({**CALL, "language": "en_US"}, [("/language", "invalid_language")]),
        ({**CALL, "verbatim": "yes"}, [("/verbatim", "wrong_type")]),
        ({**CALL, "phrases": "WorkersAI"}, [("/phrases", "wrong_type")]),
        ({**CALL, "phrases": ["a", ""]}, [("/phrases/1", "too_short")]),
        ({**CALL, "phrases": ["a", " "]}, [("/phrases/1", "blank")]),
        ({**CALL, "phrases": ["a", "a"]}, [("/phrases/1", "duplicate_item")]),
        ({**CALL, "max_duration": 0}, [("/max_duration", "too_small")]),
        ({**CALL, "max_duration": 86_401}, [("/max_duration", "too_large")]),
        ({**CALL, "max_duration": "10"}, [("/max_duration", "wrong_type")]),
    ],
)
def test_each_wrong_field_of_the_params_is_named(params, expected):
    assert expected == TYPE.params(params)


@pytest.mark.parametrize(
    "params",
    [
        {"attachment": "http://10.0.0.7/a.wav"},
        {**SHORT, "attachment_type": "audio", "verbatim": True, "phrases": ["김철수"], "language": "zh-Hant-TW"},
    ],
)
def test_good_params_are_accepted(params):
    assert [] == TYPE.params(params)


# --- responses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({}, [("", "required")]),
        ({"transcript": "Hello."}, [("/duration", "required")]),
        ({"duration": 2}, [("/transcript", "required")]),
        ({**GOOD, "transcript": ""}, [("/transcript", "blank")]),
        ({**GOOD, "transcript": " … \n"}, [("/transcript", "blank")]),
        ({**GOOD, "transcript": "a" * 50_001}, [("/transcript", "too_long")]),
        ({**GOOD, "duration": -1}, [("/duration", "too_small")]),
        ({**GOOD, "duration": 0}, [("/duration", "too_small")]),
        ({**GOOD, "duration": "2"}, [("/duration", "wrong_type")]),
        ({**GOOD, "duration": 10.2}, [("/duration", "too_large")]),
        ({**GOOD, "error": ""}, [("/error", "too_short")]),
        ({**GOOD, "error": " "}, [("/error", "blank")]),
        ({**GOOD, "speaker": "A"}, [("/speaker", "unknown_field")]),
        (aligned(("Hello", 0, 1)), [("/alignment", "differs")]),
        (aligned(("Hello", 0, 1), ("hear", 1, 2)), [("/alignment/1/word", "differs")]),
        (aligned(("there", 0, 1), ("Hello", 1, 2)), [("/alignment/0/word", "differs")]),
        (aligned(("Hello", 0, 1), ("there", 1, 2), ("now", 2, 2)), [("/alignment/2/word", "differs")]),
        (aligned(("Hello", 1, 0.5), ("there", 1, 2)), [("/alignment/0/end", "out_of_order")]),
        (aligned(("Hello", 1, 1.5), ("there", 0.9, 2)), [("/alignment/1/start", "out_of_order")]),
        (aligned(("Hello", 0, 1), ("there", 1, 2.11)), [("/alignment/1/end", "too_large")]),
        (aligned(("Hello", -1, 1), ("there", 1, 2)), [("/alignment/0/start", "too_small")]),
        (
            {**GOOD, "alignment": [{"word": "Hello", "start": 0}, {"word": "", "start": 0, "end": 1, "confidence": 2}]},
            [
                ("/alignment/0/end", "required"),
                ("/alignment/1/confidence", "too_large"),
                ("/alignment/1/word", "too_short"),
            ],
        ),
        (segmented((1, 0.5, None)), [("/segments/0/end", "out_of_order")]),
        (segmented((0, 2.11, None)), [("/segments/0/end", "too_large")]),
        (segmented((1, 2, "A"), (0.5, 1, "B")), [("/segments/1/start", "out_of_order")]),
        (segmented((0, 1, None), (0.9, 2, None)), [("/segments/1/start", "overlap")]),
        (segmented((0, 2, "A"), (0, 1, "B"), (1.5, 2, "A")), [("/segments/2/start", "overlap")]),
        (
            segmented((0, 1, "김"), (0.5, 2, unicodedata.normalize("NFD", "김"))),
            [("/segments/1/start", "overlap")],
        ),
        ({**GOOD, "segments": [{"start": 0, "end": 1}]}, [("/segments/0/text", "required")]),
    ],
)
def test_each_wrong_field_of_a_response_is_named(response, expected):
    assert expected == sorted(TYPE.response(SHORT, response))


def test_every_problem_of_a_response_is_named_at_once():
    response = {
        **aligned(("Hello", 1, 0), ("hear", 0.5, 3)),
        "duration": 11,
        "segments": [{"start": 12, "end": 13, "text": "a"}],
    }
    expected = {
        ("/duration", "too_large"),
        ("/alignment/0/end", "out_of_order"),
        ("/alignment/1/start", "out_of_order"),
        ("/alignment/1/word", "differs"),
        ("/segments/0/end", "too_large"),
    }
    assert expected == set(TYPE.response(SHORT, response))


@pytest.mark.parametrize(
    ("params", "response"),
    [
        (SHORT, GOOD),
        (SHORT, {**GOOD, "duration": 10.05}),
        (SHORT, {"transcript": "", "duration": 0, "error": "It does not play."}),
        (SHORT, {"transcript": "Hello…", "duration": 5, "error": "The rest is noise."}),
        (SHORT, aligned(("hello", 0, 1), ("THERE!", 1, 2.05))),
        (SHORT, aligned(("Hello there", 0, 1))),
        (SHORT, aligned()),
        (SHORT, aligned(("Hello", 0, 1), ("um", 1, 1), ("there", 1, 2))),
        (SHORT, segmented((0, 1, "A"), (0.5, 2, "B"), (1, 2, "A"))),
        (SHORT, segmented((0, 1, None), (1, 2, None))),
        (KOREAN, aligned(("큰", 0, 1), (unicodedata.normalize("NFD", "개가"), 1, 2), transcript="큰 개가.")),
        (CALL, aligned(("私", 0, 1), ("は", 1, 2), transcript="私は")),
    ],
)
def test_good_responses_are_accepted(params, response):
    assert [] == TYPE.response(params, response)


def test_fillers_belong_to_the_alignment_of_a_verbatim_task():
    response = aligned(("Hello", 0, 1), ("um", 1, 1), ("there", 1, 2))
    assert [("/alignment/1/word", "differs")] == TYPE.response(VERBATIM, response)


# --- comparing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "a", "b", "expected"),
    [
        (CALL, "Hello there.", "hello, THERE", 1.0),
        (CALL, "Um, hello there", "Hello uh there", 1.0),
        (VERBATIM, "um hello there", "hello there", 2 / 3),
        (KOREAN, "음 큰 개가 짖는다", "큰 개가, 짖는다.", 1.0),
        ({**CALL, "language": "de"}, "um zehn", "zehn", 0.5),
        (CALL, "the cat sat", "the hat sat", 2 / 3),
        (CALL, "a b", "a b c d", 0.5),
        (CALL, "one", "two", 0.0),
        (CALL, "um", "uh", 0.0),
        (CALL, "私は学生", "私は学者", 0.75),
    ],
)
def test_agreement_is_one_minus_the_word_error_rate(params, a, b, expected):
    one, other = ({"transcript": text, "duration": 1} for text in (a, b))
    assert pytest.approx(expected) == AudioTranscription().agreement(params, one, other)
    assert pytest.approx(expected) == AudioTranscription().agreement(params, other, one)


def test_times_and_spelling_are_not_compared():
    one, other = aligned(("Hello", 0, 1), ("there", 1, 2)), {"transcript": "hello there", "duration": 3}
    assert AudioTranscription().normalize(CALL, one) == AudioTranscription().normalize(CALL, other)


# --- several answers ---------------------------------------------------------------------------------


def test_the_words_of_the_majority_are_put_together():
    verdict = said("The cat sat on a mat.", "The cat sat on the mat.", "The hat sat on the mat")
    assert {"transcript": "The cat sat on the mat.", "duration": 2} == verdict.response
    assert pytest.approx((1 + 2 / 3 + 1 + 1 + 2 / 3 + 1) / 6) == verdict.confidence


def test_fillers_are_left_out_of_the_verdict_unless_the_task_is_verbatim():
    texts = ("um hello there", "um hello there!", "hello there")
    assert "hello there" == said(*texts).response["transcript"]
    assert "um hello there" == said(*texts, params=VERBATIM).response["transcript"]
    assert "um" == said("um", "um!", "um").response["transcript"]


def test_equal_transcripts_keep_even_their_white_space():
    responses = [{"transcript": "one\n\n two ", "duration": duration} for duration in (2, 3, 4)]
    verdict = TYPE.verdict(CALL, *responses)
    assert {"transcript": "one\n\n two ", "duration": 3} == verdict.response
    assert 1.0 == verdict.confidence


def test_the_duration_is_the_weighted_median():
    responses = [{"transcript": "a", "duration": duration} for duration in (2, 3, 9)]
    assert 3 == TYPE.verdict(CALL, *responses).response["duration"]
    assert 9 == TYPE.verdict(CALL, *responses, weights=[1, 1, 5]).response["duration"]


def test_times_come_from_an_answer_with_the_words_of_the_verdict():
    right = aligned(("Hello", 0, 1), ("there.", 1, 2))
    wrong = aligned(("Hello", 0, 1), ("here.", 1, 2), transcript="Hello here.")
    assert right["alignment"] == TYPE.verdict(CALL, wrong, right, GOOD).response["alignment"]
    assert "alignment" not in TYPE.verdict(CALL, wrong, GOOD, GOOD).response


def test_times_after_the_end_of_the_verdicts_duration_are_left_out():
    late = {**aligned(("Hello", 0, 1), ("there.", 4, 5)), "duration": 5}
    assert "alignment" not in TYPE.verdict(CALL, late, GOOD, GOOD).response


def test_segments_come_from_an_answer_whose_segments_say_the_verdict():
    parts = [{"start": 0, "end": 1, "text": "Hello"}, {"start": 1, "end": 2, "text": "there."}]
    whole = {**GOOD, "segments": parts}
    other = {**GOOD, "segments": parts[:1]}
    assert parts == TYPE.verdict(CALL, other, whole, GOOD).response["segments"]
    assert "segments" not in TYPE.verdict(CALL, other, GOOD, GOOD).response


def test_an_error_needs_a_majority():
    broken = {"transcript": "", "duration": 0, "error": "no sound"}
    verdict = TYPE.verdict(CALL, broken, broken, GOOD)
    assert broken == verdict.response
    assert pytest.approx(2 / 3) == verdict.confidence
    verdict = TYPE.verdict(CALL, broken, GOOD)
    assert GOOD == verdict.response
    assert 0.5 == verdict.confidence


def test_an_error_verdict_says_what_most_say_and_what_they_heard():
    reports = [
        {"transcript": "hello", "duration": 4, "error": "noise"},
        {"transcript": "hello you", "duration": 5, "error": "noise"},
        {"transcript": "hello", "duration": 6, "error": "cut off"},
    ]
    assert {"transcript": "hello", "duration": 5, "error": "noise"} == TYPE.verdict(CALL, *reports, GOOD).response


def test_a_verdict_is_never_longer_than_a_transcript_may_be():
    long_x, long_y = "x" + "!" * 30_000, "y" + "?" * 30_000
    texts = [f"{long_x} y.", f"{long_x} y,", f"x. {long_y}", f"x, {long_y}"]
    assert said(*texts).response["transcript"] in texts


WORDS = st.sampled_from(["the", "cat", "hat", "sat", "um", "큰", "개"])


@given(st.lists(st.lists(WORDS, min_size=1, max_size=5), min_size=1, max_size=7))
def test_the_verdict_is_made_of_words_that_somebody_wrote(lists):
    verdict = said(*[" ".join(words) for words in lists])
    assert set(verdict.response["transcript"].split()) <= {word for words in lists for word in words}


def test_seven_answers_of_twenty_words_take_milliseconds():
    rng = random.Random(7)
    words = [f"word{n}" for n in range(20)]
    texts = [" ".join(word if rng.random() < 0.85 else rng.choice(words) for word in words) for _ in range(7)]
    best = min(_seconds(lambda: said(*texts)) for _ in range(20))
    assert best < 0.005


def _seconds(call):
    began = time.process_time()
    call()
    return time.process_time() - began


# --- the mock ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "korean"), [("ko-KR", True), ("KO", True), ("en", False), ("fr", False)])
def test_the_mock_speaks_korean_where_the_task_does(language, korean):
    mock = AudioTranscription().mock_response({**CALL, "language": language}, random.Random(1))
    assert korean == any("가" <= character <= "힣" for character in mock["transcript"])


def test_the_mock_is_no_longer_than_it_may_be():
    params = {**CALL, "max_duration": 0.001}
    for seed in range(20):
        assert [] == TYPE.response(params, AudioTranscription().mock_response(params, random.Random(seed)))
