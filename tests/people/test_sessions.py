"""Where somebody is signed in: listed, ended by themselves or an admin, over with a new password."""

import threading
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from audit.models import AuditEntry
from audit.record import COMMAND_LINE
from audit.wording import in_words
from people import accounts, sessions
from people.devices import UNKNOWN, device_of
from people.models import User
from people.signin import sign_in_link

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1 Version/19.1 Mobile Safari/604.1"
PASSWORD = "a long and good one"


def link_of(person: User) -> str:
    """A link of the person as they are now: each sign-in makes older links useless."""
    return sign_in_link(User.objects.get(pk=person.pk), "", actor=COMMAND_LINE)


def signed_in(person: User, agent: str = FIREFOX) -> Client:
    client = Client(headers={"user-agent": agent})
    assert client.post(link_of(person)).status_code == 303
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("mfa_index")).status_code == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0", "Edge on Windows"),
        ("curl/8.5.0", "curl"),
        ("", UNKNOWN),
        ("<script>", UNKNOWN),
    ],
)
def test_a_device_is_named_by_what_it_says(agent: str, words: str) -> None:
    assert device_of(agent) == words


def test_the_page_lists_every_place_and_marks_this_one(mara: User, jonas: User) -> None:
    here = signed_in(mara)
    signed_in(mara, IPHONE)
    signed_in(jonas)
    page = here.get(reverse("mfa_index"))
    assert [(place.device, place.is_here) for place in page.context["places"]] == [
        ("Firefox on Linux", True),
        ("Safari on iPhone", False),
    ]
    assert page.text.count("Here</span>") == 1


def test_somebody_signs_out_of_one_place_of_the_others_and_of_all(mara: User) -> None:
    here, phone, other = signed_in(mara), signed_in(mara, IPHONE), signed_in(mara)
    of_phone = next(place.id for place in sessions.places(mara) if place.device == "Safari on iPhone")
    said = here.post(reverse("end_session"), {"place": of_phone}, follow=True).text
    assert "Signed out of Safari on iPhone." in said
    assert (is_in(here), is_in(phone), is_in(other)) == (True, False, True)
    here.post(reverse("end_session"), {"place": "others"})
    assert (is_in(here), is_in(other)) == (True, False)
    here.post(reverse("end_session"), {"place": "all"})
    assert not is_in(here)
    entries = AuditEntry.objects.filter(verb__startswith="session.").order_by("pk")
    assert [(entry.verb, in_words(entry).details) for entry in entries] == [
        ("session.ended", ("with Safari on iPhone",)),
        ("session.all_ended", ("but not where they were",)),
        ("session.all_ended", ()),
    ]


@pytest.mark.parametrize("place", ["", "x", "0", "²", "9" * 30])
def test_nobody_ends_what_is_not_theirs(mara: User, jonas: User, place: str) -> None:
    here, other = signed_in(mara), signed_in(jonas)
    here.post(reverse("end_session"), {"place": place or UserSession.objects.get(user=jonas).pk})
    assert is_in(other)


def test_an_admin_signs_a_person_out(client: Client, ada: User, mara: User) -> None:
    away = signed_in(mara)
    client.force_login(ada)
    assert "Firefox on Linux" in client.get(reverse("person", args=[mara.pk])).text
    said = client.post(reverse("sign_out_person", args=[mara.pk]), follow=True).text
    assert "Mara Okafor is signed out in 1 place." in said
    assert not is_in(away)
    assert AuditEntry.objects.get(verb="session.all_ended").actor_label == "Ada Brandt"


def test_reactivating_brings_no_old_session_back(ada: User, mara: User) -> None:
    away = signed_in(mara)
    accounts.deactivate(mara.pk, actor=COMMAND_LINE)
    accounts.reactivate(mara.pk, actor=COMMAND_LINE)
    assert not is_in(away)


def test_a_new_password_ends_all_other_sessions(mara: User) -> None:
    here, away = signed_in(mara), signed_in(mara)
    here.post(reverse("account_set_password"), {"password1": PASSWORD, "password2": PASSWORD})
    assert (is_in(here), is_in(away)) == (True, False)
    assert len(sessions.places(mara)) == 1


def test_last_seen_is_kept_without_a_write_for_every_page(mara: User) -> None:
    here = signed_in(mara)
    long_ago = timezone.now() - timedelta(hours=3)
    UserSession.objects.update(last_seen_at=long_ago)
    here.get("/")
    assert UserSession.objects.get().last_seen_at > long_ago
    UserSession.objects.update(last_seen_at=long_ago)
    here.get("/")
    assert UserSession.objects.get().last_seen_at == long_ago


def test_a_session_from_before_the_list_is_listed_once_it_is_used(client: Client, mara: User) -> None:
    client.force_login(mara)
    UserSession.objects.all().delete()
    client.get("/")
    assert len(sessions.places(mara)) == 1


def test_what_is_over_is_forgotten(mara: User) -> None:
    signed_in(mara)
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    assert sessions.places(mara) == []
    sessions.tidy()
    assert not UserSession.objects.exists()
    assert not Session.objects.exists()


