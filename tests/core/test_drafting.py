from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from support.engines import HOOK, OPTIONS, create, fields
from workersai_core import AddressPolicy, InvalidInput, UnknownTaskType, UnsafeURL
from workersai_core.drafting import DEFAULT_CALLBACK_URL, TaskFields, content_of

LATER = datetime(2030, 1, 1, tzinfo=UTC)


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, at):
        return None


def issues_of(engine, **given):
    with pytest.raises(InvalidInput) as caught:
        engine.draft_task(**fields(**given))
    return [(issue.pointer, issue.code) for issue in caught.value.issues]


# --- what is right -------------------------------------------------------------------------------


def test_the_defaults_are_those_of_the_api():
    found = TaskFields(account="acme")
    assert ("live", "categorization", "", {}) == (found.mode, found.task_type, found.instruction, found.params)
    assert (None, ("completed",), {}) == (found.callback_url, found.callback_events, found.metadata)
    assert (1, 50, None, None, ()) == (found.overlap, found.priority, found.deadline_at, found.unique_id, found.tags)
    assert "requester" == found.actor


def test_a_draft_holds_everything_as_given_and_its_json_as_text(engine):
    draft = engine.draft_task(
        **fields(
            mode="test",
            task_type="choose",
            instruction="Pick **one**",
            callback_events=["completed", "error"],
            metadata={"b": 1.0, "a": "ö"},
            overlap=20,
            priority=0,
            deadline_at=LATER,
            unique_id="u",
            tags=["x", "y"],
            actor="worker:ann",
        )
    )
    assert ("pick", 1) == (draft.task_type, draft.task_type_version), "an alias becomes the name"
    assert ('{"options":["a","b","c"]}', '{"b":1.0,"a":"ö"}') == (draft.params_json, draft.metadata_json)
    assert ("acme", "test", "Pick **one**", HOOK) == (
        draft.account,
        draft.mode,
        draft.instruction,
        draft.callback_url,
    )
    assert (frozenset({"completed", "error"}), 20, 0) == (draft.callback_events, draft.overlap, draft.priority)
    assert (LATER, "u", ("x", "y"), "worker:ann") == (draft.deadline_at, draft.unique_id, draft.tags, draft.actor)


def test_without_a_callback_url_the_literal_default_is_taken(engine):
    assert DEFAULT_CALLBACK_URL == engine.draft_task(**fields(callback_url=None)).callback_url


def test_events_may_come_from_a_generator_which_is_gone_over_once(engine):
    draft = engine.draft_task(**fields(callback_events=(name for name in ["expired", "error"])))
    assert frozenset({"expired", "error"}) == draft.callback_events


def test_nobody_needs_to_be_called_back(engine):
    assert frozenset() == engine.draft_task(**fields(callback_events=[])).callback_events


def test_values_at_their_limits_pass(engine):
    engine.draft_task(
        **fields(
            instruction="i" * 20_000,
            metadata={"x": "m" * (10_240 - len('{"x":""}'))},
            unique_id="u" * 255,
            tags=["t" * 100] * 20,
            priority=100,
            deadline_at=datetime.max.replace(tzinfo=UTC),
        )
    )


