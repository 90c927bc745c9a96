"""Addresses of notices."""

from django.urls import path

from notices import views

urlpatterns = [
    path("settings/notices/", views.notices, name="notices"),
    path("settings/notices/mine/", views.set_mails, name="set_mails"),
    path("settings/notices/<int:pk>/again/", views.send_again, name="send_again"),
]
