"""Signing in with an organisation's own service, which here is a small real one."""

import hashlib
import time
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import AuditEntry
from audit.record import COMMAND_LINE
from audit.wording import in_words
from people import accounts
from people.models import User
from people.oidc import issuer_of
from people.roles import Role
from tests.people.identity_service import CLIENT, SECRET, Service, serve
from tests.stub import stub

GO, CALLBACK = "/account/oidc/", "/account/oidc/callback/"
KEY, OTHER = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)


@pytest.fixture
def service(settings: Settings, db: None) -> Iterator[Service]:
    """The service, and a board that knows it as “Example Inc.”."""
    running = Service(key=KEY)
    server = serve(running)
    server_url = {"server_url": running.address}
    app = {"provider_id": "oidc", "name": "Example Inc.", "client_id": CLIENT, "secret": SECRET, "settings": server_url}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.COUNTERSIGN_OIDC_NAME = "Example Inc."
    yield running
    server.shutdown()
    server.server_close()


def come(client: Client, service: Service, **sent: str) -> HttpResponse:
    """The whole way: the button, the service, and back."""
    page = client.post(GO, sent)
    assert page.status_code == 200
    answer = client.get(CALLBACK + service.authorize(page.context["address"]))
    assert isinstance(answer, HttpResponse)
    return answer


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_button_is_there_where_a_service_is_set(client: Client, service: Service, settings: Settings) -> None:
    assert "Sign in with Example Inc." in client.get(reverse("account_login")).text
    settings.COUNTERSIGN_OIDC_NAME = ""
    assert "Example Inc." not in client.get(reverse("account_login")).text
    assert client.post(GO).status_code == 404
    assert client.get(CALLBACK).status_code == 404


def test_who_comes_first_has_no_role_and_waits_for_an_admin(client: Client, service: Service) -> None:
    assert come(client, service)["Location"] == reverse("queue")
    noor = User.objects.get(username="noor")
    assert (noor.name, noor.has_usable_password(), noor.groups.exists()) == ("Noor Vermeer", False, False)
    assert client.get("/").status_code == 403
    assert SocialAccount.objects.get().extra_data == {}
    entries = AuditEntry.objects.exclude(verb="session.all_ended").order_by("pk")
    assert [(entry.actor_label, entry.verb) for entry in entries] == [
        ("Example Inc.", "person.created"),
        ("Example Inc.", "person.identity_linked"),
        ("Noor Vermeer", "person.signed_in"),
    ]
    assert in_words(entries[2]).details == ("by Example Inc.",)


def test_who_comes_again_is_the_same_person_whatever_they_are_called_now(client: Client, service: Service) -> None:
    come(client, service)
    service.says = {"preferred_username": "ada", "name": "Somebody Else"}
    come(Client(), service)
    assert User.objects.get().username == "noor"


def test_a_name_that_is_taken_never_leads_to_that_account(client: Client, service: Service, ada: User) -> None:
    service.says = {"preferred_username": "ADA", "email": "ada@board.example"}
    come(client, service)
    assert client.session["_auth_user_id"] != str(ada.pk)
    assert User.objects.exclude(pk=ada.pk).get().username == "ADA-2"


def test_groups_become_roles_where_they_are_mapped(client: Client, service: Service, settings: Settings) -> None:
    settings.COUNTERSIGN_OIDC_GROUPS = {"board-reviewers": "reviewer", "board-audit": "auditor"}
    service.says = {"groups": ["board-reviewers", "canteen", 7]}
    come(client, service)
    assert client.get("/").status_code == 200
    service.says = {"groups": "board-audit"}
    come(Client(), service)
    entries = AuditEntry.objects.filter(verb="person.roles_set").order_by("pk")
    assert [(entry.actor_label, entry.fact["after"]) for entry in entries] == [
        ("Example Inc.", {"roles": ["reviewer"]}),
        ("Example Inc.", {"roles": ["auditor"]}),
    ]


def test_the_service_does_not_take_the_last_admin_away(client: Client, service: Service, settings: Settings) -> None:
    come(client, service)
    accounts.set_roles(User.objects.get().pk, [Role.ADMIN], actor=COMMAND_LINE)
    settings.COUNTERSIGN_OIDC_GROUPS = {"board-reviewers": "reviewer"}
    come(Client(), service)
    assert User.objects.get().groups.get().name == "admin"


@pytest.mark.parametrize(
    "says",
    [
        {"nonce": "of another sign-in"},
        {"aud": "another client"},
        {"iss": "https://elsewhere.example"},
        {"exp": 1},
        {"sub": "another than in the user information"},
    ],
)
def test_a_token_that_is_not_for_us_signs_nobody_in(client: Client, service: Service, says: dict[str, object]) -> None:
    service.says = says
    answer = come(client, service)
    assert (answer.status_code, "did not work" in answer.text) == (403, True)
    assert not is_in(client)
    assert not User.objects.exists()


