from server.conftest import *  # noqa: F403
from server.test_accounts import *  # noqa: F403
