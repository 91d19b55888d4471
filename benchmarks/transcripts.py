"""Measure the word error rate of aggregated transcripts: ``python -m benchmarks.transcripts FOLDER [SPLIT…]``.

FOLDER holds, by split, ``SPLIT.answers.csv`` (task,worker,text) and
``SPLIT.truth.csv`` (task,text). The word error rate is the edit distance in
words, summed over all tasks, by the number of words of the truth. Where there
is ``SPLIT.baselines.csv`` (audio,transcription,NAME_result…), the published
results are measured in the same way, which shows whether the measure agrees
with the published one.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from workersai_core.api import Answer
from workersai_plugins.audio_transcription import AudioTranscription
from workersai_plugins.words import forms

PARAMS = {"attachment": "https://example.com/recording.mp3", "verbatim": True}


def rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def answers_of(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Return workers and texts by task.

    Some texts that begin with a quotation mark and hold line breaks are torn
    in the published files: the first row has no worker, the next ones have the
    further lines as their task, and the last has the worker as its text.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    torn: list[str] = []
    for row in rows(path):
        task, worker, text = row["task"], row["worker"], row["text"]
        if torn:
            torn.extend([task] if text.isdigit() else [task, text])
            if text.isdigit():
                found.setdefault(torn[0], []).append((text, " ".join(torn[1:])))
                torn = []
        elif worker:
            found.setdefault(task, []).append((worker, text))
        else:
            torn = [task, text]
    return found


def error_rate(pairs: Iterable[tuple[str, Sequence[str]]]) -> float:
    """Return the word error rate of (truth, words) pairs."""
    errors = length = 0
    for truth, words in pairs:
        reference = truth.split()
        errors += Levenshtein.distance(reference, list(words))
        length += len(reference)
    return errors / length


def aggregated(answers: Mapping[str, list[tuple[str, str]]]) -> tuple[dict[str, str], float]:
    """Return the transcript of each task, and how many milliseconds one took."""
    task_type = AudioTranscription()
    found = dict.fromkeys(answers, "")
    times = []
    for task, given in answers.items():
        voices = [
            Answer(response={"transcript": text, "duration": 1.0}, worker_id=worker)
            for worker, text in given
            if forms(text)  # an answer without a word would have been refused
        ]
        if not voices:
            continue
        began = time.perf_counter()
        found[task] = task_type.aggregate(PARAMS, voices).response["transcript"]
        times.append((time.perf_counter() - began) * 1000)
    return found, statistics.fmean(times)


def measure(folder: Path, split: str) -> None:
    """Print the error rates of one split."""
    truth = {row["task"]: row["text"] for row in rows(folder / f"{split}.truth.csv")}
    answers = answers_of(folder / f"{split}.answers.csv")
    texts, milliseconds = aggregated(answers)
    alone = error_rate((truth[task], forms(text)) for task, given in answers.items() for _, text in given)
    together = error_rate((truth[task], forms(texts[task])) for task in truth)
    print(f"{split}: {len(truth)} tasks, {sum(map(len, answers.values()))} answers")
    print(f"  one answer    {alone:.4f}")
    print(f"  aggregate     {together:.4f}   {milliseconds:.2f} ms a task")
    path = folder / f"{split}.baselines.csv"
    published = rows(path) if path.exists() else []
    for name in [column for column in (published[0] if published else ()) if column.endswith("_result")]:
        rate = error_rate((row["transcription"], row[name].split()) for row in published)
        print(f"  {name.removesuffix('_result'):13} {rate:.4f}   (published)")


def main() -> None:
    """Measure the splits that are named, or all that are there."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transcripts", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the CSV files are")
    parser.add_argument("splits", nargs="*", metavar="SPLIT", help="such as dev-clean; all by default")
    arguments = parser.parse_args()
    splits = arguments.splits or sorted(path.name.split(".")[0] for path in arguments.folder.glob("*.answers.csv"))
    if not splits:
        sys.exit(f"There is no SPLIT.answers.csv in {arguments.folder}.")
    for split in splits:
        measure(arguments.folder, split)


if __name__ == "__main__":
    main()
