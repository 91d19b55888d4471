from core.callbacks.conftest import *  # noqa: F403
from core.callbacks.test_deliver_due import *  # noqa: F403