# --- what is wrong -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        ("account", "", "/account", "too_short"),
        ("account", 5, "/account", "wrong_type"),
        ("actor", "", "/actor", "too_short"),
        ("mode", "trial", "/mode", "not_in_list"),
        ("mode", [], "/mode", "not_in_list"),
        ("instruction", None, "/instruction", "wrong_type"),
        ("instruction", "i" * 20_001, "/instruction", "too_long"),
        ("instruction", "a\x00b", "/instruction", "invalid_text"),
        ("params", None, "/params", "wrong_type"),
        ("params", [], "/params", "wrong_type"),
        ("params", {"options": ["\ud800"]}, "/params/options/0", "invalid_text"),
        ("params", {"options": ["a", ""]}, "/params/options/1", "too_short"),
        ("params", {}, "/params/options", "required"),
        ("callback_url", 5, "/callback_url", "wrong_type"),
        ("callback_url", "", "/callback_url", "too_short"),
        ("callback_url", "no url", "/callback_url", "unsafe_url"),
        ("callback_events", "completed", "/callback_events", "wrong_type"),
        ("callback_events", 5, "/callback_events", "wrong_type"),
        ("callback_events", None, "/callback_events", "wrong_type"),
        ("callback_events", ["done"], "/callback_events", "not_in_list"),
        ("callback_events", [["completed"]], "/callback_events", "not_in_list"),
        ("metadata", "text", "/metadata", "wrong_type"),
        ("metadata", {"a": float("nan")}, "/metadata/a", "not_finite"),
        ("metadata", {"x": "m" * 10_240}, "/metadata", "too_long"),
        ("metadata", {"x": "ö" * 5_120}, "/metadata", "too_long"),
        ("overlap", 0, "/overlap", "too_small"),
        ("overlap", 21, "/overlap", "too_large"),
        ("overlap", True, "/overlap", "wrong_type"),
        ("overlap", 1.0, "/overlap", "wrong_type"),
        pytest.param("overlap", 10**5000, "/overlap", "too_large", id="overlap-enormous"),
        ("priority", -1, "/priority", "too_small"),
        ("priority", 101, "/priority", "too_large"),
        ("priority", "50", "/priority", "wrong_type"),
        ("deadline_at", "2030-01-01T00:00:00Z", "/deadline_at", "wrong_type"),
        ("deadline_at", datetime(2030, 1, 1), "/deadline_at", "wrong_type"),  # noqa: DTZ001 - that is the mistake
        ("deadline_at", datetime(2030, 1, 1, tzinfo=Nowhere()), "/deadline_at", "wrong_type"),
        ("deadline_at", datetime(2020, 1, 1, tzinfo=UTC), "/deadline_at", "too_small"),
        ("unique_id", "", "/unique_id", "too_short"),
        ("unique_id", "u" * 256, "/unique_id", "too_long"),
        ("unique_id", 7, "/unique_id", "wrong_type"),
        ("tags", "x", "/tags", "wrong_type"),
        ("tags", ["x"] * 21, "/tags", "too_many_items"),
        ("tags", ["x", ""], "/tags/1", "too_short"),
        ("tags", ["t" * 101], "/tags/0", "too_long"),
        ("tags", [None], "/tags/0", "wrong_type"),
    ],
)
def test_each_wrong_value_is_refused_with_its_place(engine, field, value, pointer, code):
    assert [(pointer, code)] == issues_of(engine, **{field: value})


def test_a_deadline_lies_after_the_present_moment(engine, clock):
    assert [("/deadline_at", "too_small")] == issues_of(engine, deadline_at=clock.now())
    engine.draft_task(**fields(deadline_at=clock.now() + timedelta(microseconds=1)))


def test_all_problems_come_at_once(engine):
    found = issues_of(
        engine,
        params={"options": [], "extra": 1},
        callback_url="ftp://receiver.test",
        overlap=0,
        priority=999,
        tags=[""],
    )
    assert {"/params/options", "/params/extra", "/callback_url", "/overlap", "/priority", "/tags/0"} == {
        pointer for pointer, _ in found
    }
    assert 6 == len(found)


def test_the_error_says_how_many_values_are_wrong(engine):
    with pytest.raises(InvalidInput, match="One value is wrong; nothing was created"):
        engine.draft_task(**fields(overlap=0))
    with pytest.raises(InvalidInput, match="2 values are wrong; nothing was created"):
        engine.draft_task(**fields(overlap=0, priority=-1))


def test_params_that_are_no_json_never_reach_the_task_type(open_engine, engine):
    assert [("/params/options", "not_json")] == issues_of(engine, params={"options": {1, 2}})


def test_an_unknown_type_is_refused_before_everything_else(engine):
    with pytest.raises(UnknownTaskType, match="Did you mean pick"):
        engine.draft_task(**fields(task_type="pikc", overlap=0))


def test_an_address_that_must_not_be_called_has_an_error_of_its_own_unless_more_is_wrong(open_engine):
    engine = open_engine(policy=None)
    with pytest.raises(UnsafeURL):
        engine.draft_task(**fields(callback_url="http://127.0.0.1/hook"))
    with pytest.raises(InvalidInput) as caught:
        engine.draft_task(**fields(callback_url="http://127.0.0.1/hook", overlap=0))
    assert not isinstance(caught.value, UnsafeURL)


