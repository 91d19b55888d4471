"""Django's settings; only what this example needs."""

import os
from pathlib import Path

DATABASE_FILE = Path(os.environ.get("SHOP_DATABASE", "shop.db")).absolute()

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE_FILE}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["shop"]
ROOT_URLCONF = "shop.urls"
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY", "only for trying this example out")
USE_TZ = True
WSGI_APPLICATION = "shop.wsgi.application"
