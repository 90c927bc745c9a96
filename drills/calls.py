"""python -m drills.calls [--calls N] [--seed N]: calls made up from the OpenAPI document by Schemathesis.

Half of them make sense and half do not; a third comes without a key, or with none that is one, the others with one
that may do everything, and most are about things that are there. None may end in an error of the server, none without
the key may succeed, and every answer has a status, a content type and a body as the document says.
"""

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from schemathesis import Case

DOCUMENT: Final = "/api/v1/openapi.json"
_MOSTLY: Final = 0.8
_PLAIN: Final = {"Accept-Encoding": "identity"}


def main() -> None:
    """Make them all, and tell how they were answered."""
    parser = argparse.ArgumentParser(prog="python -m drills.calls", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from drills.engines import board

    started = time.monotonic()
    with board():
        answered = run(options.calls, options.seed)
    told = ", ".join(f"{count} with {status}" for status, count in sorted(answered.items()))
    print(f"{answered.total()} calls, all answered as documented: {told}; {time.monotonic() - started:.0f} s.")


def run(calls: int, seed: int) -> Counter[int]:
    """About so many calls, spread over all operations; how often each status came. Raises AssertionError."""
    import schemathesis
    from schemathesis.core.result import Ok

    from reviewapp.wsgi import application

    schema = schemathesis.openapi.from_wsgi(DOCUMENT, application)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    answered = Counter[int]()
    failures = list[str]()
    world = _world()
    for operation in operations:
        try:
            _call(operation, max(1, calls // len(operations)), seed, world, answered)
        except schemathesis.errors.FailureGroup as failed:
            failures += [f"{operation.label}: {failed}"]
    assert not failures, "\n\n".join(failures)
    return answered


@dataclass(frozen=True)
class _World:
    """A key for everything, and what can be asked for by it, by the name of the parameter."""

    key: str
    there: dict[str, object]


def _world() -> _World:
    """An agent with reports, a pattern, a proposal and a rollout that is going on."""
    from agents import keys
    from agents.models import ApiKey
    from agents.versions import create_agent
    from audit.record import SYSTEM
    from feedback.actions.mining import mine
    from feedback.models import Pattern
    from people.roles import Role
    from people.signin import create_person, first_admin
    from tests.cast import COMPLAINTS, PROMPT, propose, report
    from tests.rollouts import canary

    agent = create_agent("support", name="Support agent", actor=SYSTEM, documents={"system-prompt": PROMPT})
    prompt = agent.documents.get()
    people = [create_person(name, name=name, roles=[Role.REVIEWER]) for name in ("mara", "jonas")]
    sender = keys.create(agent, [ApiKey.Scope.INGEST], owner=people[0], actor=SYSTEM)[0]
    said = enumerate(COMPLAINTS)
    reports = [report(agent, f"person {number}", reason=text, key=sender) for number, text in said]
    mine(agent)
    rollout = canary(prompt, *people)
    there: dict[str, object] = {
        "agent": "support",
        "document": "system-prompt",
        "number": 1,
        "feedback_id": reports[0].external_id,
        "pattern_id": Pattern.objects.earliest("pk").pk,
        "proposal_id": propose(prompt, people[0], "order date", "date of the order").pk,
        "id": rollout.pk,
        "prefix": sender.prefix,
    }
    unlimited = keys.Rules(calls_a_minute=0, calls_a_day=0)
    key = keys.create(None, ApiKey.Scope.values, owner=first_admin(), actor=SYSTEM, rules=unlimited)[1]
    return _World(key, there)


def _point(case: "Case", there: Mapping[str, object], random: Random) -> None:
    """Let most calls be about something that is there."""
    parameters = [case.path_parameters, case.query, case.body if isinstance(case.body, dict) else {}]
    for given in parameters:
        for name in set(given or ()) & set(there):
            if random.random() < _MOSTLY:
                given[name] = there[name]


def _call(operation: Any, times: int, seed: int, world: _World, answered: Counter[int]) -> None:
    """Valid and invalid requests in turn, each with the key and without it."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks as documented

    checks = [
        not_a_server_error,
        documented.status_code_conformance,
        documented.content_type_conformance,
        documented.response_headers_conformance,
        documented.response_schema_conformance,
    ]

    random, ours = Random(seed), f"Bearer {world.key}"

    def call(case: "Case") -> None:
        _point(case, world.there, random)
        if answered.total() % 5:  # on the case itself, whose own Authorization would go before ours
            case.headers["Authorization"] = ours
        response = case.call(headers=_PLAIN)
        answered[response.status_code] += 1
        case.validate_response(response, checks=checks)
        keyed = response.request.headers.get("Authorization") == ours  # Schemathesis leaves it out at times
        assert keyed or response.status_code >= 400, f"{case.method} {case.path} without a key"

    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    for mode in modes:
        quietly = settings(
            max_examples=max(1, times // len(modes)),
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        seeded(seed)(quietly(given(case=operation.as_strategy(generation_mode=mode))(call)))()


if __name__ == "__main__":
    main()
