"""A receiver of callbacks: verified, each kept once, answered at once.

WEBHOOK_SECRET=whsec_… flask --app receiver run --port 9000
"""

import os
import sqlite3
from contextlib import closing

from flask import Flask, request

from workersai_client import CallbackVerificationError, verify_callback


def receive(body, headers, secret, store):
    """Return the status to answer with; `store` keeps a callback unless it has its id already."""
    try:
        callback = verify_callback(body, headers, secret)
    except CallbackVerificationError:
        return 401
    store(headers["webhook-id"], callback["external_id"], str(callback["response"]))
    return 204


def create_app(database="labels.db", secret=None):
    app = Flask(__name__)
    secret = secret or os.environ["WEBHOOK_SECRET"]

    def run(statement, *values):
        with closing(sqlite3.connect(database)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    run("CREATE TABLE IF NOT EXISTS label (webhook_id TEXT PRIMARY KEY, external_id TEXT, response TEXT)")

    @app.post("/labels")
    def labels():
        def store(*row):
            run("INSERT INTO label VALUES (?, ?, ?) ON CONFLICT DO NOTHING", *row)

        # The bytes as they arrived: a body that was parsed and written again has another signature.
        return "", receive(request.get_data(), request.headers, secret, store)

    @app.get("/labels")
    def kept():
        return [list(row) for row in run("SELECT * FROM label")]

    return app
