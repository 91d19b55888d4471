from __future__ import annotations

import itertools
import json
from datetime import timedelta

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import engines
from support.engines import ACCOUNT, ANN, answer, create, fields
from workersai_core import InvalidInput, NotFound, TaskFilter, TaskStatus
from workersai_core.testing import FakeClock

WORDS = ["x", "y", 1, True, None, 1.5, ["x"], {"x": 1}]
WORD_TEXTS = ["x", "y", "1", "true", "null", "1.5", '["x"]']


def ids(tasks):
    return [task.external_id for task in tasks]


def walk(engine, limit, **options):
    """Return every page's ids, following `next`."""
    pages, after = [], None
    while True:
        page = engine.list_tasks(account=ACCOUNT, limit=limit, after=after, **options)
        pages.append(ids(page.tasks))
        after = page.next
        if after is None:
            return pages


def walk_back(engine, limit, start, **options):
    """Return every page's ids, following `previous` from before a task."""
    pages, before = [], start
    while before is not None:
        page = engine.list_tasks(account=ACCOUNT, limit=limit, before=before, **options)
        pages.append(ids(page.tasks))
        before = page.previous
    return pages


def metadata_text(value):
    return value if isinstance(value, str) else json.dumps(value)


def fits(task, chosen):
    """What a filter means, in plain Python."""
    return (
        chosen.task_type in (None, task.task_type)
        and chosen.status in (None, task.status)
        and (chosen.created_after is None or task.created_at > chosen.created_after)
        and (chosen.created_before is None or task.created_at < chosen.created_before)
        and all(
            name in task.metadata
            and not isinstance(task.metadata[name], list | dict)
            and wanted == metadata_text(task.metadata[name])
            for name, wanted in chosen.metadata.items()
        )
    )


class World:
    """Some tasks, made at few different times so that times often tie."""

    def __init__(self, specs):
        self.clock = FakeClock()
        self.start = self.clock.now()
        self.engine = engines.open_engine(clock=self.clock)
        self.tasks = []
        for seconds, task_type, canceled, metadata in specs:
            self.clock.advance(seconds)
            task = create(self.engine, task_type=task_type, metadata=metadata)
            create(self.engine, account="other", metadata=metadata)
            create(self.engine, mode="test", metadata=metadata)
            if canceled:
                task = self.engine.cancel_task(task.external_id, account=ACCOUNT)
            self.tasks.append(task)
        self.newest_first = sorted(self.tasks, key=lambda task: (task.created_at, task.external_id), reverse=True)


SPECS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1]),
        st.sampled_from(["pick", "unanimous"]),
        st.booleans(),
        st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(WORDS), max_size=2),
    ),
    max_size=12,
)
FILTERS = st.builds(
    lambda **given: given,
    task_type=st.sampled_from([None, None, "pick", "unanimous"]),
    status=st.sampled_from([None, None, TaskStatus.PENDING, TaskStatus.CANCELED]),
    created_after=st.none() | st.integers(-1, 8),
    created_before=st.none() | st.integers(-1, 8),
    metadata=st.just({}) | st.dictionaries(st.sampled_from(["k", "l"]), st.sampled_from(WORD_TEXTS), max_size=2),
)


@settings(max_examples=60)
@given(specs=SPECS, wanted=FILTERS, limit=st.integers(1, 5))
def test_pages_both_ways_are_the_plain_sorted_list(specs, wanted, limit):
    world = World(specs)
    for name in ("created_after", "created_before"):
        if wanted[name] is not None:
            wanted[name] = world.start + timedelta(seconds=wanted[name])
    chosen = TaskFilter(**wanted)
    expected = ids(task for task in world.newest_first if fits(task, chosen))
    with world.engine as engine:
        pages = walk(engine, limit, chosen=chosen)
        assert expected == list(itertools.chain(*pages))
        assert all(len(page) == limit for page in pages[:-1])
        assert len(expected) == engine.count_tasks(account=ACCOUNT, chosen=chosen)
        for anchor in world.newest_first:
            newer = [task for task in world.newest_first if (task.created_at, task.external_id) > _place(anchor)]
            back = walk_back(engine, limit, anchor.external_id, chosen=chosen)
            newer_ids = ids(task for task in newer if fits(task, chosen))
            assert newer_ids == list(itertools.chain(*reversed(back)))


def _place(task):
    return task.created_at, task.external_id


# --- examples --------------------------------------------------------------------------------------


def test_an_empty_list_is_one_empty_page_without_neighbours(engine):
    page = engine.list_tasks(account=ACCOUNT)
    assert ([], None, None) == (list(page.tasks), page.next, page.previous)


