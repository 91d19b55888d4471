"""The task type `audio_transcription`: write down what is said in a recording.

Transcripts are compared word by word; `words` says what a word is. Unless the
task is ``verbatim``, fillers such as "um" do not count.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rapidfuzz.distance import Levenshtein

from workersai_core.api import Answer, Issue, Json, JsonObject, TaskType, Verdict, hookimpl
from workersai_plugins import attachments, languages, timelines, weighing
from workersai_plugins.choices import shown
from workersai_plugins.pointers import pointer
from workersai_plugins.word_votes import Voice, vote
from workersai_plugins.words import Word, forms, has_words, join, split

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = ["AudioTranscription", "register_task_types"]

_MAX_TRANSCRIPT = 50_000
_FILLERS = {
    "en": frozenset({"ah", "er", "erm", "hm", "hmm", "mm", "uh", "uhh", "uhm", "um", "umm"}),
    "ko": frozenset({"아", "어", "에", "엄", "음", "으음", "흠"}),
}
"""What says nothing, by language; for other languages none are known ("um" is a German word)."""
_DEFAULT_LANGUAGE = "en"
_MOCKED = {
    "en": ("Thank you for calling.", "The train leaves at nine.", "Please say that again."),
    "ko": ("전화해 주셔서 감사합니다.", "기차는 아홉 시에 떠나요.", "다시 한번 말씀해 주세요."),
}
_MOCKED_WORD_S = 0.45

_TIME: dict[str, Any] = {"type": "number", "minimum": 0}
_SECONDS: JsonObject = {"description": "In seconds.", "x-description-ko": "초 단위", **_TIME}
_START: JsonObject = {"title": "Start", "x-title-ko": "시작", **_SECONDS}
_END: JsonObject = {"title": "End", "x-title-ko": "끝", **_SECONDS}


class AudioTranscription(TaskType):
    """Transcribe a recording, as text alone or with times."""

    name = "audio_transcription"
    aliases = ("audiotranscription",)
    summary = "Write down what is said in a recording."
    params_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["attachment"],
        "properties": {
            "attachment": {
                "title": "Recording",
                "x-title-ko": "녹음",
                "x-media": "audio",
                "type": "string",
                "description": "The http or https URL of the recording.",
                "x-description-ko": "녹음의 http 또는 https URL",
                "minLength": 1,
                "maxLength": attachments.MAX_URL,
            },
            "attachment_type": {
                "type": "string",
                "description": "Always audio; it may be left out.",
                "x-description-ko": "항상 audio이며, 생략할 수 있습니다.",
                "enum": ["audio"],
                "default": "audio",
            },
            "language": {
                "title": "Language",
                "x-title-ko": "언어",
                "type": "string",
                "description": "What is spoken, as a BCP 47 tag such as en or ko-KR.",
                "x-description-ko": "녹음에서 말하는 언어. en이나 ko-KR 같은 BCP 47 태그로 적습니다.",
                "minLength": 2,
                "maxLength": 100,
            },
            "verbatim": {
                "type": "boolean",
                "description": "Whether fillers and false starts are written down too.",
                "x-description-ko": "군말과 더듬은 말도 받아쓰는지",
                "default": False,
            },
            "phrases": {
                "title": "Names and terms",
                "x-title-ko": "고유명사와 용어",
                "type": "array",
                "description": "Names and terms that are likely to occur, spelled as you want them.",
                "x-description-ko": "나올 법한 고유명사와 용어. 원하는 표기대로 적습니다.",
                "maxItems": 500,
                "uniqueItems": True,
                "items": {
                    "type": "string",
                    "description": "One name or term.",
                    "x-description-ko": "고유명사나 용어 하나",
                    "minLength": 1,
                    "maxLength": 200,
                },
            },
            "max_duration": {
                "type": "number",
                "description": "The longest that the recording may be, in seconds.",
                "x-description-ko": "녹음의 최대 길이(초)",
                "exclusiveMinimum": 0,
                "maximum": 86_400,
            },
        },
    }
    response_schema: ClassVar[Json] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["transcript", "duration"],
        "properties": {
            "transcript": {
                "title": "Transcript",
                "x-title-ko": "받아쓴 내용",
                "description": "What is said; with an error as much of it as there is.",
                "x-description-ko": "들리는 말을 그대로 적습니다. 문제가 있으면 들리는 데까지만 적습니다.",
                "type": "string",
                "maxLength": _MAX_TRANSCRIPT,
            },
            "duration": {
                "title": "Duration",
                "x-title-ko": "길이",
                "description": "How long the recording is, in seconds.",
                "x-description-ko": "녹음의 길이(초)",
                **_TIME,
            },
            "alignment": {
                "title": "Alignment",
                "x-title-ko": "단어별 시각",
                "description": "When each word of the transcript is said, in its order.",
                "x-description-ko": "받아쓴 낱말마다 말한 시각을 차례대로 적습니다.",
                "type": "array",
                "maxItems": 4000,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["word", "start", "end"],
                    "properties": {
                        "word": {
                            "title": "Word",
                            "x-title-ko": "단어",
                            "description": "One word of the transcript.",
                            "x-description-ko": "받아쓴 내용의 낱말 하나",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 200,
                        },
                        "start": _START,
                        "end": _END,
                        "confidence": {
                            "title": "Confidence",
                            "x-title-ko": "확신",
                            "description": "How sure you are, from 0 to 1.",
                            "x-description-ko": "얼마나 확실한지 0부터 1까지",
                            "type": "number",
                            "minimum": 0,
                            "maximum": 1,
                        },
                    },
                },
            },
            "segments": {
                "title": "Segments",
                "x-title-ko": "구간",
                "description": "Who says what and when, ordered by start; the same speaker's do not overlap.",
                "x-description-ko": "누가 언제 무엇을 말하는지, 시작 순서대로. 같은 사람끼리는 겹치지 않습니다.",
                "type": "array",
                "maxItems": 2000,
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["start", "end", "text"],
                    "properties": {
                        "start": _START,
                        "end": _END,
                        "speaker": {
                            "title": "Speaker",
                            "x-title-ko": "화자",
                            "description": "Who speaks, by any name; without one everybody is the same speaker.",
                            "x-description-ko": "말하는 사람, 아무 이름이나. 없으면 모두 같은 사람입니다.",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 100,
                        },
                        "text": {
                            "title": "Text",
                            "x-title-ko": "내용",
                            "description": "What is said.",
                            "x-description-ko": "말한 내용",
                            "type": "string",
                            "minLength": 1,
                            "maxLength": 10_000,
                        },
                    },
                },
            },
            "error": {
                "title": "Problem",
                "x-title-ko": "문제",
                "description": "Why the recording cannot be transcribed in full; then the transcript may be empty.",
                "x-description-ko": "끝까지 받아쓸 수 없는 까닭. 이때는 내용을 비워 둘 수 있습니다.",
                "type": "string",
                "minLength": 1,
                "maxLength": 500,
            },
        },
    }
    examples = (
        (
            {
                "attachment": "https://example.com/calls/0042.wav",
                "attachment_type": "audio",
                "language": "en",
                "phrases": ["WorkersAI"],
            },
            {
                "transcript": "Thank you for calling.",
                "duration": 1.8,
                "alignment": [
                    {"word": "Thank", "start": 0.1, "end": 0.4, "confidence": 1},
                    {"word": "you", "start": 0.4, "end": 0.6},
                    {"word": "for", "start": 0.7, "end": 0.9},
                    {"word": "calling.", "start": 0.9, "end": 1.6},
                ],
            },
        ),
        (
            {"attachment": "https://example.com/통화/7.mp3", "language": "ko-KR", "max_duration": 60},
            {
                "transcript": "여보세요? 네, 안녕하세요.",
                "duration": 3.2,
                "segments": [
                    {"start": 0, "end": 1.1, "speaker": "고객", "text": "여보세요?"},
                    {"start": 1, "end": 3, "speaker": "상담원", "text": "네, 안녕하세요."},
                ],
            },
        ),
        (
            {"attachment": "https://example.com/calls/0043.wav", "verbatim": True},
            {"transcript": "", "duration": 4, "error": "There is only noise."},
        ),
    )
    ui: ClassVar[JsonObject] = {
        "show": ["/attachment", "/language", "/phrases"],
        "widgets": {"": "audio_transcription"},
    }

    def check_params(self, params: JsonObject) -> Iterator[Issue]:
        """Yield a URL that no browser would load, a malformed language tag, and blank phrases."""
        yield from attachments.url_issues(params["attachment"])
        language = params.get("language")
        if language is not None and not languages.is_well_formed(language):
            text = f"A language is a BCP 47 tag such as en, ko-KR or zh-Hant; this is {shown(language)}."
            yield Issue("/language", text, "invalid_language")
        for position, phrase in enumerate(params.get("phrases", ())):
            if not phrase.strip():
                yield Issue(pointer("phrases", position), "This phrase is only white space.", "blank")

    def check_response(self, params: JsonObject, response: Json) -> Iterator[Issue]:
        """Yield a missing transcript, times that cannot be, and an alignment of other words than the transcript's."""
        if "error" not in response:
            if not has_words(response["transcript"]):
                text = "The transcript has no words; when nothing can be transcribed, say why in error."
                yield Issue("/transcript", text, "blank")
            if response["duration"] == 0:
                yield Issue("/duration", "More than 0 seconds; when it cannot be played, say so in error.", "too_small")
        elif not response["error"].strip():
            yield Issue("/error", "This is only white space; say what is wrong.", "blank")
        longest = params.get("max_duration")
        if longest is not None and response["duration"] > longest + timelines.TOLERANCE_S:
            text = f"At most {longest} seconds; this is {response['duration']}."
            yield Issue("/duration", text, "too_large")
        for name in ("alignment", "segments"):
            yield from timelines.time_issues(name, response.get(name, ()), response["duration"])
        yield from timelines.overlap_issues("segments", response.get("segments", ()))
        yield from _word_issues(params, response)

    def mock_response(self, params: JsonObject, rng: random.Random) -> Json:
        """Say a sentence in the task's language, when it is Korean, or else in English, with the times of its words."""
        text = rng.choice(_MOCKED.get(_language(params), _MOCKED[_DEFAULT_LANGUAGE]))
        spoken = text.split()
        duration = min(_MOCKED_WORD_S * len(spoken), params.get("max_duration", 86_400))
        response: dict[str, Any] = {"transcript": text, "duration": duration}
        if rng.random() < 0.5:
            at = [duration * n / len(spoken) for n in range(len(spoken))]
            ends = [*at[1:], duration]
            response["alignment"] = [
                {"word": word, "start": start, "end": end} for word, start, end in zip(spoken, at, ends, strict=True)
            ]
        return response

    def normalize(self, params: JsonObject, response: Json) -> Json:
        """Return the words, and whether an error was reported; times and spellings do not count."""
        return {"words": _forms(params, response["transcript"]), "error": "error" in response}

    def agreement(self, params: JsonObject, a: Json, b: Json) -> float:
        """Return one minus the word error rate, taken over the longer of the two transcripts."""
        return Levenshtein.normalized_similarity(_forms(params, a["transcript"]), _forms(params, b["transcript"]))

    def aggregate(self, params: JsonObject, answers: Sequence[Answer]) -> Verdict:
        """Return the transcript that the answers agree on best, word by word, or the error that more than half report.

        Each word is spelled as most spell it, and the duration is the median.
        Times are taken from an answer that has exactly the words of the
        verdict; when there is none, they are left out. The confidence is the
        mean share of the weight that is for the words, or for the error.
        """
        ranked = sorted(answers, key=_rank)
        everybody = [answer.weight for answer in ranked]
        if all(answer.response == ranked[0].response for answer in ranked):
            return Verdict(response=ranked[0].response, confidence=1.0)
        failed = [answer for answer in ranked if "error" in answer.response]
        if weighing.is_majority([answer.weight for answer in failed], everybody):
            return Verdict(response=_failure(params, failed), confidence=_share(failed, ranked))
        heard = [answer for answer in ranked if "error" not in answer.response]
        transcript, sure = _transcript(params, heard)
        response = {"transcript": transcript, "duration": _duration(heard)}
        response |= self._times(params, response, heard)
        return Verdict(response=response, confidence=sure * _share(heard, ranked))

    def _times(self, params: JsonObject, response: JsonObject, answers: Sequence[Answer]) -> dict[str, Any]:
        """Return the alignment and the segments, if there are, that fit the verdict."""
        wanted = _forms(params, response["transcript"])
        found: dict[str, Any] = {}
        for name, text in (("alignment", "word"), ("segments", "text")):
            for answer in sorted(answers, key=lambda each: (-each.weight, _rank(each))):
                entries = answer.response.get(name)
                said = _forms(params, " ".join(entry[text] for entry in entries or ()))
                if entries and said == wanted and not list(self.check_response(params, {**response, name: entries})):
                    found[name] = entries
                    break
        return found

    def params_strategy(self) -> SearchStrategy[Any]:
        """Return params for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.audio_params()

    def response_strategy(self, params: JsonObject) -> SearchStrategy[Any]:
        """Return responses for the conformance laws."""
        from workersai_plugins import strategies

        return strategies.audio_response(params)


@hookimpl
def register_task_types() -> Iterable[TaskType]:
    """Return the task type of this module."""
    return [AudioTranscription()]


# --- words -------------------------------------------------------------------------------------------


def _language(params: JsonObject) -> str:
    return languages.primary(params.get("language", _DEFAULT_LANGUAGE))


def _fillers(params: JsonObject) -> frozenset[str]:
    """Return the words that do not count in this task."""
    return frozenset() if params.get("verbatim", False) else _FILLERS.get(_language(params), frozenset())


def _forms(params: JsonObject, text: str) -> list[str]:
    """Return the words of a transcript that count; where there are but fillers, these."""
    said, fillers = forms(text), _fillers(params)
    return [form for form in said if form not in fillers] or said


def _words(params: JsonObject, text: str) -> list[Word]:
    said, fillers = split(text), _fillers(params)
    return [word for word in said if word.form not in fillers] or said


# --- the verdict -------------------------------------------------------------------------------------


def _rank(answer: Answer) -> tuple[str, float]:
    """Return by what answers are put into an order that does not depend on who was first."""
    return json.dumps(answer.response, sort_keys=True, ensure_ascii=False), answer.weight


def _share(part: Sequence[Answer], whole: Sequence[Answer]) -> float:
    return weighing.share([answer.weight for answer in part], [answer.weight for answer in whole])


def _duration(answers: Sequence[Answer]) -> float:
    return weighing.median((answer.response["duration"], answer.weight) for answer in answers)


def _transcript(params: JsonObject, answers: Sequence[Answer]) -> tuple[str, float]:
    """Return the transcript that the answers agree on, and how sure it is."""
    voices = [Voice(_words(params, answer.response["transcript"]), answer.weight) for answer in answers]
    outcome = vote(voices)
    texts = [answer.response["transcript"] for answer in answers]
    text = join(outcome.words)
    # When all are the same, not even the white space changes; and the longest spelling of every word may be too long.
    if len(set(texts)) == 1 or len(text) > _MAX_TRANSCRIPT:
        text = texts[outcome.typical]
    return text, outcome.confidence


def _failure(params: JsonObject, answers: Sequence[Answer]) -> Json:
    """Return the response of those who report an error: what most of them say is wrong, and what they heard."""
    reason, _ = weighing.plurality((answer.response["error"], answer.weight) for answer in answers)
    return {"transcript": _transcript(params, answers)[0], "duration": _duration(answers), "error": reason}


# --- issues ------------------------------------------------------------------------------------------


def _word_issues(params: JsonObject, response: Json) -> Iterator[Issue]:
    """Yield the first place where the alignment has another word than the transcript."""
    alignment = response.get("alignment", ())
    if not alignment:
        return
    fillers = _fillers(params)
    aligned = [(form, n) for n, entry in enumerate(alignment) for form in forms(entry["word"])]
    aligned = [each for each in aligned if each[0] not in fillers] or aligned
    said = _forms(params, response["transcript"])
    for (form, position), wanted in zip(aligned, said, strict=False):
        if form != wanted:
            text = f"The transcript has {shown(wanted)} here, the alignment {shown(form)}."
            yield Issue(pointer("alignment", position, "word"), text, "differs")
            return
    if len(aligned) < len(said):
        yield Issue("/alignment", f"The transcript goes on with {shown(said[len(aligned)])}.", "differs")
    elif len(aligned) > len(said):
        form, position = aligned[len(said)]
        text = f"The transcript has ended here; the alignment goes on with {shown(form)}."
        yield Issue(pointer("alignment", position, "word"), text, "differs")
