from hypothesis import settings

from core.test_state_machine import EngineMachine


class OnPostgresql(EngineMachine):
    """The same machine; fewer examples, since each takes a hundred round trips."""


OnPostgresql.TestCase.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
TestOnPostgresql = OnPostgresql.TestCase
