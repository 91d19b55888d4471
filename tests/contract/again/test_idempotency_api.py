from server.conftest import *  # noqa: F403
from server.test_idempotency_api import *  # noqa: F403
