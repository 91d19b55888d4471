"""Answers on their way from a worker's browser to the engine: drafts, and answers that may still be taken back.

    answers.save(worker, assignment_id, response)     what is written so far
    answers.hold(worker, assignment_id, response)     finished; submitted after the undo window
    answers.undo(worker, assignment_id)               taken back, a draft again

The engine knows nothing of it: it sees a submission when it is final. A held
answer is a row, so that it survives the browser, the session and the server;
`settle` submits what is due, wherever it runs.
"""

from __future__ import annotations

from workersai_server.answers.service import UNDO_S, Answers
from workersai_server.answers.values import Draft

__all__ = ["UNDO_S", "Answers", "Draft"]
