"""Addresses of what people decide."""

from django.urls import path

from proposals.views import agents, amend, comments, documents, evidence, patterns, queue, review

_DOCUMENT = "agents/<slug:slug>/<slug:name>/"

urlpatterns = [
    path("", queue.board, name="queue"),
    path("proposals/<int:pk>/", review.page, name="proposal"),
    path("proposals/<int:pk>/decide/", review.decide, name="decide"),
    path("proposals/<int:pk>/amend/", amend.amend, name="amend"),
    path("proposals/<int:pk>/rebase/", review.rebase, name="rebase"),
    path("proposals/<int:pk>/withdraw/", review.withdraw, name="withdraw"),
    path("proposals/<int:pk>/evidence/<int:item>/exclude/", evidence.exclude, name="exclude"),
    path("proposals/<int:pk>/evidence/<int:item>/include/", evidence.include, name="include"),
    path("proposals/<int:pk>/merge-rules/", evidence.merge_rules, name="merge_rules"),
    path("proposals/<int:pk>/revisions/<int:number>/", review.revision, name="revision"),
    path("proposals/<int:pk>/comment/", comments.comment, name="comment"),
    path("threads/<int:pk>/reply/", comments.reply, name="reply"),
    path("threads/<int:pk>/resolve/", comments.resolve, name="resolve"),
    path("threads/<int:pk>/reopen/", comments.reopen, name="reopen_thread"),
    path("comments/<int:pk>/apply/", comments.apply, name="apply_suggestion"),
    path("patterns/<int:pk>/", patterns.pattern, name="pattern"),
    path("patterns/<int:pk>/draft/", patterns.draft, name="draft"),
    path("patterns/<int:pk>/dismiss/", patterns.dismiss, name="dismiss"),
    path("patterns/<int:pk>/reopen/", patterns.reopen, name="reopen"),
    path("agents/", agents.agents, name="agents"),
    path(_DOCUMENT, documents.document, name="document"),
    path(f"{_DOCUMENT}versions/<int:number>/", documents.version, name="version"),
    path(f"{_DOCUMENT}versions/<int:number>/download/", documents.download, name="download"),
    path(f"{_DOCUMENT}compare/", documents.compare, name="compare"),
    path(f"{_DOCUMENT}propose/", documents.propose, name="propose"),
    path(f"{_DOCUMENT}roll-back/", documents.roll_back, name="roll_back"),
]
