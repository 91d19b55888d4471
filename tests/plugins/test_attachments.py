"""What a task shows, and which URLs a browser would load."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_plugins.attachments import MAX_URL, attachment_issues, url_issues

GOOD = [
    "http://example.com",
    "https://example.com/dog 1.jpg".replace(" ", "%20"),
    "HTTPS://EXAMPLE.com:8443/?q=a&b=[c]#d",
    "https://예시.example/사진.png?이름=개",
    "http://10.0.0.7/intranet.mp3",
    "http://localhost:8000/1.png",
    "http://[2001:db8::7]:80/a",
    "https://a_b.example.com./",
    "https://example.com/a@b",
    "https://example.com/" + "a" * (MAX_URL - 20),
]
BAD = [
    "",
    "dog1.jpg",
    "//example.com/a",
    "ftp://example.com/a",
    "javascript:alert(1)",
    "data:text/plain,a",
    "http:/example.com",
    "http://",
    "http:///a",
    "http://:80/a",
    "http://.example.com",
    "http://a..b/",
    "http://exa mple.com/",
    " http://example.com/",
    "http://example.com/a b",
    "http://example.com/a\nb",
    "http://example.com\\@evil.example/",
    "http://user:secret@example.com/",
    "http://user@example.com/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:http/",
    "http://[::1/",
    "http://[nonsense]/",
    "http://<b>/",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_a_browser_loads_is_accepted(url):
    assert [] == list(url_issues(url))


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_refused_at_its_place(url):
    assert [("/a/url", "invalid_url")] == [(issue.pointer, issue.code) for issue in url_issues(url, "/a/url")]


def test_a_url_may_be_so_long_and_no_longer():
    assert ["too_long"] == [issue.code for issue in url_issues("https://example.com/" + "a" * (MAX_URL - 19))]


@pytest.mark.parametrize("text", ["Hello", "안녕", "not a url", "http://"])
def test_inline_text_may_be_anything(text):
    assert [] == list(attachment_issues("text", text))


@pytest.mark.parametrize("text", [" ", "\n\t", "\u3000"])
def test_inline_text_is_not_blank(text):
    assert [("/attachment", "blank")] == [(issue.pointer, issue.code) for issue in attachment_issues("text", text)]


@given(st.text() | st.text().map("http://".__add__))
def test_no_text_breaks_the_check(url):
    assert len(list(url_issues(url))) <= 1
