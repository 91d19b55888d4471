from core.conftest import *  # noqa: F403
from core.test_submit import *  # noqa: F403
