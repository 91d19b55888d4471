"""Forms from JSON Schema: a task type gets a working form without front-end code.

    form = build(schema, value, issues, language="ko")     a tree of fields, for the templates
    decoded = decode(schema, posted)                       the JSON value a browser sent back

What a browser sends for the rendered form decodes to the value it was built
from, for every JSON value. The subset of JSON Schema that becomes real fields:

- ``type``: object with ``properties``, array with one ``items`` schema, string,
  integer, number, boolean, and each of them together with ``"null"``
- ``enum``, ``const``, and ``oneOf`` whose branches are all ``const`` with a ``title``
- ``if`` and ``else`` where ``else`` has an ``enum``: its values are offered
- ``if`` with ``else: {enum}`` and nothing else: a list of values that lets other
  spellings of them pass
- an array of unique ``enum`` items as checkboxes
- ``$ref`` within the schema, as far as it does not contain itself
- ``title``, ``description``, ``x-title-ko``, ``x-description-ko`` as texts

Anything else, and any value that its field could not show, becomes a box for
JSON text; never an error.
"""

from __future__ import annotations

from workersai_server.web.forms.build import build
from workersai_server.web.forms.decode import MAX_ITEMS, Decoded, decode
from workersai_server.web.forms.fields import ABSENT, Choice, Field, Kind, filled

__all__ = ["ABSENT", "MAX_ITEMS", "Choice", "Decoded", "Field", "Kind", "build", "decode", "filled"]
