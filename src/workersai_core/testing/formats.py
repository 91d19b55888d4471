"""Strategies for the values of ``format``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, timezone

from workersai_core.testing.extra import st

__all__ = ["FORMATS"]

_LABEL = "[a-z]([a-z0-9-]{0,8}[a-z0-9])?"
_HOST = rf"{_LABEL}\.(com|org|net|kr)"
_PATH = r"(/[A-Za-z0-9._~-]{0,8}){0,3}"

_offsets = st.one_of(
    st.just(timedelta(0)), st.integers(-12 * 60, 14 * 60).map(lambda minutes: timedelta(minutes=minutes))
)
_moments = st.builds(
    lambda at, offset: at.replace(tzinfo=timezone(offset)),
    st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9998, 12, 30)),  # noqa: DTZ001 - the zone is drawn
    _offsets,
)


def _rfc3339(at: datetime) -> str:
    text = at.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _regex(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


FORMATS: Mapping[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(date.isoformat),
    "date-time": _moments.map(_rfc3339),
    "duration": _regex("P(T[1-9][0-9]?[HMS]|[1-9][0-9]?[DWMY])"),
    "email": _regex(rf"[a-z0-9]([a-z0-9._+-]{{0,8}}[a-z0-9])?@{_HOST}"),
    "hostname": _regex(_HOST),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "json-pointer": _regex("(/([a-z0-9_]|~0|~1){0,5}){0,4}"),
    "regex": st.sampled_from(["", "a", "^[a-z]+$", r"\d{2,4}", "(yes|no)?"]),
    "time": _moments.map(lambda at: _rfc3339(at).partition("T")[2]),
    "uri": _regex(rf"https?://{_HOST}(:[1-9][0-9]{{1,3}})?{_PATH}(\?[a-z]=[a-z0-9]{{0,4}})?(#[a-z]{{1,4}})?"),
    "uri-reference": _regex(rf"(https?://{_HOST})?{_PATH}(\?[a-z]=[a-z0-9]{{0,4}})?"),
    "uuid": st.uuids().map(str),
}
"""By the name of the format; JSON Schema 2020-12 validation, section 7.3."""
