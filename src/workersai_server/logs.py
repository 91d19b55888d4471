"""Where logs go: standard error, one line of JSON each, without keys.

The modules log with the standard library, so that a host program that mounts
the application decides by itself; only the commands call `log_to_stderr`.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from workersai_server.masking import masked

__all__ = ["log_to_stderr"]

_LOGGER = "workersai"


def log_to_stderr() -> None:
    """Write whatever the service logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _line,
            ],
        )
    )
    logger = logging.getLogger(_LOGGER)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    # The store itself says once that the database is away; the pool would say it at every try.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def _line(_: Any, __: str, entry: structlog.typing.EventDict) -> str:
    """Return an entry as JSON, time and message first, with every key masked."""
    first = {name: entry.pop(name) for name in ("timestamp", "level", "logger", "event") if name in entry}
    return masked(orjson.dumps({**first, **entry}, default=str).decode())
