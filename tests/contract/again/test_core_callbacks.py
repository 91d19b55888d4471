from core.conftest import *  # noqa: F403
from core.test_callbacks import *  # noqa: F403
