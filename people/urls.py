"""Addresses of signing in and of a person's own settings."""

from allauth.account import views as account
from django.urls import path

from people import views

urlpatterns = [
    path("sign-in/", views.sign_in_by_link, name="sign_in_by_link"),
    path("settings/theme/", views.set_theme, name="set_theme"),
    path("account/login/", account.login, name="account_login"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/set/", account.password_set, name="account_set_password"),
]
