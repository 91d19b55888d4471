from core.callbacks.conftest import *  # noqa: F403
from core.callbacks.test_outbox import *  # noqa: F403
