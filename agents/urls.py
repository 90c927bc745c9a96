"""Addresses of keys, of protected sections and of what times the drafts."""

from django.urls import path

from agents import key_pages, views

urlpatterns = [
    path("keys/new/<slug:slug>/", views.new_key, name="new_key"),
    path("keys/<slug:prefix>/revoke/", views.revoke_key, name="revoke_key"),
    path("keys/<slug:prefix>/", key_pages.key, name="key"),
    path("keys/<slug:prefix>/rotate/", key_pages.rotate_key, name="rotate_key"),
    path("keys/<slug:prefix>/rules/", key_pages.set_key_rules, name="set_key_rules"),
    path("team/<slug:slug>/", views.team, name="agent_team"),
    path("traffic/<slug:slug>/", views.traffic, name="traffic"),
    path("agents/<slug:slug>/<slug:name>/sections/", views.sections, name="sections"),
    path("agents/<slug:slug>/<slug:name>/sections/<int:pk>/unprotect/", views.unprotect, name="unprotect"),
]
