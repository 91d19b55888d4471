from server.conftest import *  # noqa: F403
from server.test_work_api import *  # noqa: F403