def test_the_policy_decides_which_addresses_may_be_called(open_engine):
    from workersai_core import Policy

    engine = open_engine(policy=Policy(addresses=AddressPolicy.of(["127.0.0.0/8"])))
    assert "http://127.0.0.1/hook" == create(engine, callback_url="http://127.0.0.1/hook").callback_url


# --- metadata.mock -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mock", "pointer", "code"),
    [
        (5, "/metadata/mock", "wrong_type"),
        (None, "/metadata/mock", "wrong_type"),
        ({"delay_s": -1}, "/metadata/mock/delay_s", "invalid"),
        ({"delay_s": 86_401}, "/metadata/mock/delay_s", "invalid"),
        ({"delay_s": True}, "/metadata/mock/delay_s", "invalid"),
        ({"delay_s": "2"}, "/metadata/mock/delay_s", "invalid"),
        ({"outcome": "complete"}, "/metadata/mock/outcome", "invalid"),
        ({"outcome": []}, "/metadata/mock/outcome", "invalid"),
        ({"callback": "fail"}, "/metadata/mock/callback", "invalid"),
        ({"callback": {}}, "/metadata/mock/callback", "invalid"),
        ({"dealy_s": 1}, "/metadata/mock/dealy_s", "unknown_field"),
        ({"a/b": 1}, "/metadata/mock/a~1b", "unknown_field"),
        ({"response": {"choice": "z"}}, "/metadata/mock/response/choice", "not_in_list"),
        ({"response": None}, "/metadata/mock/response", "wrong_type"),
    ],
)
def test_each_wrong_control_of_the_mock_is_refused_with_its_place(engine, mock, pointer, code):
    assert [(pointer, code)] == issues_of(engine, mode="test", metadata={"mock": mock})


@pytest.mark.parametrize(
    "mock",
    [
        {},
        {"delay_s": 0},
        {"delay_s": 86_400},
        {"delay_s": 0.5, "outcome": "never"},
        {"outcome": "error"},
        {"outcome": "cancel"},
        {"response": {"choice": "b"}, "callback": "fail_first_2"},
    ],
)
def test_the_controls_of_the_mock_pass(engine, mock):
    assert {"mock": mock} == engine.draft_task(**fields(mode="test", metadata={"mock": mock})).metadata


def test_under_a_live_key_the_mock_is_data_like_any_other(engine):
    engine.draft_task(**fields(mode="live", metadata={"mock": {"anything": 1}}))


def test_a_mock_answer_is_not_checked_against_wrong_params(engine):
    found = issues_of(engine, mode="test", params={}, metadata={"mock": {"response": {"choice": "z"}}})
    assert [("/params/options", "required")] == found


# --- sameness ------------------------------------------------------------------------------------


def content(engine, **given):
    return content_of(engine.draft_task(**fields(**given)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"task_type": "pick"}, {"task_type": "choose"}),
        ({"metadata": {"a": 1, "b": 2}}, {"metadata": {"b": 2.0, "a": 1}}),
        ({"callback_events": ["error", "completed"]}, {"callback_events": ["completed", "error", "error"]}),
        ({"deadline_at": LATER}, {"deadline_at": LATER.astimezone()}),
        ({"callback_url": None}, {"callback_url": DEFAULT_CALLBACK_URL}),
        ({"actor": "one"}, {"actor": "other"}),
    ],
)
def test_drafts_that_ask_for_the_same_task_have_the_same_content(engine, one, other):
    assert content(engine, **one) == content(engine, **other)


@pytest.mark.parametrize(
    "other",
    [
        {"task_type": "unanimous"},
        {"instruction": "x"},
        {"params": {"options": [*OPTIONS, "d"]}},
        {"callback_url": "https://other.test"},
        {"callback_events": []},
        {"metadata": {"a": True}},
        {"overlap": 2},
        {"priority": 51},
        {"deadline_at": LATER},
        {"unique_id": "u"},
        {"tags": ["x"]},
    ],
)
def test_any_other_wish_is_another_content(engine, other):
    assert content(engine) != content(engine, **other)
