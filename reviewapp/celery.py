"""The Celery application: a doorbell. What is to be done stands in PostgreSQL; losing a message loses nothing."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")

app = Celery("countersign")
app.config_from_object("reviewapp.celeryconfig")
app.autodiscover_tasks(["audit", "people", "notices", "feedback", "proposals", "reviewapp"])
