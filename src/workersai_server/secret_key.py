"""The key that signs what clients and browsers hand back, such as cursors and sessions."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from workersai_core import StoreUnavailable
from workersai_core.store.opening import database_url
from workersai_server.errors import InvalidSetting
from workersai_server.settings import Settings

__all__ = ["secret_key_of"]

_BYTES = 32


def secret_key_of(settings: Settings) -> str:
    """Return the secret key of a service: the setting, or on SQLite one made once and kept beside the database.

    The file is the database's with ``.secret`` after its name, readable by its
    owner only. A database in memory gets a key that ends with the process.

    Raises:
        InvalidSetting: another database, whose hosts must share one key, and no setting.
        StoreUnavailable: the file cannot be read or written.
    """
    if settings.secret_key is not None:
        return settings.secret_key
    url = database_url(settings.db)
    if url.get_backend_name() != "sqlite":
        raise InvalidSetting(
            "WORKERSAI_SECRET_KEY is required with PostgreSQL, the same on every host; "
            "set it to 32 or more random characters."
        )
    if url.database in (None, "", ":memory:"):
        return secrets.token_urlsafe(_BYTES)
    path = Path(f"{url.database}.secret")
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreUnavailable(f"The secret key {path} cannot be used: {error}. Check its permissions.") from error


def _make(path: Path) -> None:
    """Put a new key at `path`, whole or not at all; when two processes try, the first one's stays."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(_BYTES))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
