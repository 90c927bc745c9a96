"""A second factor: added, asked for, stood in for, taken away, and reset by an admin; each of it on the log."""

import json
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from audit.models import AuditEntry
from audit.record import COMMAND_LINE, Actor
from audit.wording import in_words
from people import factors
from people.models import User
from people.roles import Role
from people.signin import sign_in_link
from reviewapp.environment import ROLES

PASSWORD = "a long and good one"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
APP = "/account/signing-in/app/"


@pytest.fixture
def with_app(mara: User) -> User:
    """Mara, with a password and an app that shows codes."""
    mara.set_password(PASSWORD)
    mara.save()
    TOTP.activate(mara, SECRET)
    return mara


def code(secret: str = SECRET) -> str:
    """What the app shows now. Each code counts once, so what was used before is forgotten."""
    shown = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    for person in User.objects.all():
        cache.delete(f"allauth.mfa.totp.used?user={person.pk}&code={shown}")
    return shown


def facts(verb: str) -> list[dict[str, Any]]:
    return [entry.fact for entry in AuditEntry.objects.filter(verb=verb).order_by("pk")]


def sign_in(client: Client, person: User) -> str:
    answer = client.post(reverse("account_login"), {"login": person.username, "password": PASSWORD})
    assert answer.status_code == 302
    return str(answer["Location"])


def test_an_app_is_added_and_codes_to_stand_in_for_it_are_shown_once(client: Client, mara: User) -> None:
    client.force_login(mara)
    page = client.get(APP)
    secret = page.context["form"].secret
    assert secret in page.text
    assert client.post(APP, {"code": "000000"}).status_code == 422
    answer = client.post(APP, {"code": code(secret)})
    assert (answer.status_code, answer["Location"]) == (303, reverse("mfa_view_recovery_codes"))
    shown = client.get(answer["Location"])
    codes = shown.context["unused_codes"]
    assert len(codes) == 10
    assert codes[0] in shown.text
    assert codes[0] not in client.get(answer["Location"]).text
    (entry,) = AuditEntry.objects.filter(verb="factor.added")
    assert (entry.actor_label, entry.target_label, in_words(entry).details) == (
        ("Mara Okafor", "Mara Okafor", ("authenticator app",))
    )
    assert not any(secret in str(stored.data) for stored in Authenticator.objects.all())


def test_who_has_one_is_asked_for_it_after_the_password(client: Client, with_app: User) -> None:
    step = sign_in(client, with_app)
    assert step == reverse("mfa_authenticate")
    assert client.get("/")["Location"].startswith(reverse("account_login"))
    assert client.post(step, {"code": "000000"}).status_code == 422
    assert not facts("person.signed_in")
    assert client.post(step, {"code": code()})["Location"] == reverse("queue")
    assert client.get("/").status_code == 200
    (entry,) = facts("person.signed_in")
    assert entry["after"]["by"] == "password and app"


def test_a_link_stands_for_the_password_and_not_for_the_second_factor(client: Client, with_app: User) -> None:
    step = client.post(sign_in_link(with_app, "", actor=COMMAND_LINE))
    assert (step.status_code, step["Location"]) == (303, reverse("mfa_authenticate"))
    assert "_auth_user_id" not in client.session
    client.post(step["Location"], {"code": code()})
    assert client.session["_auth_user_id"] == str(with_app.pk)
    assert facts("person.signed_in")[0]["after"]["by"] == "link and app"


def test_one_code_signs_in_once(with_app: User, monkeypatch: pytest.MonkeyPatch) -> None:
    shown, first, second = code(), Client(), Client()
    kept: dict[str, Any] = {}
    monkeypatch.setattr("people.codes.cache.set", lambda key, value, timeout: kept.update({key: timeout}))
    assert first.post(sign_in(first, with_app), {"code": shown}).status_code == 302
    assert second.post(sign_in(second, with_app), {"code": shown}).status_code == 422
    assert kept[f"allauth.mfa.totp.used?user={with_app.pk}&code={shown}"] == 90


def test_a_recovery_code_stands_in_once_and_the_log_says_so(client: Client, with_app: User) -> None:
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    spare = RecoveryCodes.activate(with_app).generate_codes()[0]
    client.post(sign_in(client, with_app), {"code": spare})
    assert facts("person.signed_in")[0]["after"]["by"] == "password and recovery code"
    again = Client()
    assert again.post(sign_in(again, with_app), {"code": spare}).status_code == 422


def test_somebody_stuck_at_the_second_step_can_start_over(client: Client, with_app: User) -> None:
    sign_in(client, with_app)
    assert client.get(reverse("account_login"))["Location"] == reverse("mfa_authenticate")
    assert client.post(reverse("start_over")).status_code == 303
    assert client.get(reverse("account_login")).status_code == 200


