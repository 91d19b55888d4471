"""How Alembic runs the revisions of a `Schema`: `env.py` is used for every one of them."""
