from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core.callbacks.lanes import Lanes, Share
from workersai_core.callbacks.sending import Kind
from workersai_core.store.endpoint_rows import Waiting


def endpoint(name, *, slow=False, known=True):
    return Waiting(id=name, due_us=0, slow=slow, known=known)


def healthy(*names):
    return [endpoint(name) for name in names]


def new(*names):
    return [endpoint(name, known=False) for name in names]


def troubled(*names):
    return [endpoint(name, slow=True) for name in names]


def parcels(name, count):
    return [SimpleNamespace(sending=SimpleNamespace(endpoint_id=name, n=n)) for n in range(count)]


def fill(lanes, name, count, kind=Kind.HEALTHY):
    lanes.add(Share(name, kind, count), parcels(name, count))


def take_all(lanes):
    taken = []
    while (parcel := lanes.take()) is not None:
        taken.append(parcel.sending.endpoint_id)
    return taken


def granted(lanes, due):
    return {share.endpoint_id: share.limit for share in lanes.room().shares(due)}


# --- what may be claimed -----------------------------------------------------------------------


def test_a_healthy_endpoint_may_have_some_waiting_behind_those_on_their_way():
    assert {"a": 32} == granted(Lanes(64), healthy("a"))


def test_what_an_endpoint_holds_already_counts():
    lanes = Lanes(64)
    fill(lanes, "a", 30)
    assert {"a": 2} == granted(lanes, healthy("a"))


def test_an_endpoint_that_holds_its_fill_gets_nothing():
    lanes = Lanes(64)
    fill(lanes, "a", 32)
    assert {"b": 32} == granted(lanes, healthy("a", "b"))


def test_healthy_endpoints_share_equally_when_memory_is_short():
    assert {"a": 8, "b": 8} == granted(Lanes(4), healthy("a", "b"))


@pytest.mark.parametrize("unproven", [new, troubled])
def test_an_unproven_endpoint_gets_one_delivery(unproven):
    assert {"a": 1} == granted(Lanes(64), unproven("a"))


@pytest.mark.parametrize(("unproven", "kind"), [(new, Kind.NEW), (troubled, Kind.TROUBLED)])
def test_an_unproven_endpoint_gets_no_second_delivery_meanwhile(unproven, kind):
    lanes = Lanes(64)
    fill(lanes, "a", 1, kind)
    assert {} == granted(lanes, unproven("a"))


def test_troubled_endpoints_together_get_half_of_the_senders():
    names = [f"{n:03}" for n in range(100)]
    assert 4 == len(granted(Lanes(8), troubled(*names)))


def test_new_and_troubled_endpoints_together_leave_a_quarter_of_the_senders():
    names = [f"{n:03}" for n in range(100)]
    shares = Lanes(8).room().shares([*troubled(*names[:50]), *new(*names[50:])])
    kinds = [share.kind for share in shares]
    assert (4, 2) == (kinds.count(Kind.TROUBLED), kinds.count(Kind.NEW))


def test_a_lone_sender_still_serves_troubled_endpoints():
    assert {"a": 1} == granted(Lanes(1), troubled("a", "b"))


def test_endpoints_that_were_left_out_are_next():
    lanes = Lanes(4)
    due = troubled("a", "b", "c", "d", "e")
    served = []
    for _ in range(5):
        for share in lanes.room().shares(due):
            fill(lanes, share.endpoint_id, 1, Kind.TROUBLED)
            served.append(share.endpoint_id)
        for name in take_all(lanes):
            lanes.finish(name, Kind.TROUBLED)
    assert list("abcdeabcde") == served


def test_a_crowd_of_troubled_endpoints_takes_nothing_from_a_healthy_one():
    crowd = [f"x{n:03}" for n in range(50)]
    assert 28 == granted(Lanes(8), sorted([*troubled(*crowd), *healthy("a")], key=lambda e: e.id))["a"]


def test_room_can_be_limited():
    shares = Lanes(64).room().at_most(3).shares([*troubled("a"), *healthy("b")])
    assert [Share("a", Kind.TROUBLED, 1), Share("b", Kind.HEALTHY, 2)] == shares


def test_no_room_claims_nothing():
    assert [] == Lanes(64).room().at_most(0).shares([*healthy("a"), *new("b"), *troubled("c")])


