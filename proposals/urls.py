"""Addresses of what people decide."""

from django.urls import path

from proposals.views import (
    agents,
    amend,
    assigning,
    comments,
    documents,
    patterns,
    queue,
    review,
    saved_filters,
    selected,
)

_DOCUMENT = "agents/<slug:slug>/<slug:name>/"

urlpatterns = [
    path("", queue.board, name="queue"),
    path("filters/", saved_filters.saved_filters, name="saved_filters"),
    path("filters/<int:pk>/", saved_filters.change, name="change_filter"),
    path("proposals/selected/", selected.selected, name="selected"),
    path("proposals/together/", selected.page, name="together"),
    path("proposals/together/done/", selected.done, name="together_done"),
    path("proposals/<int:pk>/assign/", assigning.assign, name="assign"),
    path("proposals/<int:pk>/unassign/", assigning.unassign, name="unassign"),
    path("proposals/<int:pk>/", review.page, name="proposal"),
    path("proposals/<int:pk>/decide/", review.decide, name="decide"),
    path("proposals/<int:pk>/amend/", amend.amend, name="amend"),
    path("proposals/<int:pk>/rebase/", review.rebase, name="rebase"),
    path("proposals/<int:pk>/withdraw/", review.withdraw, name="withdraw"),
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
    path("patterns/<int:pk>/rename/", patterns.rename, name="rename"),
    path("patterns/<int:pk>/merge/", patterns.merge, name="merge"),
    path("patterns/<int:pk>/take-apart/", patterns.part, name="part"),
    path("patterns/<int:pk>/split/", patterns.split, name="split"),
    path("agents/", agents.agents, name="agents"),
    path(_DOCUMENT, documents.document, name="document"),
    path(f"{_DOCUMENT}versions/<int:number>/", documents.version, name="version"),
    path(f"{_DOCUMENT}versions/<int:number>/download/", documents.download, name="download"),
    path(f"{_DOCUMENT}compare/", documents.compare, name="compare"),
    path(f"{_DOCUMENT}propose/", documents.propose, name="propose"),
    path(f"{_DOCUMENT}roll-back/", documents.roll_back, name="roll_back"),
]
