"""Lists of tasks: filters, pages, counts, cursors."""

from __future__ import annotations

import re
from itertools import chain
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.api import HOST, problem

LINK = re.compile(r'<([^>]*)>; rel="([a-z]+)"')


def links(answer) -> dict[str, str]:
    return {relation: url for url, relation in LINK.findall(answer.headers["link"])}


def query_of(url: str) -> str:
    return urlsplit(url).query


def ids(answer) -> list[str]:
    return [task["external_id"] for task in answer.json]


def listed(api, query: str = "", **more):
    answer = api.get("/v1/tasks", query=query, **more)
    assert answer.status_code == 200, answer.text
    return answer


def made(api, count: int, **fields) -> list[str]:
    """Create tasks a second apart and return their ids, newest first."""
    found = []
    for _ in range(count):
        found.append(api.create(**fields)["external_id"])
        api.house.clock.advance(1)
    return found[::-1]


def test_newest_first_and_a_hundred_unless_asked_otherwise(api):
    expected = made(api, 103)

    assert ids(listed(api)) == expected[:100]
    assert ids(listed(api, "limit=2")) == expected[:2]
    assert ids(listed(api, "limit=500")) == expected


def test_an_empty_list_has_only_a_first_page(api):
    answer = listed(api, "status=completed&limit=7")

    assert answer.json == []
    assert links(answer) == {"first": f"http://{HOST}/v1/tasks?status=completed&limit=7"}


def test_the_links_lead_through_the_list_and_back(api):
    expected = made(api, 5)
    first = listed(api, "limit=2&task_type=pick")
    second = listed(api, query_of(links(first)["next"]))
    third = listed(api, query_of(links(second)["next"]))

    assert [ids(page) for page in (first, second, third)] == [expected[:2], expected[2:4], expected[4:]]
    assert [sorted(links(page)) for page in (first, second, third)] == [
        ["first", "next"],
        ["first", "next", "prev"],
        ["first", "prev"],
    ]
    back = listed(api, query_of(links(third)["prev"]))
    assert ids(back) == expected[2:4]
    assert ids(listed(api, query_of(links(back)["prev"]))) == expected[:2]
    assert links(third)["first"] == f"http://{HOST}/v1/tasks?limit=2&task_type=pick"


def test_tasks_that_come_meanwhile_move_no_page(api):
    expected = made(api, 4)
    following = query_of(links(listed(api, "limit=2"))["next"])
    newer = made(api, 3)
    second = listed(api, following)

    assert ids(second) == expected[2:]
    back = listed(api, query_of(links(second)["prev"]))
    assert ids(back) == expected[:2]
    assert ids(listed(api, query_of(links(back)["prev"]))) == newer[1:]


@settings(max_examples=15)
@given(count=st.integers(0, 12), limit=st.integers(1, 13), same_time=st.booleans())
def test_walking_the_pages_either_way_gives_exactly_the_list(count, limit, same_time):
    from support.api import api as make

    api = make()
    try:
        expected = made(api, count)
        if same_time:
            expected = [api.create()["external_id"] for _ in range(3)][::-1] + expected
        query, forwards = f"limit={limit}", []
        while True:
            page = listed(api, query)
            forwards.append(ids(page))
            if "next" not in links(page):
                break
            query = query_of(links(page)["next"])
        backwards = [ids(page)]
        while "prev" in links(page):
            page = listed(api, query_of(links(page)["prev"]))
            backwards.insert(0, ids(page))
        assert list(chain.from_iterable(forwards)) == expected
        assert list(chain.from_iterable(backwards)) == expected
    finally:
        api.house.engine.close()


def test_filters_choose_and_may_be_combined(api):
    plain = api.create()["external_id"]
    other = api.create(task_type="unanimous", metadata={"order": "7", "n": 1, "ok": True, "none": None})["external_id"]
    api.post(f"/v1/tasks/{plain}/cancel")

    assert ids(listed(api, "task_type=pick")) == [plain]
    assert ids(listed(api, "task_type=choose")) == [plain]
    assert ids(listed(api, "task_type=no_such_type")) == []
    assert ids(listed(api, "status=canceled")) == [plain]
    assert ids(listed(api, "status=pending")) == [other]
    assert ids(listed(api, "metadata[order]=7")) == [other]
    assert ids(listed(api, "metadata%5Border%5D=7&metadata%5Bn%5D=1")) == [other]
    assert ids(listed(api, "metadata[ok]=true&metadata[none]=null")) == [other]
    assert ids(listed(api, "metadata[order]=8")) == []
    assert ids(listed(api, "status=pending&task_type=pick")) == []


def test_metadata_in_korean_is_found(api):
    task = api.create(metadata={"주문 번호": "일곱"})["external_id"]

    assert ids(listed(api, urlencode({"metadata[주문 번호]": "일곱"}))) == [task]


