"""The Python client of a WorkersAI service.

    from workersai_client import Client

    client = Client("http://127.0.0.1:8000", "live_…")
    task = client.tasks.create(
        params={"attachment_type": "text", "attachment": "I love it", "categories": ["good", "bad"]}
    )
    print(client.tasks.wait(task["external_id"])["response"])

It knows nothing of the service's own packages: requests in, dicts out.
"""

from __future__ import annotations

from workersai_client.callbacks import check_webhook_secret, forward_callback, verify_callback
from workersai_client.errors import (
    APIConnectionError,
    APIError,
    BadRequest,
    CallbackVerificationError,
    ClientError,
    Conflict,
    Forbidden,
    NotFound,
    PaymentRequired,
    RateLimited,
    ServerError,
    Unauthenticated,
    ValidationFailed,
    WaitTimeout,
)
from workersai_client.requester import Client
from workersai_client.worker import WorkerClient

__all__ = [
    "APIConnectionError",
    "APIError",
    "BadRequest",
    "CallbackVerificationError",
    "Client",
    "ClientError",
    "Conflict",
    "Forbidden",
    "NotFound",
    "PaymentRequired",
    "RateLimited",
    "ServerError",
    "Unauthenticated",
    "ValidationFailed",
    "WaitTimeout",
    "WorkerClient",
    "check_webhook_secret",
    "forward_callback",
    "verify_callback",
]
