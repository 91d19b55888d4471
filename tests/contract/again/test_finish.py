from core.conftest import *  # noqa: F403
from core.test_finish import *  # noqa: F403