def test_a_token_of_another_key_signs_nobody_in(client: Client, service: Service) -> None:
    service.signs_with = OTHER
    assert come(client, service).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize(
    "header",
    [
        {"kid": "one", "alg": "HS256"},
        {"kid": "another", "alg": "RS256"},
        {"alg": "RS256"},
    ],
)
def test_a_token_signed_by_other_means_signs_nobody_in(
    client: Client, service: Service, header: dict[str, str]
) -> None:
    service.header = header
    assert come(client, service).status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("query", ["", "?code=once&state=made-up", "?error=access_denied&state=x", "?state=%00"])
def test_coming_back_without_having_left_is_refused(client: Client, service: Service, query: str) -> None:
    assert client.get(CALLBACK + query).status_code == 403
    assert not is_in(client)


def test_a_deactivated_person_is_not_let_in(client: Client, service: Service, ada: User) -> None:
    come(client, service)
    accounts.deactivate(User.objects.get(username="noor").pk, actor=COMMAND_LINE)
    assert come(Client(), service)["Location"] == reverse("account_inactive")


def test_the_boards_second_factor_is_asked_for_behind_it(client: Client, service: Service) -> None:
    come(client, service)
    TOTP.activate(User.objects.get(), "JBSWY3DPEHPK3PXP")
    again = Client()
    assert come(again, service)["Location"] == reverse("mfa_authenticate")
    assert not is_in(again)


def test_only_a_recent_proof_at_the_service_is_a_proof_here(client: Client, service: Service) -> None:
    come(client, service)
    page = reverse("account_set_password")
    asked = client.get(page)["Location"]
    assert "Prove it with Example Inc." in client.get(asked).text
    assert come(client, service, next=page).status_code == 403
    service.says = {"auth_time": int(time.time()) - 3600}
    assert come(client, service, next=page).status_code == 403
    assert (service.asked["prompt"], service.asked["max_age"]) == ("login", "0")
    service.says = {"auth_time": int(time.time())}
    assert come(client, service, next=page)["Location"] == page
    assert client.get(page).status_code == 200
    service.says |= {"sub": "somebody else"}
    service.tells = {"sub": "somebody else"}
    assert come(client, service, next=page).status_code == 403


def test_the_service_is_no_proof_in_place_of_a_second_factor(client: Client, service: Service) -> None:
    come(client, service)
    session = client.session
    session["proved_at"] = time.time() - 3600
    session.save()
    TOTP.activate(User.objects.get(), "JBSWY3DPEHPK3PXP")
    service.says = {"auth_time": int(time.time())}
    assert come(client, service, next="/settings/").status_code == 403
    assert client.session["proved_at"] < time.time() - 3000


def test_somebody_connects_it_with_the_account_they_have(client: Client, service: Service, mara: User) -> None:
    client.force_login(mara)
    assert come(client, service, do="connect")["Location"] == reverse("mfa_index")
    assert "Signs you in" in client.get(reverse("mfa_index")).text
    other = Client()
    come(other, service)
    assert other.session["_auth_user_id"] == str(mara.pk)
    assert User.objects.count() == 1


def test_who_has_another_way_in_disconnects_it(client: Client, service: Service, mara: User) -> None:
    disconnect = reverse("disconnect")
    client.force_login(mara)
    come(client, service, do="connect")
    key = {"name": "Key", "credential": {"clientExtensionResults": {"credProps": {"rk": False}}}}
    beside = Authenticator.objects.create(user=mara, type="webauthn", data=key)
    assert "Set a password or add a passkey that signs in alone first" in client.post(disconnect, follow=True).text
    beside.delete()
    mara.set_password("a long and good one")
    mara.save()
    client.force_login(mara)
    page = client.post(disconnect, follow=True).text
    assert "Example Inc. signs you in no more." in page
    assert "Not connected" in page
    assert not SocialAccount.objects.exists()
    entry = AuditEntry.objects.get(verb="person.identity_unlinked")
    assert (entry.actor_label, entry.fact["before"]) == ("Mara Okafor", {"service": "Example Inc."})
    assert "It was not connected." in client.post(disconnect, follow=True).text
    come(Client(), service)
    assert User.objects.count() == 2


def test_an_admin_disconnects_it_and_the_person_is_signed_out(client: Client, service: Service, ada: User) -> None:
    theirs = Client()
    come(theirs, service)
    theirs.get("/settings/")
    noor = User.objects.get(username="noor")
    client.force_login(ada)
    assert "Disconnect it" in client.get(reverse("person", args=[noor.pk])).text
    done = client.post(reverse("disconnect_person", args=[noor.pk]), follow=True).text
    assert "Noor Vermeer comes in by the service no more." in done
    assert "Disconnect it" not in done
    assert theirs.get("/settings/").status_code == 302


