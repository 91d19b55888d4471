from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workersai_core.callbacks.addresses import (
    MAX_URL_LENGTH,
    AddressPolicy,
    check_callback_url,
    is_reserved_example,
    origin,
    to_wire,
)
from workersai_core.errors import InvalidInput, UnsafeURL

PUBLIC = AddressPolicy()
LOOPBACK = AddressPolicy.of(["127.0.0.0/8", "::1/128"])

REFUSED = [
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:0:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fe80::1",
    "fe80::1%1",
    "2606:4700::1%1",
    "fec0::1",
    "ff02::1",
]

PERMITTED = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2001:4860:4860::8888",
    "2a00:1450::1",
]


def issue_of(url, policy=PUBLIC):
    with pytest.raises(InvalidInput) as raised:
        check_callback_url(url, policy)
    [issue] = raised.value.issues
    return type(raised.value), issue.pointer, issue.code


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_global_unicast_is_refused(address):
    assert not PUBLIC.permits(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PERMITTED)
def test_a_global_unicast_address_is_permitted(address):
    assert PUBLIC.permits(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_every_permitted_address_is_global_and_no_multicast(address):
    if PUBLIC.permits(address):
        assert address.is_global
        assert not address.is_multicast


@given(st.ip_addresses().filter(lambda address: not address.is_global))
def test_every_address_that_is_not_global_is_refused(address):
    assert not PUBLIC.permits(address)


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_of_an_ipv4_address_is_permitted(address):
    number = int(address)
    forms = [
        number,
        (0xFFFF << 32) | number,
        (0xFFFF << 48) | number,
        (0x64FF9B << 96) | number,
        (0x2002 << 112) | (number << 80) | 1,
        (0x20010000 << 96) | (number << 64) | (number ^ 0xFFFFFFFF),
    ]
    assert not any(PUBLIC.permits(ipaddress.IPv6Address(form)) for form in forms)


def test_an_operator_may_allow_networks():
    permitted = [LOOPBACK.permits(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1", "10.0.0.1", "1.1.1.1")]
    assert [True, True, False, True] == permitted


def test_allowing_an_ipv4_network_does_not_allow_its_ipv6_forms():
    assert not LOOPBACK.permits(ipaddress.ip_address("::ffff:127.0.0.1"))


@pytest.mark.parametrize("network", ["", "localhost", "127.0.0.1/8", "10.0.0.0/33", "10/8"])
def test_a_network_that_is_none_is_refused(network):
    with pytest.raises(InvalidInput) as raised:
        AddressPolicy.of([network])
    [issue] = raised.value.issues
    assert "invalid_network" == issue.code


@pytest.mark.parametrize(
    "url",
    [
        "http://user@example.com/",
        "http://user:password@example.com/",
        "http://@example.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/a\\b",
        "http://example.com/a b",
        " http://example.com/",
        "http://example.com/\n",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "http://example.com/\u3000",
        "http://example.com/\u2028",
        "http://example.com/\ud800",
        "ftp://example.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://example.com/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0x7f.0.0.1/",
        "http://0x/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://010.8.8.8/",
        "http://8.8.8.8./",
        "http://999.1.1.1/",
        "http://1.2.3.4.5/",
        "http://a.1/",
        "http://127.0.0.1/",
        "http://127.0.0.1:8080/hook",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://\u2460\u2461\u2466.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::808:808]/",
        "http://[fe80::1%25eth0]/",
        "http://[2606:4700::1%1]/",
    ],
)
def test_an_unsafe_url_is_refused(url):
    assert (UnsafeURL, "/callback_url", "unsafe_url") == issue_of(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "too_short"),
        ("http://example.com/" + "a" * MAX_URL_LENGTH, "too_long"),
        ("example.com/hook", "invalid_url"),
        ("//example.com/", "invalid_url"),
        ("http:", "invalid_url"),
        ("http://", "invalid_url"),
        ("http:///path", "invalid_url"),
        ("http://:80/", "invalid_url"),
        ("http://example.com:0/", "invalid_url"),
        ("http://example.com:65536/", "invalid_url"),
        ("http://example.com:x/", "invalid_url"),
        ("http://example.com:-1/", "invalid_url"),
        ("http://[::1/", "invalid_url"),
        ("http://[zz::1]/", "invalid_url"),
        ("http://[v1.a]/", "invalid_url"),
        ("http://[::1]a/", "invalid_url"),
        ("http://ex%61mple.com/", "invalid_url"),
        ("http://a..b/", "invalid_url"),
        ("http://.a/", "invalid_url"),
        ("http://a,b/", "invalid_url"),
        ("http://" + "a" * 64 + ".com/", "invalid_url"),
        ("http://" + "a." * 127 + "com/", "invalid_url"),
        ("http://\U0001f600\u200d/", "invalid_url"),
        ("http://\u2048a/", "invalid_url"),
    ],
)
def test_a_malformed_url_is_refused(url, code):
    assert (InvalidInput, "/callback_url", code) == issue_of(url)


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/Hook?a=b#part", "https://example.com/Hook?a=b"),
        ("http://example.com:8080/hook", "http://example.com:8080/hook"),
        ("http://example.com:/hook", "http://example.com/hook"),
        ("http://localhost:3000/", "http://localhost:3000/"),
        ("http://my_service/", "http://my_service/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:4700::1111]:81/", "http://[2606:4700:4700::1111]:81/"),
        (
            "http://한국.example/콜백?이름=값",
            "http://xn--3e0b707e.example/%EC%BD%9C%EB%B0%B1?%EC%9D%B4%EB%A6%84=%EA%B0%92",
        ),
        ("http://straße.example/", "http://xn--strae-oqa.example/"),
        ("http://example.com/a%20b%zz", "http://example.com/a%20b%25zz"),
        ("http://example.com/a?b=%EC%BD%9C&c=[1]", "http://example.com/a?b=%EC%BD%9C&c=%5B1%5D"),
        ("http://1and1.example/", "http://1and1.example/"),
        ("http://0x.example./", "http://0x.example./"),
    ],
)
def test_a_good_url_is_sent_as_ascii(url, wire):
    check_callback_url(url, PUBLIC)
    assert wire == to_wire(url)


