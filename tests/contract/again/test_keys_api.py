from server.conftest import *  # noqa: F403
from server.test_keys_api import *  # noqa: F403
