"""Joins the apps into one program: settings, addresses, workers, the `up` command. Imported by nobody."""

from reviewapp.celery import app as celery_app

__all__ = ["celery_app"]
