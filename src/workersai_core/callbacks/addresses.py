"""Which addresses callbacks may reach, and how a callback URL is read.

A callback URL comes from a requester and is called from the operator's
network, so it must not become a way into that network (server-side request
forgery). Two checks see to it. `check_callback_url` refuses at creation what
is bad by its text alone: userinfo, disguised IPv4 forms, literal addresses.
`AddressPolicy.permits` decides on each resolved address at connect time; it is
the one that counts, because names may change their address at will.

Sources: the IANA special-purpose address registries (RFC 6890), RFC 4291,
RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo), RFC 2606 and RFC 6761
(reserved names), the WHATWG URL standard (hosts that end in a number).
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, quote, urlsplit

import attrs
import idna

from workersai_core.errors import InvalidInput, Issue, UnsafeURL

__all__ = [
    "MAX_URL_LENGTH",
    "AddressPolicy",
    "Target",
    "check_callback_url",
    "is_reserved_example",
    "origin",
    "target_of",
    "to_wire",
]

MAX_URL_LENGTH = 2048

_POINTER = "/callback_url"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_CACHED_URLS = 4096

_NOT_GLOBAL_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers (CGNAT)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
"""All of global unicast; mapped, compatible, NAT64, private, link-local and multicast forms lie outside."""
_NOT_GLOBAL_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds any IPv4 address
        "3fff::/20",  # documentation
    )
)

_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zs", "Zl", "Zp"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?\Z")
_BRACKETED = re.compile(r"\[[^\]]*:[^\]]*\](?::[0-9]*)?\Z")
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_URL_SAFE = "!$%&'()*+,-./:;=?@_~"
_EXAMPLE_HOST = re.compile(r"(?:.+\.)?(?:example\.(?:com|net|org)|example|invalid)\Z")


@attrs.frozen(cache_hash=True)
class AddressPolicy:
    """Which IP addresses may be called: all of global unicast, and what the operator allows besides.

    An address counts as what it is written as: allowing ``127.0.0.0/8`` does
    not allow the IPv6 form ``::ffff:127.0.0.1``.
    """

    allowed: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, networks: Iterable[str]) -> AddressPolicy:
        """Return a policy that also allows these networks, for example ``["127.0.0.0/8"]``.

        Raises:
            InvalidInput: a text is not a network in CIDR form.
        """
        return cls(tuple(_network(text) for text in networks))

    def permits(self, ip: IPv4Address | IPv6Address) -> bool:
        """Return whether this address may be called."""
        return _is_global_unicast(ip) or any(ip in network for network in self.allowed)


@attrs.frozen(kw_only=True)
class Target:
    """A callback URL taken apart for sending; all of it is ASCII."""

    scheme: str
    host: str
    """Lower case, IDNA encoded, IPv6 without brackets."""
    port: int
    resource: str
    """Percent-encoded path and query."""
    origin: str
    """Scheme, host and port, for example ``https://example.com:443``."""
    url: str
    """The URL as it is sent."""
    literal: IPv4Address | IPv6Address | None
    """The address, when the host is one."""


def check_callback_url(url: str, policy: AddressPolicy) -> None:
    """Check a callback URL by its text; names are not resolved.

    Raises:
        UnsafeURL: it must not be called: another scheme than http and https,
            userinfo, a backslash, white space, a disguised IPv4 address, or a
            literal address that `policy` does not permit.
        InvalidInput: it is empty, too long or no URL.
    """
    # The length goes first, so that nothing long is ever looked up or kept in the cache.
    if len(url) > MAX_URL_LENGTH:
        raise _invalid(f"A callback URL has at most {MAX_URL_LENGTH} characters, this one {len(url)}.", "too_long")
    _check(url, policy)


def is_reserved_example(url: str) -> bool:
    """Return whether a URL's host is reserved for examples, so that a call could reach nobody.

    These are example.com, example.net, example.org, the top-level names
    ``example`` and ``invalid``, and all below them (RFC 2606, RFC 6761).
    """
    return len(url) <= MAX_URL_LENGTH and _is_reserved_example(url)


def origin(url: str) -> str:
    """Return where a URL leads, as ``scheme://host:port`` in lower case and ASCII.

    Raises:
        InvalidInput: `url` is no callback URL.
    """
    return target_of(url).origin


def to_wire(url: str) -> str:
    """Return a URL as it is sent: IDNA host, percent-encoded path and query, no fragment.

    Raises:
        InvalidInput: `url` is no callback URL.
    """
    return target_of(url).url


