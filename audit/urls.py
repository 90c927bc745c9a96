"""Addresses of the log."""

from django.urls import path

from audit import downloads, views

urlpatterns = [
    path("audit/", views.log, name="audit_log"),
    path("audit/export/", downloads.export, name="audit_export"),
    path("audit/checkpoint", downloads.checkpoint, name="audit_checkpoint"),
    path("audit/checkpoint/make/", downloads.make_checkpoint, name="audit_make_checkpoint"),
    path("audit/keys", downloads.keys, name="audit_keys"),
    path("audit/verify_export.py", downloads.program, name="audit_program"),
    path("audit/<int:sequence>/", views.entry, name="audit_entry"),
    path("audit/<int:sequence>/proof", downloads.proof, name="audit_proof"),
]
