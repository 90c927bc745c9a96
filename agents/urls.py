"""Addresses of agents and keys."""

from django.urls import path

from agents import views

urlpatterns = [
    path("agents/", views.agents, name="agents"),
    path("keys/new/<slug:slug>/", views.new_key, name="new_key"),
    path("keys/<slug:prefix>/revoke/", views.revoke_key, name="revoke_key"),
]
