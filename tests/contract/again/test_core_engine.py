from core.conftest import *  # noqa: F403
from core.test_engine import *  # noqa: F403

# Here the clock is the server's, and there is one database.
del test_the_defaults_are_the_machines_clock_and_the_usual_limits  # noqa: F821
del test_two_engines_in_one_process_know_nothing_of_each_other  # noqa: F821