@given(
    senders=st.integers(1, 70),
    kinds=st.lists(st.sampled_from([healthy, new, troubled]), max_size=120),
    rounds=st.integers(1, 4),
)
def test_no_limit_is_ever_broken(senders, kinds, rounds):
    lanes = Lanes(senders)
    due = [kind(f"{n:03}")[0] for n, kind in enumerate(kinds)]
    held = {}
    for _ in range(rounds):
        for share in lanes.room().shares(due):
            fill(lanes, share.endpoint_id, share.limit, share.kind)
            count, _ = held.get(share.endpoint_id, (0, None))
            held[share.endpoint_id] = (count + share.limit, share.kind)
    singles = [count for count, kind in held.values() if kind is not Kind.HEALTHY]
    troubled_ones = [count for count, kind in held.values() if kind is Kind.TROUBLED]
    assert all(count == 1 for count in singles)
    assert all(1 <= count <= 32 for count, _ in held.values())
    assert len(troubled_ones) <= max(1, senders // 2)
    assert len(singles) <= max(1, senders * 3 // 4)
    assert sum(count for count, _ in held.values()) <= senders * 4


# --- what is sent next --------------------------------------------------------------------------


def test_a_healthy_endpoint_has_four_on_their_way_at_once():
    lanes = Lanes(64)
    fill(lanes, "a", 10)
    assert ["a"] * 4 == take_all(lanes)


def test_an_endpoint_that_answers_at_once_needs_fewer_at_once():
    lanes = Lanes(64)
    fill(lanes, "a", 10)
    lanes.take()
    lanes.finish("a", Kind.BRISK)
    assert ["a"] * 2 == take_all(lanes)


def test_one_that_ends_makes_place_for_the_next():
    lanes = Lanes(64)
    fill(lanes, "a", 10)
    take_all(lanes)
    lanes.finish("a", Kind.HEALTHY)
    assert ["a"] == take_all(lanes)


def test_endpoints_take_turns():
    lanes = Lanes(64)
    fill(lanes, "a", 3)
    fill(lanes, "b", 2)
    fill(lanes, "c", 1)
    assert list("abcaba") == take_all(lanes)


def test_deliveries_of_an_endpoint_keep_their_order():
    lanes = Lanes(64)
    fill(lanes, "a", 3)
    assert [0, 1, 2] == [lanes.take().sending.n for _ in range(3)]


def test_trouble_gives_back_what_waits_and_leaves_one_slot():
    lanes = Lanes(64)
    fill(lanes, "a", 10)
    take_all(lanes)
    assert 6 == len(lanes.finish("a", Kind.TROUBLED))
    fill(lanes, "a", 5)
    assert [] == take_all(lanes)
    for _ in range(3):
        lanes.finish("a", None)
    assert ["a"] == take_all(lanes)


def test_an_answer_ends_the_trouble():
    lanes = Lanes(64)
    fill(lanes, "a", 1, Kind.TROUBLED)
    fill(lanes, "a", 9, Kind.TROUBLED)
    assert ["a"] == take_all(lanes)
    assert [] == lanes.finish("a", Kind.HEALTHY)
    assert ["a"] * 4 == take_all(lanes)


def test_what_was_not_sent_says_nothing_about_the_endpoint():
    lanes = Lanes(64)
    fill(lanes, "a", 3, Kind.TROUBLED)
    take_all(lanes)
    assert [] == lanes.finish("a", None)
    assert ["a"] == take_all(lanes)


def test_an_endpoint_without_deliveries_is_forgotten():
    lanes = Lanes(64)
    fill(lanes, "a", 1)
    take_all(lanes)
    lanes.finish("a", Kind.HEALTHY)
    assert ({}, 256) == (lanes.room().held, lanes.room().free)


def test_an_endpoint_that_had_nothing_after_all_holds_nothing():
    lanes = Lanes(64)
    fill(lanes, "a", 0)
    assert ({}, None) == (lanes.room().held, lanes.take())


def test_clearing_takes_out_what_waits_and_keeps_what_is_on_its_way():
    lanes = Lanes(64)
    fill(lanes, "a", 6)
    fill(lanes, "b", 1)
    assert "a" == lanes.take().sending.endpoint_id
    assert 6 == len(lanes.clear())
    assert ({"a": 1}, 0, None) == (lanes.room().held, lanes.waiting, lanes.take())
