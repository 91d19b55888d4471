"""Style sheets, scripts and pictures, each under an address that changes with its content.

An address holds a part of the content's SHA-256, so that browsers may keep a
file for ever and never show an old one.
"""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources
from importlib.resources.abc import Traversable

import falcon

from workersai_server.credentials import ApiRequest
from workersai_server.errors import RouteNotFound

__all__ = ["Assets"]

_HASH_DIGITS = 16
_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


class Assets:
    """The files below ``static``, read into memory once: they are small and all there is.

    Every file is also there under its plain name with any hash, so that a
    module may import its neighbours by relative addresses.
    """

    media_types: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}
        self._collect(resources.files("workersai_server.web").joinpath("static"), "")
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name])
        # One hash for all: modules import each other by relative address, within the same one.
        self._version = digest.hexdigest()[:_HASH_DIGITS]

    def path(self, name: str) -> str:
        """Return the address of a file below the application's root.

        Raises:
            KeyError: there is no such file.
        """
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self._version}/{name}"

    def has(self, name: str) -> bool:
        """Return whether there is such a file; those of other projects may be missing."""
        return name in self._files

    def on_get(self, req: ApiRequest, resp: falcon.Response, version: str, name: str) -> None:
        """Send a file."""
        content = self._files.get(name)
        if content is None:
            raise RouteNotFound
        ending = "." + name.rpartition(".")[2]
        resp.content_type = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
        resp.set_header("Cache-Control", _FOR_EVER if version == self._version else "no-cache")
        resp.set_header("X-Content-Type-Options", "nosniff")
        resp.data = content

    def _collect(self, folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            if entry.is_dir():
                self._collect(entry, f"{prefix}{entry.name}/")
            elif not entry.name.startswith("."):
                self._files[prefix + entry.name] = entry.read_bytes()
