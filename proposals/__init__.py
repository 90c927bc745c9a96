"""What people decide: proposals, revisions, checks, decisions, drafting.

Folders import only what stands before them in this order:

    diffs, judging, rules, checking, drafting, safe     values and algorithms; they know no Django
    models                                              what is kept
    authority, status, grounds, rollouts, queue         reads: who may, where it stands, on what, what waits for whom
    actions                                             all that changes anything, each one transaction
    forms, reviewing, provenance                        what pages take and show
    api, views                                          the doors; beside them `tasks` and `management`
"""
