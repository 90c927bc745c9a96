"""The words of keys: what a setting is about, as far as that is sure, and what nothing starts by itself of."""

from typing import Final

from proposals.safe.rules import Category


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


KNOWN: Final = {
    Category.RETRY: _words("""
        retry retries attempt attempts try tries wait waits backoff backoffs delay delays timeout timeouts deadline
        deadlines
    """),
    Category.THRESHOLD: _words("threshold thresholds cutoff cutoffs confidence similarity relevance"),
    Category.ROUTING: _words("route routes routing router"),
}
"""Words that say what kind of setting it is."""

BESIDE: Final = {
    Category.RETRY: _words("""
        max maximum min minimum count number num default initial first base factor multiplier interval time s ms sec
        secs second seconds minute minutes between after before per call calls request requests tool tools connect
        connection read write total
    """),
    Category.THRESHOLD: _words("max maximum min minimum default score match percent low high lower upper"),
    Category.ROUTING: _words("default fallback to"),
}
"""Words that say nothing else beside one of those."""

SEVERAL: Final = _words("waits backoffs delays timeouts deadlines retries thresholds cutoffs routes routing")
"""Below a key of such a word, keys are names of what it is for."""

TOUCHY: Final = _words("""
    auth authentication authorization login password passwords secret secrets token tokens credential credentials key
    keys oauth certificate url urls uri host hosts domain endpoint endpoints webhook port proxy address email model
    models engine provider prompt prompts instruction instructions message messages text system persona template
    templates safety safe unsafe security moderation toxicity harm abuse policy policies guard guardrail guardrails
    filter filters block blocked permission permissions role roles admin approval approvals review reviews human
    escalation escalate consent privacy pii legal compliance audit log logging fraud risk kyc age medical health dose
    price prices pricing cost costs budget budgets money amount amounts refund refunds payment payments pay billing
    invoice credit credits debit discount discounts fee fees tax limit limits quota quotas spend spending eur usd code
    codes status id ids version versions
""")
"""Of what is named so, or stands below it, nothing starts by itself."""
