from core.conftest import *  # noqa: F403
from core.test_transaction import *  # noqa: F403
