from server.conftest import *  # noqa: F403
from server.test_batch_api import *  # noqa: F403
