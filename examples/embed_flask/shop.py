"""A shop that lets people sort its reviews: the engine inside a Flask service.

    SHOP_DATABASE=sqlite:///shop.db flask --app shop run

A review and the task about it are stored in one transaction. When workers have
answered, a plugin of the shop's own writes their verdict beside the review. The
labeling API is mounted under /labeling, where workers claim and submit.
"""

import os

import sqlalchemy as sa
from flask import Flask, abort, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from workersai_core import Engine
from workersai_core.api import hookimpl
from workersai_server.accounts import SERVER
from workersai_server.app import create_app as create_labeling
from workersai_server.settings import Settings

CATEGORIES = ["praise", "complaint", "question"]

metadata = sa.MetaData()
reviews = sa.Table(
    "review",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("task", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
)


class Shop:
    """The shop's plugin: hears of results."""

    def __init__(self, database):
        self.database = database

    @hookimpl
    def engine_ready(self, engine):
        self.engine = engine

    @hookimpl
    def task_completed(self, event):
        task = self.engine.get_task(event.task_id, account=event.account_id, mode=event.mode)
        with self.database.begin() as connection:
            mine = reviews.c.task == task.external_id
            connection.execute(reviews.update().where(mine).values(kind=task.response["category"]))


def create_app(url=None):
    url = url or os.environ["SHOP_DATABASE"]
    database = sa.create_engine(url)
    metadata.create_all(database)
    engine = Engine.open(url, plugins=[Shop(database)], schemas=[SERVER])
    engine.start()  # ticks and delivers in threads of this process

    app = Flask(__name__)
    app.engine = engine
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/labeling": create_labeling(engine, Settings(db=url))})

    @app.post("/reviews")
    def write():
        text = request.get_json()["text"]
        with database.begin() as connection, engine.transaction(connection) as tx:
            task = tx.create_task(
                account="shop",
                instruction="What kind of review is this?",
                params={"attachment_type": "text", "attachment": text, "categories": CATEGORIES},
            )
            connection.execute(reviews.insert().values(text=text, task=task.external_id))
            if "forbidden" in text:
                abort(422)  # neither the review nor the task is stored
        return {"task": task.external_id}, 201

    @app.get("/reviews")
    def read():
        with database.connect() as connection:
            rows = connection.execute(sa.select(reviews).order_by(reviews.c.id)).mappings()
            return [dict(row) for row in rows]

    return app
