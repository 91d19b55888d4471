import pytest

from server.conftest import *  # noqa: F403
from server.test_sessions import *  # noqa: F403

pytestmark = pytest.mark.stress  # they hardly differ in what they ask of the database
