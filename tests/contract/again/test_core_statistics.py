from core.conftest import *  # noqa: F403
from core.test_statistics import *  # noqa: F403
