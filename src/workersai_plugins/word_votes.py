"""One transcript from several: a vote word by word, in the manner of ROVER.

ROVER (Fiscus 1997, "A post-processing system to yield reduced word error
rates") lines the transcripts up and lets them vote at each place. Here they are
lined up with the one that differs least from all others, and each votes with
its weight times its reliability: how much it is like the others, raised to a
power, as in HRRASA (Li 2020). A careless transcript, which is like none, has
next to no say; where two are equally plausible, the better ones decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from workersai_plugins.words import Word

__all__ = ["Outcome", "Voice", "vote"]

_POWER = 6
"""How sharply reliability falls with unlikeness; measured with 3, 5 and 7 transcripts, 4 to 8 are equally good."""
_LEAST_LIKENESS = 0.01
"""So that transcripts with nothing in common still have a say."""


class Voice(NamedTuple):
    """One transcript and how much it counts."""

    words: Sequence[Word]
    weight: float

    @property
    def forms(self) -> list[str]:
        """The words as they are compared."""
        return [word.form for word in self.words]


class Outcome(NamedTuple):
    """What came of a vote."""

    words: Sequence[Word]
    """The words that won."""
    confidence: float
    """The mean share of the weight that is for them."""
    typical: int
    """The position of the voice that differs least from all others."""


Slot = tuple[Word, ...]
"""What one transcript has at one place: at a word of the backbone at most one word, between them any number."""


def vote(voices: Sequence[Voice]) -> Outcome:
    """Return the transcript that the voices agree on best.

    Args:
        voices: At least one, in an order that does not depend on who answered first.
    """
    forms = [voice.forms for voice in voices]
    influence = _influence(forms, [voice.weight for voice in voices])
    backbone = _medoid(forms, influence)
    rows = [_slots(forms[backbone], voice) for voice in voices]
    words: list[Word] = []
    shares: list[float] = []
    everything = math.fsum(voice.weight for voice in voices)
    for column in zip(*rows, strict=True):
        if any(column):
            winner = _winner(column, influence, backbone)
            words.extend(winner)
            wanted = _form(winner)
            agreeing = [each.weight for each, slot in zip(voices, column, strict=True) if _form(slot) == wanted]
            shares.append(math.fsum(agreeing) / everything)
    if not words:  # each word has a majority against it, so the most typical transcript stands as a whole
        return Outcome(voices[backbone].words, voices[backbone].weight / everything, backbone)
    return Outcome(words, min(1.0, math.fsum(shares) / len(shares)), backbone)


def _influence(forms: Sequence[list[str]], weights: Sequence[float]) -> list[float]:
    """Return each voice's weight times its reliability."""
    if len(forms) == 1:
        return list(weights)
    found = []
    for i, weight in enumerate(weights):
        others = [
            (Levenshtein.normalized_similarity(forms[i], forms[j]), weights[j]) for j in range(len(forms)) if j != i
        ]
        likeness = math.fsum(like * other for like, other in others) / math.fsum(other for _, other in others)
        found.append(weight * max(likeness, _LEAST_LIKENESS) ** _POWER)
    return found


def _medoid(forms: Sequence[list[str]], influence: Sequence[float]) -> int:
    """Return which transcript needs the fewest changes to become the others."""
    distances = [
        math.fsum(weight * Levenshtein.distance(one, other) for other, weight in zip(forms, influence, strict=True))
        for one in forms
    ]
    return min(range(len(forms)), key=lambda i: (distances[i], forms[i]))


def _slots(backbone: Sequence[str], voice: Voice) -> list[Slot]:
    """Return what a voice has before, at and after each word of the backbone."""
    slots: list[Slot] = [()] * (2 * len(backbone) + 1)
    for step in Levenshtein.opcodes(backbone, voice.forms):
        if step.tag == "insert":
            slots[2 * step.src_start] = tuple(voice.words[step.dest_start : step.dest_end])
        elif step.tag != "delete":
            for offset, word in enumerate(voice.words[step.dest_start : step.dest_end]):
                slots[2 * (step.src_start + offset) + 1] = (word,)
    return slots


def _winner(column: Sequence[Slot], influence: Sequence[float], backbone: int) -> Slot:
    """Return what stands at one place: the words with the most influence, in their most usual spelling."""
    ballots: dict[Slot, list[float]] = {}
    by_form: dict[tuple[str, ...], list[float]] = {}
    for slot, weight in zip(column, influence, strict=True):
        ballots.setdefault(slot, []).append(weight)
        by_form.setdefault(_form(slot), []).append(weight)
    standing = column[backbone]
    form = max(by_form, key=lambda each: (math.fsum(by_form[each]), each == _form(standing), each))
    spelled = [slot for slot in ballots if _form(slot) == form]
    return max(spelled, key=lambda slot: (math.fsum(ballots[slot]), slot == standing, slot))


def _form(slot: Slot) -> tuple[str, ...]:
    return tuple(word.form for word in slot)
