"""What holds for every format: of whatever is given it reads tasks, says what is wrong, or refuses the file."""

from __future__ import annotations

import functools
import io
import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.drawn_tasks import carried, completed_tasks, read_back, written
from support.exported_tasks import completed, open_task
from workersai_core.api import Issue, Rejected
from workersai_core.errors import PluginFailed
from workersai_core.plugins import Plugins
from workersai_server.formats import formats_of, readable, rows_of

PLUGINS = Plugins.load(())
FORMATS = formats_of(PLUGINS.hooks)
READABLE = readable(FORMATS)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 99) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@functools.cache
def whole(name):
    """Return an export of the examples of every type."""
    tasks = [completed(each.name, *example) for each in PLUGINS.types for example in each.examples]
    return written(FORMATS[name], open_task(), *tasks)


def read(name, content):
    """Read whatever it is, and return the rows, or None when the file is refused."""
    try:
        rows = list(READABLE[name].read(io.BytesIO(content)))
    except Rejected:
        return None
    for place, found in rows:
        assert isinstance(place, int | str)
        assert isinstance(found, Issue) or json.dumps(found, allow_nan=False)
    return rows


def test_these_are_the_formats():
    lossy = {"preference_pairs", "srt"}
    assert {
        "coco",
        "conll",
        "csv",
        "jsonl",
        "label_studio",
        "nemo",
        "parquet",
        "spacy",
        "voc",
        "webvtt",
        "yolo",
    } | lossy == set(FORMATS)
    assert lossy == set(FORMATS) - set(READABLE)


@pytest.mark.parametrize("name", sorted(READABLE))
def test_the_examples_of_every_type_are_read_back(name):
    rows = read(name, whole(name))
    assert rows
    assert [] == [row for row in rows if isinstance(row[1], Issue)]
    assert len(rows) == len(list(rows_of(name, READABLE[name], io.BytesIO(whole(name)))))


@pytest.mark.parametrize("task_type", list(PLUGINS.types), ids=lambda each: each.name)
def test_the_formats_for_every_task_bring_each_type_back_as_it_was(task_type):
    @settings(max_examples=25)
    @given(st.lists(completed_tasks(task_type), max_size=2))
    def law(tasks):
        for name in ("jsonl", "csv", "parquet"):
            rows = read_back(FORMATS[name], *tasks)
            assert [carried(task) for task in tasks] == [
                {each: row[each] for each in carried(task)} for task, row in zip(tasks, rows, strict=True)
            ]

    law()


class Clumsy:
    media_type = "text/plain"

    def write(self, tasks):
        return iter(())

    def read(self, file):
        yield 1, {"params": {}}
        raise KeyError("oops")


def test_what_a_format_raises_is_told_with_its_name():
    rows = rows_of("clumsy", Clumsy(), io.BytesIO())
    assert {"params": {}} == next(rows).task
    with pytest.raises(PluginFailed, match="Reading the format clumsy failed: KeyError: 'oops'"):
        next(rows)


@pytest.mark.parametrize("name", sorted(READABLE))
def test_a_damaged_file_is_no_accident(name):
    content = whole(name)

    @settings(max_examples=30)
    @given(st.data())
    def law(data):
        at = data.draw(st.integers(0, len(content)))
        damage = data.draw(st.binary(max_size=4))
        read(name, content[:at] + damage + content[at + data.draw(st.sampled_from([0, 1, 4, len(content)])) :])

    law()


@pytest.mark.parametrize("name", sorted(READABLE))
def test_any_bytes_and_any_json_are_no_accident(name):
    @settings(max_examples=30)
    @given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
    def law(content):
        read(name, content)

    law()


def with_changes(value, data):
    """Return a JSON value with one of its parts replaced by something else."""
    if isinstance(value, dict | list) and value and data.draw(st.booleans()):
        keys = sorted(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys))
        changed = dict(value) if isinstance(value, dict) else list(value)
        changed[key] = with_changes(value[key], data)
        return changed
    return data.draw(JSON)


@pytest.mark.parametrize("name", ["coco", "label_studio", "nemo", "spacy"])
def test_any_value_in_any_place_is_no_accident(name):
    content = whole(name)
    lines = [json.loads(line) for line in content.splitlines()] if name in ("nemo", "spacy") else None

    @settings(max_examples=40)
    @given(st.data())
    def law(data):
        if lines is None:
            read(name, json.dumps(with_changes(json.loads(content), data)).encode())
        else:
            changed = [json.dumps(with_changes(line, data)) for line in lines]
            read(name, "\n".join(changed).encode())

    law()


@pytest.mark.parametrize("name", ["voc", "webvtt", "yolo"])
def test_any_text_in_a_zip_is_no_accident(name):
    with zipfile.ZipFile(io.BytesIO(whole(name))) as archive:
        files = {each: archive.read(each) for each in archive.namelist()}

    @settings(max_examples=30)
    @given(st.sampled_from(sorted(files)), st.binary(max_size=30), st.integers(0, 400))
    def law(damaged, damage, at):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for each, content in files.items():
                archive.writestr(each, content[:at] + damage + content[at + 3 :] if each == damaged else content)
        read(name, buffer.getvalue())

    law()
