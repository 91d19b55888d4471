from server.conftest import *  # noqa: F403
from server.test_tenancy import *  # noqa: F403
