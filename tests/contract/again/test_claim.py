from core.conftest import *  # noqa: F403
from core.test_claim import *  # noqa: F403
