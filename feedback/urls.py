"""Addresses of what happened."""

from django.urls import path

from feedback import views

urlpatterns = [
    path("agents/<slug:slug>/", views.agent, name="agent"),
    path("settings/erase/", views.erase, name="erase"),
    path("patterns/", views.patterns, name="patterns"),
    path("patterns/across/<int:pk>/", views.shared_pattern, name="shared_pattern"),
    path("patterns/<int:pk>/why/<int:item>/", views.why, name="why"),
]
