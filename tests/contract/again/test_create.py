from core.conftest import *  # noqa: F403
from core.test_create import *  # noqa: F403