def test_a_new_device_is_told_of_and_a_known_one_is_not(mara: User, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr("people.telling.LISTENERS", [lambda person, what, how: told.append(what)])
    here = signed_in(mara)
    here.post(reverse("account_logout"))
    here.post(link_of(mara))
    assert told == []
    signed_in(mara, IPHONE)
    assert told == ["Sign-in from a new device: Safari on iPhone"]
    newest = AuditEntry.objects.filter(verb="person.signed_in").latest("pk")
    assert in_words(newest).details == ("by link", "with Safari on iPhone", "for the first time there")


def test_whoever_signs_in_at_one_place_too_many_leaves_the_one_unused_for_longest(
    mara: User, jonas: User, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr("people.telling.LISTENERS", [lambda person, what, how: told.append(what)])
    settings.COUNTERSIGN_SESSIONS_AT_ONCE = 2
    phone, other, of_jonas = signed_in(mara, IPHONE), signed_in(mara), signed_in(jonas)
    UserSession.objects.filter(user_agent=FIREFOX, user=mara).update(created_at=timezone.now() - timedelta(hours=3))
    UserSession.objects.filter(user_agent=IPHONE).update(last_seen_at=timezone.now() - timedelta(hours=1))
    sessions._seen.clear()
    here = signed_in(mara)
    assert "Signed out of Safari on iPhone, which you had not used for longest" in here.get("/").text
    assert [is_in(one) for one in (here, phone, other, of_jonas)] == [True, False, True, True]
    entry = AuditEntry.objects.get(verb="session.ended")
    assert (entry.actor_label, in_words(entry).details) == (
        "Mara Okafor",
        ("with Safari on iPhone", "because there are 2 at most"),
    )
    assert told[-1] == "Signed out of Safari on iPhone: you can be signed in at 2 places at most"


def test_signing_in_again_at_the_same_place_ends_no_other(mara: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SESSIONS_AT_ONCE = 2
    here, away = signed_in(mara), signed_in(mara, IPHONE)
    here.post(link_of(mara))
    assert (is_in(here), is_in(away), len(sessions.places(mara))) == (True, True, 2)


def test_without_a_limit_nobody_is_signed_out(mara: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SESSIONS_AT_ONCE = 0
    assert [is_in(one) for one in [signed_in(mara) for _ in range(3)]] == [True] * 3


@pytest.mark.django_db(transaction=True)
def test_of_many_who_sign_in_at_once_no_more_stay_than_there_may_be(mara: User, settings: Settings) -> None:
    settings.COUNTERSIGN_SESSIONS_AT_ONCE = 3
    mara.set_password(PASSWORD)
    mara.save()
    old = [signed_in(mara) for _ in range(3)]
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": "apart-from-other-tests"}}
    # Five: until one of them turns out to be right, a sixth would be a guess too many.
    new = [Client(headers={"user-agent": IPHONE}, REMOTE_ADDR=f"192.0.2.{number}") for number in range(5)]
    gate = threading.Barrier(len(new))

    def sign_in(client: Client) -> None:
        gate.wait()
        client.post(reverse("account_login"), {"login": "mara", "password": PASSWORD})
        connection.close()

    threads = [threading.Thread(target=sign_in, args=[client]) for client in new]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(map(is_in, [*old, *new])) == len(sessions.places(mara)) == 3
    assert AuditEntry.objects.filter(verb="session.ended").count() == 5
    assert AuditEntry.objects.filter(verb="person.signed_in").count() == 8


def later(**times: timedelta) -> None:
    """So long ago it was seen, or began; the process remembers nothing of it."""
    UserSession.objects.update(**{name: timezone.now() - ago for name, ago in times.items()})
    sessions._seen.clear()


@pytest.mark.parametrize(
    "times", [{"last_seen_at": timedelta(hours=9)}, {"created_at": timedelta(hours=25)}], ids=["unused", "old"]
)
def test_a_session_ends_when_it_was_not_used_for_long_and_a_day_after_signing_in(
    mara: User, times: dict[str, timedelta]
) -> None:
    here = signed_in(mara)
    later(last_seen_at=timedelta(hours=7), created_at=timedelta(hours=23))
    assert is_in(here)
    later(**times)
    assert here.get("/patterns/?q=1")["Location"] == f"{reverse('account_login')}?next=/patterns/%3Fq%3D1"
    assert not UserSession.objects.exists()
    assert not Session.objects.filter(pk=here.cookies["sessionid"].value).exists()


def test_what_a_page_asks_by_itself_keeps_no_session_alive(mara: User) -> None:
    here = signed_in(mara)
    later(last_seen_at=timedelta(hours=7))
    assert here.get("/updates/").status_code == 200
    assert UserSession.objects.get().last_seen_at < timezone.now() - timedelta(hours=6)
    later(last_seen_at=timedelta(hours=9))
    assert here.get("/updates/", headers={"HX-Request": "true"}).status_code == 401
    assert not is_in(here)


def test_a_link_signs_in_whose_session_is_over(mara: User) -> None:
    here = signed_in(mara)
    later(last_seen_at=timedelta(hours=9))
    assert here.post(link_of(mara)).status_code == 303
    assert is_in(here)
