"""Addresses of what happened."""

from django.urls import path

from feedback import key_views, views

urlpatterns = [
    path("agents/<slug:slug>/", views.agent, name="agent"),
    path("settings/erase/", views.erase, name="erase"),
    path("keys/<slug:prefix>/probation/end/", key_views.end_probation, name="end_probation"),
    path("patterns/", views.patterns, name="patterns"),
    path("patterns/across/<int:pk>/", views.shared_pattern, name="shared_pattern"),
    path("patterns/<int:pk>/why/<int:item>/", views.why, name="why"),
]
