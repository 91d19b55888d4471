from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_server.cursors import Cursor, Cursors
from workersai_server.errors import InvalidCursor

cursors = Cursors("the service's secret key")
scopes = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4)


@given(direction=st.sampled_from(["after", "before"]), place=st.uuids().map(str), scope=scopes, other=scopes)
def test_a_cursor_is_read_back_for_its_own_list_alone(direction, place, scope, other):
    written = cursors.write(Cursor(direction, place), scope)

    assert Cursor(direction, place) == cursors.read(written, scope)
    if other != scope:
        with pytest.raises(InvalidCursor):
            cursors.read(written, other)


@given(text=st.text())
def test_nothing_else_is_a_cursor(text):
    with pytest.raises(InvalidCursor):
        cursors.read(text, [])


def test_another_secret_key_signs_other_cursors():
    written = Cursors("another key").write(Cursor("after", "1"), [])

    with pytest.raises(InvalidCursor):
        cursors.read(written, [])


def test_the_parts_of_a_scope_do_not_run_together():
    written = cursors.write(Cursor("after", "1"), ["ab", "c"])

    with pytest.raises(InvalidCursor):
        cursors.read(written, ["a", "bc"])
