"""Addresses of signing in, of a person's own settings, and of managing people."""

from allauth.account import views as account
from django.urls import path

from people import comforts, confirming, managing, oidc, security, team_pages, views

urlpatterns = [
    path("sign-in/", views.sign_in_by_link, name="sign_in_by_link"),
    path("settings/theme/", views.set_theme, name="set_theme"),
    path("settings/keys/", comforts.set_keys, name="set_keys"),
    path("settings/hints/", comforts.set_hints, name="set_hints"),
    path("settings/people/new/", managing.new_person, name="new_person"),
    path("settings/people/<int:pk>/", managing.person, name="person"),
    path("settings/people/<int:pk>/change/", managing.change_person, name="change_person"),
    path("settings/people/<int:pk>/deactivate/", managing.deactivate_person, name="deactivate_person"),
    path("settings/people/<int:pk>/reactivate/", managing.reactivate_person, name="reactivate_person"),
    path("settings/people/<int:pk>/link/", managing.make_link, name="make_link"),
    path("settings/teams/new/", team_pages.new_team, name="new_team"),
    path("settings/teams/<int:pk>/", team_pages.team, name="team"),
    path("settings/teams/<int:pk>/dissolve/", team_pages.dissolve_team, name="dissolve_team"),
    path("settings/people/<int:pk>/sign-out/", managing.sign_out_person, name="sign_out_person"),
    path("settings/people/<int:pk>/reset-factor/", managing.reset_factor, name="reset_factor"),
    path("settings/people/<int:pk>/disconnect/", managing.disconnect_person, name="disconnect_person"),
    path("account/login/", security.sign_in, name="account_login"),
    path("account/login/passkey/", security.sign_in_by_passkey, name="mfa_login_webauthn"),
    path("account/login/second-step/", security.second_step, name="mfa_authenticate"),
    path("account/login/over/", security.start_over, name="start_over"),
    path("account/oidc/", oidc.go, name="sign_in_by_service"),
    path("account/oidc/callback/", oidc.callback, {"provider_id": oidc.PROVIDER}, name="openid_connect_callback"),
    path("account/oidc/disconnect/", oidc.disconnect, name="disconnect"),
    path("account/logout/", account.logout, name="account_logout"),
    path("account/inactive/", account.account_inactive, name="account_inactive"),
    path("account/password/", account.password_change, name="account_change_password"),
    path("account/password/set/", confirming.set_password, name="account_set_password"),
    path("account/confirm/", confirming.confirm, name="account_reauthenticate"),
    path("account/signing-in/", security.signing_in, name="mfa_index"),
    path("account/signing-in/needed/", security.add_factor, name="add_factor"),
    path("account/signing-in/app/", security.add_app, name="mfa_activate_totp"),
    path("account/signing-in/passkey/", security.add_passkey, name="mfa_add_webauthn"),
    path("account/signing-in/codes/", security.recovery_codes, name="mfa_view_recovery_codes"),
    path("account/signing-in/codes/new/", security.new_codes, name="mfa_generate_recovery_codes"),
    path("account/signing-in/remove/", security.remove_factor, name="mfa_remove_factor"),
    path("account/signing-in/end/", security.end_session, name="end_session"),
]