@lru_cache(maxsize=_CACHED_URLS)
def target_of(url: str) -> Target:
    """Return a callback URL taken apart.

    Raises:
        UnsafeURL: its text is refused whatever the policy.
        InvalidInput: it is empty or no URL.
    """
    _check_text(url)
    parts = _split(url)
    host = _ascii_host(parts)
    literal = _literal(host)
    port = _port(parts)
    resource = _percent_encode(parts.path) or "/"
    if parts.query:
        resource += f"?{_percent_encode(parts.query)}"
    bracketed = f"[{host}]" if ":" in host else host
    shown_port = "" if port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return Target(
        scheme=parts.scheme,
        host=host,
        port=port,
        resource=resource,
        origin=f"{parts.scheme}://{bracketed}:{port}",
        url=f"{parts.scheme}://{bracketed}{shown_port}{resource}",
        literal=literal,
    )


# lru_cache keeps no errors: only URLs that were found good stay.
@lru_cache(maxsize=_CACHED_URLS)
def _check(url: str, policy: AddressPolicy) -> None:
    literal = target_of(url).literal
    if literal is not None and not policy.permits(literal):
        raise _unsafe("This address is not a public one; callbacks go to public addresses only.")


@lru_cache(maxsize=_CACHED_URLS)
def _is_reserved_example(url: str) -> bool:
    try:
        host = target_of(url).host
    except InvalidInput:
        return False
    return _EXAMPLE_HOST.match(host.removesuffix(".")) is not None


def _is_global_unicast(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_GLOBAL_V4)
    return ip.scope_id is None and ip in _GLOBAL_V6 and not any(ip in network for network in _NOT_GLOBAL_V6)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        message = f"Not a network in CIDR form, such as 10.1.0.0/16: {error}."
        raise InvalidInput("An allowed network is wrong.", issues=[Issue("", message, "invalid_network")]) from error


def _check_text(url: str) -> None:
    if not url:
        raise _invalid("A callback URL must not be empty; leave it out to get the default.", "too_short")
    if "\\" in url:
        raise _unsafe("A callback URL has no backslash.")
    if any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in url):
        raise _unsafe("A callback URL has no white space and no control characters.")
    scheme = _SCHEME.match(url)
    if scheme is None:
        raise _invalid("A callback URL begins with https:// or http://.", "invalid_url")
    if scheme[1].lower() not in _DEFAULT_PORTS:
        raise _unsafe("A callback URL begins with https:// or http://.")


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        if ":" in (parts.hostname or ""):
            IPv6Address(parts.hostname)
    except ValueError as error:
        raise _invalid("This is not a URL: its host cannot be read.", "invalid_url") from error
    if "@" in parts.netloc:
        raise _unsafe("A callback URL has no user name and no password.")
    if not parts.hostname:
        raise _invalid("This URL has no host.", "invalid_url")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise _invalid("A port is a number from 1 to 65535.", "invalid_url") from error
    if port == 0:
        raise _invalid("A port is a number from 1 to 65535.", "invalid_url")
    return port or _DEFAULT_PORTS[parts.scheme]


def _ascii_host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if "[" in parts.netloc:
        if not _BRACKETED.match(parts.netloc):
            raise _invalid("The host of this URL is not an IPv6 address.", "invalid_url")
        return host
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise _invalid("The host of this URL is not a valid name.", "invalid_url") from error
    if not _HOST.match(host):
        raise _invalid("The host of this URL is not a valid name.", "invalid_url")
    return host


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address that a host is, or None for a name.

    A host that ends in a number is an address to most software, in forms such
    as 2130706433, 0x7f.1 or 127.1; only the plain form is accepted.
    """
    if ":" in host:
        address = IPv6Address(host)
        if address.scope_id is not None:
            raise _unsafe("An address in a callback URL has no zone.")
        return address
    if not _ENDS_IN_NUMBER.match(host):
        return None
    try:
        return IPv4Address(host)
    except ipaddress.AddressValueError as error:
        raise _unsafe("An IPv4 address is four decimal numbers, such as 198.51.100.7.") from error


def _percent_encode(text: str) -> str:
    return quote(_BAD_PERCENT.sub("%25", text), safe=_URL_SAFE)


def _unsafe(message: str) -> UnsafeURL:
    return UnsafeURL(issues=[Issue(_POINTER, message, "unsafe_url")])


def _invalid(message: str, code: str) -> InvalidInput:
    return InvalidInput(issues=[Issue(_POINTER, message, code)])
