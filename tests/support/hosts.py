"""Several hosts on one machine: network namespaces on a bridge, each with an address and a cable of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import attrs
import pytest

__all__ = ["NETWORK", "OUTSIDE", "Host", "hosts"]

OUTSIDE = "10.213.77.1"
"""This machine itself, as the hosts see it."""
NETWORK = f"{OUTSIDE}/24"
_BRIDGE = "waibr0"


@attrs.frozen
class Host:
    """One host.

    Attributes:
        name: Of its namespace.
        address: By which all others reach it.
    """

    name: str
    address: str

    @property
    def inside(self) -> Sequence[str]:
        """The command that runs another one on this host."""
        return ("ip", "netns", "exec", self.name)

    def unplug(self) -> None:
        """Pull the cable: nothing arrives and nobody is told."""
        _ip("link", "set", f"v{self.name}", "down")

    def plug_in(self) -> None:
        """Put the cable back."""
        _ip("link", "set", f"v{self.name}", "up")


@contextmanager
def hosts(count: int) -> Iterator[list[Host]]:
    """Make so many hosts for the length of a `with` block; skip the test where that is not allowed."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("hosts of one's own need root and iproute2: apt-get install iproute2")
    with ExitStack() as stack:
        if not _allowed(stack):
            pytest.skip("this machine does not let root make networks, as in most containers")
        yield [_plugged(stack, Host(f"wai{n}", f"10.213.77.{10 + n}")) for n in range(count)]


def _allowed(stack: ExitStack) -> bool:
    made = subprocess.run(["ip", "link", "add", _BRIDGE, "type", "bridge"], check=False, capture_output=True)
    if made.returncode == 0:
        stack.callback(_ip, "link", "del", _BRIDGE)
        _ip("address", "add", NETWORK, "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
    return made.returncode == 0


def _plugged(stack: ExitStack, host: Host) -> Host:
    cable, plug = f"v{host.name}", "eth0"
    _ip("netns", "add", host.name)
    stack.callback(_ip, "netns", "del", host.name)
    _ip("link", "add", cable, "type", "veth", "peer", "name", plug, "netns", host.name)
    _ip("link", "set", cable, "master", _BRIDGE, "up")
    _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", plug)
    _ip("-n", host.name, "link", "set", plug, "up")
    _ip("-n", host.name, "link", "set", "lo", "up")
    return host


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