def test_another_service_in_its_place_vouches_for_nobody_the_first_one_knew(
    client: Client, service: Service, mara: User
) -> None:
    client.force_login(mara)
    come(client, service, do="connect")
    SocialAccount.objects.update(uid=hashlib.sha256(b"https://before.example\nsame").hexdigest())
    service.says = service.tells = {"sub": "same"}
    other = Client()
    come(other, service)
    assert other.session["_auth_user_id"] != str(mara.pk)


def test_an_identity_is_one_persons(client: Client, service: Service, mara: User) -> None:
    come(Client(), service)
    client.force_login(mara)
    assert come(client, service, do="connect").status_code == 409
    assert SocialAccount.objects.get().user != mara


@pytest.mark.parametrize("issuer", ["https://elsewhere.example", "", None, ["https://elsewhere.example"]])
def test_a_service_that_calls_itself_something_else_signs_nobody_in(
    client: Client, service: Service, issuer: object, caplog: pytest.LogCaptureFixture
) -> None:
    page = client.post(GO)
    back = CALLBACK + service.authorize(page.context["address"])
    service.places = {"issuer": issuer}
    refused = [client.get(back), client.post(GO)]
    named = isinstance(issuer, str)
    assert [answer.status_code for answer in refused] == [403 if named else 503] * 2
    assert all("not the service we know" in answer.text for answer in refused) is named
    assert ("oidc_other_issuer" in caplog.text and service.address in caplog.text) is named
    assert not is_in(client)
    assert not User.objects.exists()


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.parametrize("named", ["", "/.well-known/openid-configuration", "/.well-known/openid-configuration?for=us"])
def test_a_service_may_be_named_by_its_document_and_end_in_a_slash(
    client: Client, service: Service, settings: Settings, named: str, end: str
) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": service.address + named}
    service.places = {"issuer": service.address + end}
    service.says = {"iss": service.address + end}
    come(client, service)
    assert is_in(client)


@pytest.mark.parametrize(
    ("server", "issuer"),
    [
        ("https://login.example.org/realms/main", "https://login.example.org/realms/main"),
        ("https://login.example.org/realms/main/", "https://login.example.org/realms/main"),
        ("https://login.example.org/a/.well-known/openid-configuration?appid=1", "https://login.example.org/a"),
        ("https://login.example.org/.well-known/openid-configuration/tenant/", "https://login.example.org/tenant"),
    ],
)
def test_the_setting_names_an_issuer_in_any_of_its_forms(server: str, issuer: str) -> None:
    assert issuer_of(server) == issuer


@pytest.mark.parametrize("places", [{"token_endpoint": None}, {"jwks_uri": 7}])
def test_a_service_that_tells_too_little_is_said_in_words(
    client: Client, service: Service, places: dict[str, object]
) -> None:
    page = client.post(GO)
    back = CALLBACK + service.authorize(page.context["address"])
    service.places = places
    assert (client.get(back).status_code, client.post(GO).status_code) == (503, 503)


def test_a_service_that_is_gone_when_people_come_back_is_said_in_words(
    client: Client, service: Service, settings: Settings
) -> None:
    page = client.post(GO)
    back = CALLBACK + service.authorize(page.context["address"])
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": "http://127.0.0.1:1"}
    assert client.get(back).status_code == 503


def test_a_service_that_does_not_answer_is_said_in_words(client: Client, service: Service, settings: Settings) -> None:
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"] = {"server_url": "http://127.0.0.1:1"}
    answer = client.post(GO)
    assert (answer.status_code, "The service does not answer" in answer.text) == (503, True)


@pytest.mark.parametrize("place", ["token_endpoint", "userinfo_endpoint", "jwks_uri"])
def test_what_discovery_names_may_not_lead_elsewhere_in_the_network(
    client: Client, service: Service, place: str, settings: Settings
) -> None:
    with stub() as other:
        other.status = 200
        service.places = {place: other.url}
        assert come(client, service).status_code == 403
        assert (is_in(client), other.got) == (False, [])
        settings.COUNTERSIGN_PRIVATE_TARGETS = ["127.0.0.0/8"]
        come(Client(), service)
        assert bool(other.got) is (place == "token_endpoint")  # the stub remembers what was posted
    service.places = {place: "https://169.254.169.254/latest"}
    assert come(client, service).status_code == 403


def test_no_redirect_of_the_service_is_followed(client: Client, service: Service) -> None:
    service.places = {"jwks_uri": f"{service.address}/moved"}
    assert come(client, service).status_code == 403
    assert not is_in(client)
