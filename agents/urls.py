"""Addresses of keys."""

from django.urls import path

from agents import views

urlpatterns = [
    path("keys/new/<slug:slug>/", views.new_key, name="new_key"),
    path("keys/<slug:prefix>/revoke/", views.revoke_key, name="revoke_key"),
]
