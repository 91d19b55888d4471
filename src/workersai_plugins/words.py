"""The words of a text, as transcripts and other written answers are compared by.

A word is a run of letters, marks and digits; everything between two words is
white space or punctuation. An apostrophe between letters and a point or comma
between digits belong to the word (``don't``, ``3.5``); a hyphen parts two words
(``air-tight``). In scripts that are written without spaces, which are Chinese,
Japanese, Thai, Lao, Khmer and Burmese, each character with its marks is a word
of its own; Korean has spaces and is taken by them. Symbols such as ``$`` and
``♪`` are no words.

Words are the same when their forms are: Unicode NFC, case folded, one kind of
apostrophe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import attrs

__all__ = ["Word", "forms", "has_words", "join", "split"]

_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
_APOSTROPHES = "'\u2018\u2019\u02bc\u00b4`"
_MARK = "\u0301"
"""Stands for every mark while words are looked for; `re` has no class of marks."""
_LETTER = rf"(?:[^\W_{_UNSPACED}\u02bc]{_MARK}*)"
_WORD = re.compile(
    rf"[{_UNSPACED}]{_MARK}*"
    rf"|{_LETTER}+(?:[{_APOSTROPHES}]{_LETTER}+|(?<=\d)[.,](?=\d){_LETTER}+)*"
)
_ONE_APOSTROPHE = str.maketrans(dict.fromkeys(_APOSTROPHES, "'"))
_SPACE = re.compile(r"\s+")


@attrs.frozen(order=True)
class Word:
    """One word where it stands in a text.

    Attributes:
        form: By which it is compared.
        gap: The white space before it; of the first word, what would stand there.
        spelling: The word as written, with the punctuation around it.
    """

    form: str
    gap: str
    spelling: str


def forms(text: str) -> list[str]:
    """Return the words of a text in the form in which they are compared."""
    text = unicodedata.normalize("NFC", text)
    return [_form(text[start:end]) for start, end in _spans(text)]


def has_words(text: str) -> bool:
    """Return whether `forms` would find anything; it looks no further than the first word."""
    # A word begins with a letter or digit, so it does not matter how marks are written.
    return _WORD.search(unicodedata.normalize("NFC", text)) is not None


def split(text: str) -> list[Word]:
    """Return the words of a text with all that stands between them; `join` puts them together again."""
    text = unicodedata.normalize("NFC", text)
    spans = _spans(text)
    words: list[Word] = []
    begin, gap = 0, ""
    for position, (start, end) in enumerate(spans):
        stop = spans[position + 1][0] if position + 1 < len(spans) else len(text)
        # What stands after the last word belongs to it, also when there is white space between.
        space = _SPACE.search(text, end, stop) if stop < len(text) else None
        if space:
            stop = space.start()
        words.append(Word(_form(text[start:end]), gap if words else _usual_gap(text[start]), text[begin:stop].strip()))
        begin, gap = (space.end(), space[0]) if space else (stop, "")
    return words


def join(words: Sequence[Word]) -> str:
    """Return the text of these words, which may come from different texts."""
    text = ""
    previous: Word | None = None
    for word in words:
        gap = word.gap if previous is not None else ""
        # Parted by a hyphen in one text and by nothing in another, two words must not become one.
        if previous is not None and not gap and forms(previous.spelling + word.spelling) != [previous.form, word.form]:
            gap = " "
        text += gap + word.spelling
        previous = word
    return text


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text in NFC begin and end."""
    if not text.isascii():
        text = text.translate(_ONE_MARK)
    return [match.span() for match in _WORD.finditer(text)]


_LEARNT = 50_000


class _OneMark(dict[int, int]):
    """From the code of each mark to that of `_MARK`, and from every other code to itself; learnt as texts are read."""

    def __missing__(self, code: int) -> int:
        if len(self) >= _LEARNT:  # nobody who writes makes it grow for ever
            self.clear()
        found = self[code] = ord(_MARK) if unicodedata.category(chr(code))[0] == "M" else code
        return found


_ONE_MARK = _OneMark()


def _form(word: str) -> str:
    if word.isascii():
        return word.translate(_ONE_APOSTROPHE).lower()
    return unicodedata.normalize("NFC", word.translate(_ONE_APOSTROPHE).casefold())


def _usual_gap(first: str) -> str:
    return "" if re.match(f"[{_UNSPACED}]", first) else " "
