"""Addresses of the log."""

from django.urls import path

from audit import views

urlpatterns = [
    path("audit/", views.log, name="audit_log"),
    path("audit/<int:sequence>/", views.entry, name="audit_entry"),
]
