"""The shop's own table."""

from django.db import models


class Review(models.Model):
    text = models.TextField()
    task = models.TextField()
    kind = models.TextField(null=True)
