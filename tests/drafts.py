"""Documents, briefs and shorthands for the tests of the drafter."""

from hypothesis import strategies as st

from proposals.drafting import Brief, Declined, DocumentText, Draft, draft, sentences

SUPPORT = """# Support agent

You are the support agent of Lumen Books, an online shop for books and digital courses.

## Tone

- Be friendly and brief.
- Use the customer's name once.

## Refunds and cancellations
Check the order date before you name a deadline.
Refunds are possible within 30 days of purchase.

## Tools and errors

1. Look up the order with `find_order` before you answer.
2. Call `refund_order` only after the customer confirmed.
   - Repeat the amount.

```
## not a heading
- refund within 30 days
```

## Shipping

Parcels leave within 2 working days.

Express parcels leave the same day.

## Safety

Never ask for card numbers or passwords.
"""
CODING = """# Coding agent

* Read the failing test before you edit.
* Keep changes small.

## Limits and failures

* Stop after three failed attempts.

## Secrets

Never print environment variables.
"""
PROMPT = DocumentText("system-prompt", "prompt", SUPPORT, ("Safety",))
CODE = DocumentText("system-prompt", "prompt", CODING, ("Secrets",))
WINDOW = Brief(
    "correction", "Refund window", ("the refund window", "digital courses"), (), ("30 days", "14 days"),
    support=37, sources=31, days=9,
)  # fmt: skip


def drafted(brief: Brief, *documents: DocumentText) -> Draft:
    made = draft(brief, documents or (PROMPT,))
    assert isinstance(made, Draft), made
    return made


def declined(brief: Brief, *documents: DocumentText) -> str:
    made = draft(brief, documents or (PROMPT,))
    assert isinstance(made, Declined), made
    return made.reason


MANY = 300
TOPICS = st.lists(
    st.sampled_from(["refund window", "digital courses", "parcel", "tone", "order date", "voucher", "tool"]), max_size=4
)
BRIEFS = st.builds(
    Brief,
    kind=st.sampled_from(["complaint", "correction", "error", "mislabel"]),
    terms=TOPICS.map(tuple),
    replacement=st.sampled_from(
        [None, ("30 days", "14 days"), ("2 working days", "3 working days"), ("30 days", "30 days net")]
    ),
    error_class=st.sampled_from([*sentences.ERRORS]),
    reason_code=st.sampled_from([*sentences.COMPLAINTS]),
    predicted=st.just("billing"),
    expected=st.just("refund"),
)
DOCUMENTS = st.sampled_from(
    [
        PROMPT,
        CODE,
        DocumentText("p", "prompt", SUPPORT.replace("\n", "\r\n"), ("Safety",)),
        DocumentText("p", "prompt", SUPPORT.strip()),
    ]
) | st.lists(
    st.sampled_from(
        ["# A\n", "## Refunds\n", "## Safety\n", "- Refund within 30 days.\n", "1. Parcel.\n", "```\n", "text\n", "\n",
         "<x>\n", "</x>\n", "  - nested"]
    ),
    max_size=14,
).map(lambda lines: DocumentText("p", "prompt", "".join(lines), ("Safety",)))  # fmt: skip