def test_times_are_exclusive_and_may_have_any_zone(api):
    newest, middle, _ = made(api, 3)
    created = api.get(f"/v1/tasks/{middle}").json["created_at"]

    assert ids(listed(api, f"created_after={created}")) == [newest]
    assert len(ids(listed(api, f"created_before={created}"))) == 1
    assert ids(listed(api, f"created_after={quote('2026-01-02T12:04:06+09:00')}")) == [newest]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("nope=1", "unknown_parameter"),
        ("limits=1", "unknown_parameter"),
        ("metadata=1", "unknown_parameter"),
        ("metadata[]=1", "unknown_parameter"),
        ("instruction=x", "unknown_parameter"),
        ("limit=1&limit=1", "invalid_parameter"),
        ("limit=1&%6cimit=1", "invalid_parameter"),
        ("metadata[a]=1&metadata[a]=2", "invalid_parameter"),
        ("limit=0", "invalid_parameter"),
        ("limit=501", "invalid_parameter"),
        ("limit=", "invalid_parameter"),
        ("limit=-1", "invalid_parameter"),
        ("limit=%2B1", "invalid_parameter"),
        ("limit=1.0", "invalid_parameter"),
        ("limit=1e2", "invalid_parameter"),
        ("limit=%D9%A1", "invalid_parameter"),
        ("limit=%EF%BC%91", "invalid_parameter"),
        ("limit=9999999999999999999", "invalid_parameter"),
        ("limit=%20%201", "invalid_parameter"),
        ("status=done", "invalid_parameter"),
        ("status=PENDING", "invalid_parameter"),
        ("status=", "invalid_parameter"),
        ("created_after=2026-01-02T03:04:05", "invalid_parameter"),
        ("created_after=2026-01-02", "invalid_parameter"),
        ("created_before=yesterday", "invalid_parameter"),
        ("created_before=2026-02-30T00:00:00Z", "invalid_parameter"),
        ("created_before=", "invalid_parameter"),
        ("count=yes", "invalid_parameter"),
        ("task_type=%FF", "invalid_parameter"),
        ("task_type=a%00b", "invalid_parameter"),
        ("cursor=", "invalid_cursor"),
        ("cursor=n", "invalid_cursor"),
        ("cursor=x.y", "invalid_cursor"),
        ("cursor=%EA%B0%92.%EA%B0%92", "invalid_cursor"),
    ],
)
def test_a_wrong_parameter_is_a_400(shared_api, query, code):
    problem(shared_api.get("/v1/tasks", query=query), 400, code)


def test_what_was_meant_is_said(shared_api):
    assert (
        "did you mean limit?"
        in problem(shared_api.get("/v1/tasks", query="limits=1"), 400, "unknown_parameter")["detail"]
    )


def test_a_count_is_given_only_when_asked_for(api):
    made(api, 3)
    api.create(task_type="unanimous")

    assert "x-total-count" not in listed(api).headers
    assert listed(api, "count=exact&limit=1").headers["x-total-count"] == "4"
    assert listed(api, "count=exact&task_type=pick").headers["x-total-count"] == "3"


def cursor_of(answer, relation: str = "next") -> str:
    return dict(parse_qsl(query_of(links(answer)[relation])))["cursor"]


def test_a_cursor_fits_only_the_list_it_was_made_for(api):
    made(api, 3, metadata={"a": "1"})
    made(api, 3, metadata={"a": "1"}, key=api.test)
    other = api.house.accounts.create("other@example.com")
    cursor = cursor_of(listed(api, "limit=1&task_type=pick&metadata[a]=1"))

    assert len(ids(listed(api, f"cursor={cursor}&task_type=pick&metadata[a]=1"))) == 2
    for query, key in [
        (f"cursor={cursor}", ""),
        (f"cursor={cursor}&task_type=pick", ""),
        (f"cursor={cursor}&task_type=pick&metadata[a]=2", ""),
        (f"cursor={cursor}&task_type=pick&metadata[a]=1&status=pending", ""),
        (f"cursor={cursor}&task_type=pick&metadata[a]=1", api.test),
        (f"cursor={cursor}&task_type=pick&metadata[a]=1", other.live_key),
    ]:
        problem(api.get("/v1/tasks", query=query, key=key), 400, "invalid_cursor")


def test_a_cursor_that_was_changed_is_refused(api):
    made(api, 3)
    cursor = cursor_of(listed(api, "limit=1"))
    place, signature = cursor.split(".")
    changed = [
        "p" + cursor[1:],
        *(cursor[:-1] + last for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_" if last != cursor[-1]),
        f"{place}.",
        f".{signature}",
        place,
        f"{place[:-1]}{'0' if place[-1] != '0' else '1'}.{signature}",
    ]

    for each in changed:
        problem(api.get("/v1/tasks", query=f"cursor={each}"), 400, "invalid_cursor")
    assert listed(api, f"cursor={cursor}").status_code == 200


def test_the_links_are_made_of_where_the_request_came_and_never_hold_the_key(api):
    made(api, 2)
    answer = api.client.simulate_get(
        "/v1/tasks",
        query_string=f"limit=1&api_key={api.live}",
        host="other.test",
        root_path="/mounted",
        protocol="https",
    )

    assert links(answer)["first"] == "https://other.test/mounted/v1/tasks?limit=1"
    assert links(answer)["next"].startswith("https://other.test/mounted/v1/tasks?limit=1&cursor=n")
    assert api.live not in str(answer.headers)
    assert "api_key" not in str(answer.headers)
