"""The shop's pages."""

import json

from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

from shop import labeling
from shop.models import Review

CATEGORIES = ["praise", "complaint", "question"]


class Forbidden(ValueError):
    """The shop does not take this review."""


@csrf_exempt
def reviews(request):
    if request.method == "GET":
        return JsonResponse(list(Review.objects.order_by("id").values("id", "text", "task", "kind")), safe=False)
    try:
        return JsonResponse({"task": write(json.loads(request.body)["text"])}, status=201)
    except Forbidden:
        return JsonResponse({"error": "forbidden"}, status=422)


@transaction.atomic
def write(text):
    with labeling.transaction() as tx:
        task = tx.create_task(
            account="shop",
            instruction="What kind of review is this?",
            params={"attachment_type": "text", "attachment": text, "categories": CATEGORIES},
        )
        Review.objects.create(text=text, task=task.external_id)
    if "forbidden" in text:
        raise Forbidden  # neither the review nor the task is stored
    return task.external_id
