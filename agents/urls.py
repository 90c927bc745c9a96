"""Addresses of keys and of protected sections."""

from django.urls import path

from agents import views

urlpatterns = [
    path("keys/new/<slug:slug>/", views.new_key, name="new_key"),
    path("keys/<slug:prefix>/revoke/", views.revoke_key, name="revoke_key"),
    path("agents/<slug:slug>/<slug:name>/sections/", views.sections, name="sections"),
    path("agents/<slug:slug>/<slug:name>/sections/<int:pk>/unprotect/", views.unprotect, name="unprotect"),
]
