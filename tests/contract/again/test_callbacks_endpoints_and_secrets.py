from core.callbacks.conftest import *  # noqa: F403
from core.callbacks.test_endpoints_and_secrets import *  # noqa: F403
