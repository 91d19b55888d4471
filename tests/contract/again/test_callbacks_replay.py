from core.callbacks.conftest import *  # noqa: F403
from core.callbacks.test_replay import *  # noqa: F403
