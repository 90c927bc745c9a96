"""The rules that admins set, as values: how many approvals a change needs, who has to stand behind a draft, and how a
candidate is rolled out.

Each says what it asks in words, tells what is still missing, and goes to JSON and back, for what was in force is kept
with every revision, draft and rollout. Pure; knows no Django: models keep these values, actions and pages ask them.
"""
