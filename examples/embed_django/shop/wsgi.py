"""The shop, and the labeling API under /labeling, as one WSGI application."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
shop = get_wsgi_application()

from shop import labeling  # noqa: E402 - needs Django's settings
from workersai_server.app import create_app  # noqa: E402
from workersai_server.settings import Settings  # noqa: E402

api = create_app(labeling.engine(), Settings(db=labeling.URL))


def application(environ, start_response):
    """Hand everything below /labeling to the API, and the rest to Django."""
    path = environ["PATH_INFO"]
    if path == "/labeling" or path.startswith("/labeling/"):
        environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/labeling"
        environ["PATH_INFO"] = path.removeprefix("/labeling")
        return api(environ, start_response)
    return shop(environ, start_response)
