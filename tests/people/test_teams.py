"""Teams: made, filled, dissolved, each act on the log; and what they own."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from agents import teams as ownership
from agents.models import Agent, Document, Section
from agents.protection import CannotProtect, protect, unprotect
from audit.models import AuditEntry
from audit.record import COMMAND_LINE, SYSTEM
from audit.wording import in_words
from people import accounts
from people.exceptions import BadTeamName, TeamError
from people.models import Team, User
from people.teams import create_team, dissolve, rename_team, set_members
from proposals.actions.decisions import approve
from proposals.queue import waiting_for
from tests.cast import digest_of, propose

pytestmark = pytest.mark.django_db
SAFETY = ("card numbers", "bank numbers")


@pytest.fixture
def billing(mara: User, aiko: User) -> Team:
    """Mara, who decides, and Aiko, who does not."""
    return create_team("Billing", members=[mara, aiko], actor=SYSTEM)


def told(verb: str) -> list[tuple[object, object]]:
    return [
        (entry.fact["before"], entry.fact["after"]) for entry in AuditEntry.objects.filter(verb=verb).order_by("pk")
    ]


def test_each_change_of_a_team_is_on_the_log_once(billing: Team, mara: User, jonas: User, aiko: User) -> None:
    assert set_members(billing.pk, [mara, jonas], actor=SYSTEM)
    assert not set_members(billing.pk, [jonas, mara], actor=SYSTEM)
    assert rename_team(billing.pk, " Money  matters ", actor=SYSTEM)
    assert not rename_team(billing.pk, "Money matters", actor=SYSTEM)
    dissolve(billing.pk, actor=SYSTEM)
    assert told("team.created") == [(None, {"name": "Billing", "members": ["aiko", "mara"]})]
    assert told("team.members_set") == [({"members": ["aiko", "mara"]}, {"members": ["jonas", "mara"]})]
    assert told("team.renamed") == [({"name": "Billing"}, {"name": "Money matters"})]
    assert told("team.dissolved") == [
        ({"members": ["jonas", "mara"], "active": True}, {"members": [], "active": False})
    ]
    assert not User.objects.filter(teams__isnull=False).exists()


def test_a_name_is_one_teams_until_it_is_dissolved(billing: Team) -> None:
    with pytest.raises(BadTeamName, match="There is a team billing already"):
        create_team("billing", members=[], actor=SYSTEM)
    for nameless in ("", "  ", "Bill\u200bing"):
        with pytest.raises(BadTeamName, match="Give the team a name"):
            create_team(nameless, members=[], actor=SYSTEM)
    dissolve(billing.pk, actor=SYSTEM)
    assert create_team("billing", members=[], actor=SYSTEM) != billing
    with pytest.raises(TeamError, match="was dissolved"):
        set_members(billing.pk, [], actor=SYSTEM)


def test_who_is_deactivated_can_stay_but_not_join(billing: Team, mara: User, aiko: User, jonas: User) -> None:
    for person in (aiko, jonas):
        accounts.deactivate(person.pk, actor=COMMAND_LINE)
        person.refresh_from_db()
    with pytest.raises(TeamError, match="Jonas Weber is deactivated"):
        set_members(billing.pk, [mara, aiko, jonas], actor=SYSTEM)
    assert set_members(billing.pk, [aiko], actor=SYSTEM)


def test_an_agent_is_one_teams_or_everybodys(billing: Team, support: Agent) -> None:
    assert ownership.give_to_team(support.pk, billing.pk, actor=SYSTEM)
    assert not ownership.give_to_team(support.pk, billing.pk, actor=SYSTEM)
    with pytest.raises(TeamError, match="Billing owns Support agent"):
        dissolve(billing.pk, actor=SYSTEM)
    assert ownership.give_to_team(support.pk, None, actor=SYSTEM)
    dissolve(billing.pk, actor=SYSTEM)
    with pytest.raises(ownership.CannotGive, match="was dissolved"):
        ownership.give_to_team(support.pk, billing.pk, actor=SYSTEM)
    assert told("agent.team_set") == [
        ({"team": None}, {"team": "Billing"}),
        ({"team": "Billing"}, {"team": None}),
    ]
    given = in_words(AuditEntry.objects.filter(verb="agent.team_set").latest("pk"))
    assert (given.verb, given.details) == ("gave", ("to everybody", "which was the team Billing’s"))


def test_each_member_of_a_team_that_owns_a_section_is_an_owner_and_one_is_enough(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    safety = create_team("Safety board", members=[mara, jonas], actor=SYSTEM)
    protect(prompt, "Safety", owners=[], teams=[safety], actor=SYSTEM)
    proposal = propose(prompt, aiko, *SAFETY)
    approve(proposal.pk, user=ada, digest=digest_of(proposal))
    assert (waiting_for(mara), waiting_for(jonas)) == ([proposal.pk], [proposal.pk])
    approve(proposal.pk, user=jonas, digest=digest_of(proposal))
    proposal.refresh_from_db()
    assert proposal.status == "approved"


def test_without_a_member_of_the_owning_team_two_approvals_do_not_do(
    prompt: Document, aiko: User, mara: User, jonas: User, ada: User
) -> None:
    safety = create_team("Safety board", members=[mara], actor=SYSTEM)
    protect(prompt, "Safety", owners=[], teams=[safety], actor=SYSTEM)
    proposal = propose(prompt, aiko, *SAFETY)
    for person in (ada, jonas):
        approve(proposal.pk, user=person, digest=digest_of(proposal))
    proposal.refresh_from_db()
    assert proposal.status == "pending"
    assert (waiting_for(mara), waiting_for(jonas)) == ([proposal.pk], [])


def test_a_team_owns_a_section_only_while_somebody_in_it_could_approve(
    prompt: Document, billing: Team, aiko: User, mara: User
) -> None:
    protect(prompt, "Safety", owners=[mara], teams=[billing], actor=SYSTEM)
    with pytest.raises(TeamError, match="Billing owns the protected section “Safety”"):
        dissolve(billing.pk, actor=SYSTEM)
    operators = create_team("Operators", members=[aiko], actor=SYSTEM)
    with pytest.raises(CannotProtect, match="nobody in it has the role"):
        protect(prompt, "Safety", owners=[], teams=[operators], actor=SYSTEM)
    unprotect(prompt, "Safety", actor=SYSTEM)
    assert not Section.objects.get().owner_teams.exists()
    after = {"protected": True, "owners": ["mara"], "teams": ["Billing"]}
    assert told("section.protected") == [({"protected": False, "owners": []}, after)]
    dissolve(billing.pk, actor=SYSTEM)
    with pytest.raises(CannotProtect, match="was dissolved"):
        protect(prompt, "Safety", owners=[], teams=[billing], actor=SYSTEM)


def test_an_admin_does_it_all_in_the_browser(client: Client, ada: User, mara: User, support: Agent) -> None:
    client.force_login(ada)
    made = client.post(reverse("new_team"), {"name": "Billing", "members": [mara.pk]})
    team = Team.objects.get()
    assert (made.status_code, made["Location"]) == (303, reverse("team", args=[team.pk]))
    assert client.post(reverse("agent_team", args=["support"]), {"team": team.pk}).status_code == 303
    page = client.get(reverse("team", args=[team.pk])).text
    assert "Support agent</a>" in page
    refused = client.post(reverse("dissolve_team", args=[team.pk]))
    assert (refused.status_code, "Billing owns Support agent." in refused.text) == (409, True)
    assert "team Billing" in client.get(reverse("agent", args=["support"])).text
    assert "team Billing" in client.get(reverse("agents")).text
    assert client.post(reverse("agent_team", args=["support"]), {"team": ""}).status_code == 303
    saved = client.post(reverse("team", args=[team.pk]), {"name": "Money", "members": []}, follow=True)
    assert "Saved. It holds from their next click on." in saved.text
    assert "Money" in client.get(reverse("settings")).text
    assert client.post(reverse("dissolve_team", args=[team.pk]), follow=True).status_code == 200
    page = client.get(reverse("team", args=[team.pk])).text
    assert ("Dissolved</span>" in page, "Dissolve the team" in page) == (True, False)


@pytest.mark.parametrize("sent", [{"name": ""}, {"name": "BILLING"}, {"name": "New", "members": ["999"]}])
def test_a_bad_wish_says_what_is_wrong_and_keeps_what_was_typed(
    client: Client, ada: User, billing: Team, sent: dict[str, object]
) -> None:
    client.force_login(ada)
    answer = client.post(reverse("new_team"), sent)
    assert answer.status_code == 422
    assert "stop" in answer.text
    assert f'value="{sent["name"]}"' in answer.text or not sent["name"]
    assert Team.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_team_is_not_dissolved_while_it_is_given_an_agent(billing: Team, support: Agent) -> None:
    """Whoever comes second waits for the first, and then sees what it did."""
    done: list[str] = []

    def end() -> None:
        try:
            dissolve(billing.pk, actor=SYSTEM)
        except TeamError as refusal:
            done.append(str(refusal))
        finally:
            connection.close()

    with transaction.atomic():
        ownership.give_to_team(support.pk, billing.pk, actor=SYSTEM)
        other = threading.Thread(target=end)
        other.start()
        other.join(0.3)
        assert other.is_alive()
    other.join(20)
    assert done == ["Billing owns Support agent. Give its agents to another team, or to nobody, first."]


def test_an_operator_gives_agents_and_sections_to_teams_by_command(
    prompt: Document, billing: Team, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("give_agent", "support", "--team", "billing")
    call_command("protect_section", "support", "system-prompt", "Safety", "--team", "Billing")
    call_command("give_agent", "support", "--everybody")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "Support agent is the team Billing’s.",
        "Safety is protected; owned by team Billing.",
        "Support agent is everybody’s.",
    ]
    with pytest.raises(CommandError, match=r"There is no team “Nobody”\. There are: Billing\."):
        call_command("give_agent", "support", "--team", "Nobody")