def test_after_five_wrong_codes_nothing_helps_for_a_while(
    client: Client, with_app: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    monkeypatch.setattr("people.telling.LISTENERS", [lambda person, what, how: told.append(f"{person}: {what}")])
    cache.delete(f"people.tries.told:{with_app.pk}")
    step = sign_in(client, with_app)
    statuses = [client.post(step, {"code": f"00000{number}"}).status_code for number in range(6)]
    assert statuses == [422] * 5 + [429]
    refused = client.post(step, {"code": code()})
    assert (refused.status_code, refused["Retry-After"]) == (429, "300")
    assert "Wait five minutes" in refused.text
    said = [json.loads(line.getMessage()) for line in caplog.records if line.name == "people.tries"]
    assert [one["event"] for one in said] == ["wrong_code"] * 5 + ["too_many_tries"] * 2
    assert {(one["person"], one["address"]) for one in said} == {("mara", "127.0.0.1")}
    assert told == ["Mara Okafor: Too many wrong codes after a right password or link"]


def test_it_is_taken_away_with_the_codes_and_on_the_log(client: Client, with_app: User) -> None:
    client.force_login(with_app)
    app = Authenticator.objects.get(user=with_app)
    answer = client.post(reverse("mfa_remove_factor"), {"factor": app.pk}, follow=True)
    assert "Taken away: authenticator app." in answer.text
    assert not Authenticator.objects.exists()
    assert facts("factor.removed")[0]["after"] == {"factor": "authenticator app"}
    gone = client.post(reverse("mfa_remove_factor"), {"factor": app.pk}, follow=True)
    assert "There is no such factor any more." in gone.text


def test_nobody_takes_away_anothers(client: Client, with_app: User, jonas: User) -> None:
    client.force_login(jonas)
    client.post(reverse("mfa_remove_factor"), {"factor": Authenticator.objects.get().pk})
    assert Authenticator.objects.exists()


@pytest.mark.parametrize("asking", [{"reviewer"}, {"all"}])
def test_whose_role_asks_for_one_gets_nowhere_before_adding_it(
    client: Client, mara: User, settings: Settings, asking: set[str]
) -> None:
    settings.COUNTERSIGN_SECOND_FACTOR = frozenset(asking)
    client.force_login(mara)
    for address in ("/", "/settings/"):
        answer = client.get(address)
        assert (answer.status_code, answer["Location"]) == (303, reverse("add_factor")), address
    assert client.get("/", headers={"HX-Request": "true"}).status_code == 401
    page = client.get(reverse("add_factor")).text
    assert "Add a second factor to go on" in page
    assert APP in page
    client.post(APP, {"code": code(client.get(APP).context["form"].secret)})
    assert client.get("/").status_code == 200
    refused = client.post(
        reverse("mfa_remove_factor"), {"factor": Authenticator.objects.get(type="totp").pk}, follow=True
    )
    assert factors.KEPT in refused.text


def test_whose_role_does_not_ask_is_left_alone(client: Client, luis: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SECOND_FACTOR = frozenset({"reviewer", "admin"})
    client.force_login(luis)
    assert client.get("/").status_code == 200
    assert client.get(reverse("add_factor"))["Location"] == reverse("queue")


def test_the_setting_knows_all_roles() -> None:
    assert set(ROLES) == set(Role)


def test_an_admin_resets_a_lost_one_and_the_person_is_signed_out(client: Client, ada: User, with_app: User) -> None:
    lost = Client()
    lost.force_login(with_app)
    lost.get("/")
    client.force_login(ada)
    page = client.get(reverse("person", args=[with_app.pk])).text
    assert "authenticator app" in page
    answer = client.post(reverse("reset_factor", args=[with_app.pk]), follow=True)
    assert "Mara Okafor has no second factor any more." in answer.text
    assert lost.get("/").status_code == 302
    (entry,) = AuditEntry.objects.filter(verb="factor.reset")
    assert (entry.actor_label, in_words(entry).details) == ("Ada Brandt", ("which was authenticator app",))
    assert sign_in(Client(), with_app) == reverse("queue")
    assert factors.reset(with_app.pk, actor=Actor.person(ada)) == 0


def test_a_secret_of_another_key_fits_no_code(with_app: User, settings: Settings) -> None:
    shown = code()
    settings.SECRET_KEY = "another key of at least fifty characters, for this one test"
    assert not Authenticator.objects.get().wrap().validate_code(shown)


def test_confirming_asks_for_the_factor_and_not_for_the_password(client: Client, with_app: User) -> None:
    client.force_login(with_app)
    session = client.session
    session["proved_at"] = time.time() - 3600
    session.save()
    asked = client.get(APP)
    assert asked["Location"].startswith(reverse("account_reauthenticate"))
    page = client.get(asked["Location"])
    assert 'name="password"' not in page.text
    assert client.post(asked["Location"], {"password": PASSWORD}).status_code == 200
    assert client.post(asked["Location"], {"code": "000000"}).status_code == 200
    right = client.post(asked["Location"], {"code": code()})
    assert (right.status_code, right["Location"]) == (303, APP)


RESPONSE = '{"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "attestationObject": "AA"}'
NO_PASSKEYS = [
    *("null", '{"id": 1}', "[" * 15_000, "9" * 30_000),
    f'{{"id": "AA", "rawId": "AA", "type": "public-key", "response": {RESPONSE}}}',
]


@pytest.mark.parametrize("credential", NO_PASSKEYS, ids=range(len(NO_PASSKEYS)))
def test_what_is_no_passkey_is_refused_in_words(
    client: Client, with_app: User, credential: str, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(with_app)
    confirm = reverse("account_reauthenticate")
    answer = client.post(confirm, {"credential": credential})
    assert (answer.status_code, "The passkey was not accepted." in answer.text) == (200, True)
    assert client.post(reverse("mfa_add_webauthn"), {"credential": credential, "name": "x"}).status_code == 422
    guest = Client()
    step = sign_in(guest, with_app)
    refused = guest.post(step, {"credential": credential})
    assert (refused.status_code, "The passkey was not accepted." in refused.text) == (422, True)
    assert Client().post(reverse("mfa_login_webauthn"), {"credential": credential})["Location"] == reverse(
        "account_login"
    )
    said = [json.loads(line.getMessage()) for line in caplog.records if line.name == "people.tries"]
    is_read = credential in NO_PASSKEYS[1:2] + NO_PASSKEYS[4:]
    known = {("wrong_passkey", "mara"), ("wrong_passkey", "")} if is_read else set()
    assert {(one["event"], one["person"]) for one in said} == known
