from server.conftest import *  # noqa: F403
from server.test_quota import *  # noqa: F403
