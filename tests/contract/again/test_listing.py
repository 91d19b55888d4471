from core.conftest import *  # noqa: F403
from core.test_listing import *  # noqa: F403
