from core.callbacks.conftest import *  # noqa: F403
from core.callbacks.test_dispatcher import *  # noqa: F403
