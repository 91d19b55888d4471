from __future__ import annotations

import os
import signal
import threading

from workersai_server.waiting import PatientEvent


def test_it_waits_until_it_is_set_and_as_long_as_asked():
    event = PatientEvent()
    assert event.wait(0.01) is False
    threading.Timer(0.05, event.set).start()

    assert event.wait() is True
    assert event.wait(0) is True


def test_a_signal_handed_to_another_thread_ends_the_wait():
    event = PatientEvent()
    before = signal.signal(signal.SIGUSR1, lambda *_: event.set())
    # Blocked here, so that the kernel must hand it to the other thread.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])

    def be_hit() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        os.kill(os.getpid(), signal.SIGUSR1)

    try:
        threading.Timer(0.2, be_hit).start()  # when the main thread has begun to wait
        assert event.wait() is True
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
        signal.signal(signal.SIGUSR1, before)