@given(st.text(max_size=40), st.sampled_from(["http://example.com/", "https://", "http://[", ""]))
def test_whatever_the_text_it_is_refused_or_sent_as_printable_ascii(text, start):
    try:
        wire = to_wire(start + text)
    except InvalidInput:
        return
    assert wire.isascii()
    assert wire.isprintable()
    assert " " not in wire


def test_an_allowed_network_allows_literal_addresses():
    check_callback_url("http://127.0.0.1:3000/hook", LOOPBACK)
    check_callback_url("http://[::1]:3000/hook", LOOPBACK)
    assert UnsafeURL is issue_of("http://127.0.0.1:3000/hook")[0]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.com/a", "https://example.com:443"),
        ("http://example.com:8080/b?c", "http://example.com:8080"),
        ("http://한국.example", "http://xn--3e0b707e.example:80"),
        ("http://[::1]/", "http://[::1]:80"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, expected):
    assert expected == origin(url)


def test_an_origin_of_no_url_is_refused():
    with pytest.raises(InvalidInput):
        origin("nowhere")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com/callback", True),
        ("https://EXAMPLE.com.:8443/", True),
        ("http://www.example.net/", True),
        ("http://a.b.example.org/", True),
        ("http://example/", True),
        ("http://shop.example/", True),
        ("http://nowhere.invalid/", True),
        ("http://myexample.com/", False),
        ("http://example.com.evil.com/", False),
        ("http://example.co.kr/", False),
        ("http://localhost/", False),
        ("http://shop.test/", False),
        ("http://8.8.8.8/", False),
        ("no url", False),
        ("http://example.com/" + "a" * MAX_URL_LENGTH, False),
    ],
)
def test_hosts_reserved_for_examples_are_known(url, expected):
    assert expected == is_reserved_example(url)