def test_the_first_page_has_no_previous_and_the_last_no_next(engine):
    oldest, middle, newest = (create(engine).external_id for _ in range(3))
    first = engine.list_tasks(account=ACCOUNT, limit=2)
    assert ([newest, middle], middle, None) == (ids(first.tasks), first.next, first.previous)
    last = engine.list_tasks(account=ACCOUNT, limit=2, after=first.next)
    assert ([oldest], None, oldest) == (ids(last.tasks), last.next, last.previous)
    again = engine.list_tasks(account=ACCOUNT, limit=2, before=last.previous)
    assert ([newest, middle], middle, None) == (ids(again.tasks), again.next, again.previous)


def test_a_page_before_the_newest_task_is_empty(engine):
    task = create(engine)
    page = engine.list_tasks(account=ACCOUNT, before=task.external_id)
    assert ([], None, None) == (list(page.tasks), page.next, page.previous)


def test_tasks_created_meanwhile_do_not_shift_the_pages(engine):
    made = [create(engine).external_id for _ in range(4)]
    first = engine.list_tasks(account=ACCOUNT, limit=2)
    create(engine)
    assert made[1::-1] == ids(engine.list_tasks(account=ACCOUNT, limit=2, after=first.next).tasks)


def test_a_status_is_that_of_now(engine):
    waiting, done = create(engine, priority=1), create(engine)
    answer(engine, ANN)
    chosen = TaskFilter(status=TaskStatus.COMPLETED)
    assert [done.external_id] == ids(engine.list_tasks(account=ACCOUNT, chosen=chosen).tasks)
    chosen = attrs.evolve(chosen, status=TaskStatus.PENDING)
    assert [waiting.external_id] == ids(engine.list_tasks(account=ACCOUNT, chosen=chosen).tasks)


def test_only_the_first_50_metadata_keys_and_short_values_are_found(engine):
    metadata = {f"k{n}": "v" for n in range(51)} | {"l" * 256: "x"}
    create(engine, metadata=metadata)
    create(engine, metadata={"long": "v" * 256, "fits": "v" * 255, "l" * 256: "v"})

    def found(key, value):
        return engine.count_tasks(account=ACCOUNT, chosen=TaskFilter(metadata={key: value}))

    assert (1, 0) == (found("k49", "v"), found("k50", "v"))
    assert (0, 1, 0) == (found("long", "v" * 256), found("fits", "v" * 255), found("l" * 256, "v"))


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"limit": 0}, "/limit"),
        ({"limit": 501}, "/limit"),
        ({"limit": "5"}, "/limit"),
        ({"limit": True}, "/limit"),
        ({"after": "nothing"}, "/after"),
        ({"before": "nothing"}, "/before"),
        ({"after": "nothing", "before": "nothing"}, "/before"),
    ],
)
def test_a_wrong_page_is_refused_with_its_place(engine, given, pointer):
    with pytest.raises(InvalidInput) as caught:
        engine.list_tasks(account=ACCOUNT, **given)
    assert [pointer] == [issue.pointer for issue in caught.value.issues]


@pytest.mark.parametrize("whose", [{"account": "other"}, {"mode": "test"}])
def test_a_task_of_another_account_or_mode_is_no_place_in_the_list(engine, whose):
    foreign = engine.create_task(**fields(**whose))
    with pytest.raises(InvalidInput):
        engine.list_tasks(account=ACCOUNT, after=foreign.external_id)


# --- events ----------------------------------------------------------------------------------------


def test_the_log_is_read_in_portions_and_never_twice(engine):
    tasks = [create(engine), create(engine, account="other")]
    answer(engine, ANN)
    everything = engine.events()
    expected = ["task_created", "task_created", "task_assigned", "response_submitted", "task_completed"]
    assert expected == engines.names(everything)
    assert sorted({event.id for event in everything}) == [event.id for event in everything]
    assert [tasks[0].external_id, tasks[1].external_id] == [event.task_id for event in everything[:2]]

    read, after = [], 0
    while portion := engine.events(after=after, limit=2):
        read += portion
        after = portion[-1].id
    assert everything == read


@pytest.mark.parametrize("limit", [0, 10_001, None])
def test_a_portion_of_the_log_has_limits(engine, limit):
    with pytest.raises(InvalidInput, match="limit is a whole number from 1 to 10000"):
        engine.events(limit=limit)


def test_the_events_of_a_task_are_its_accounts(engine):
    task = create(engine)
    assert ["task_created"] == engines.history(engine, task)
    with pytest.raises(NotFound):
        engine.task_events(task.external_id, account="other")
