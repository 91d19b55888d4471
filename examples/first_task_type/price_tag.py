"""A task type: read the price off a photo of a price tag."""

from workersai_core.api import Issue, TaskType, hookimpl


class PriceTag(TaskType):
    name = "price_tag"
    summary = "Read the price off a photo of a price tag."
    params_schema = {
        "type": "object",
        "properties": {
            "photo": {"type": "string", "format": "uri", "description": "URL of the photo."},
            "currency": {"enum": ["KRW", "USD"], "description": "What the price is in."},
        },
        "required": ["photo", "currency"],
        "additionalProperties": False,
    }
    response_schema = {
        "type": "object",
        "properties": {
            "price": {"type": "number", "minimum": 0, "maximum": 1e9, "description": "What it costs."},
            "before": {"type": "number", "minimum": 0, "maximum": 1e9, "description": "The price crossed out."},
        },
        "required": ["price"],
        "additionalProperties": False,
    }
    examples = [({"photo": "https://example.com/1.jpg", "currency": "KRW"}, {"price": 4900, "before": 9900})]

    def response_schema_for(self, params):
        kind = "integer" if params["currency"] == "KRW" else "number"  # there are no fractions of a won
        prices = {name: {**rule, "type": kind} for name, rule in self.response_schema["properties"].items()}
        return {**self.response_schema, "properties": prices}

    def check_response(self, params, response):
        if "before" in response and response["before"] <= response["price"]:
            yield Issue("/before", "The price crossed out must be the higher one.", "not_higher")

    def mock_response(self, params, rng):
        return {"price": rng.randrange(1, 1000) * 100}


@hookimpl
def register_task_types():
    return [PriceTag()]
