from __future__ import annotations

import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

from workersai_core.ids import TimeOrderedIds

NOW_US = 1_767_323_045_123_456


def test_an_id_is_a_lower_case_uuid_of_version_7_that_begins_with_its_time():
    made = TimeOrderedIds().new(NOW_US)
    parsed = uuid.UUID(made)
    assert str(parsed) == made
    assert 7 == parsed.version
    assert uuid.RFC_4122 == parsed.variant
    assert NOW_US // 1000 == parsed.int >> 80


def test_ids_of_one_source_only_grow_within_a_millisecond_and_after_the_clock_was_set_back():
    ids = TimeOrderedIds()
    times = [NOW_US] * 10_000 + [NOW_US - 60_000_000] * 10 + [NOW_US + 5_000_000]
    made = [ids.new(at_us) for at_us in times]
    assert sorted(set(made)) == made


def test_more_ids_than_the_counter_holds_borrow_from_the_next_millisecond():
    ids = TimeOrderedIds()
    made = [uuid.UUID(ids.new(NOW_US)).int >> 80 for _ in range(4097)]
    assert {NOW_US // 1000} == set(made[:4096])
    assert NOW_US // 1000 + 1 == made[4096]


def test_threads_never_get_the_same_id():
    ids = TimeOrderedIds()
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: ids.new(NOW_US), range(5000)))
    assert 5000 == len(set(made))


def test_a_forked_process_draws_other_random_bits_than_its_parent():
    """Seen from a program of its own, because a fork of pytest would take its threads' locks with it."""
    program = (
        "import os\n"
        "from workersai_core.ids import TimeOrderedIds\n"
        "ids = TimeOrderedIds()\n"
        "ids.new(0)\n"
        "child = os.fork()\n"
        "os.write(1, ids.new(0).encode() + b' ')\n"
        "child and os.waitpid(child, 0)\n"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert 2 == len(set(told))
