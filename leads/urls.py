"""Addresses of the cases."""

from django.urls import include, path

from leads.views import acts, agreement, bulk, disputes, handoff, inbox, inbox_poll, leads, people
from leads.views import acts, bulk, disputes, handoff, home, inbox, inbox_poll, leads, owners, people, queue

urlpatterns = [
    path("", home.home, name="home"),
    path("home/breaching/", home.breaching, name="home_breaching"),
    path("queue/", queue.queue, name="queue"),
    path("queue/<int:pk>/claim/", queue.claim, name="queue_claim"),
    path("leads/<int:pk>/hand-back/", owners.hand_back, name="handoff_hand_back"),
    path("leads/<int:pk>/reassign/", owners.reassign, name="handoff_reassign"),
    path("people/<int:pk>/hand-over/", owners.hand_over, name="person_hand_over"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/filters/", inbox.filters, name="inbox_filters"),
    path("inbox/clocks/", inbox_poll.clocks, name="inbox_clocks"),
    path("inbox/bulk/", bulk.bulk, name="inbox_bulk"),
    path("inbox/bulk/<uuid:batch>/undo/", bulk.undo, name="inbox_bulk_undo"),
    path("inbox/<int:pk>/", inbox.lead, name="inbox_lead"),
    path("inbox/<int:pk>/clocks/", inbox.lead_clocks, name="inbox_lead_clocks"),
    path("inbox/<int:pk>/actions/", acts.actions, name="inbox_actions"),
    path("inbox/<int:pk>/contact/", acts.contact, name="inbox_contact"),
    path("inbox/<int:pk>/accept/", acts.accept, name="inbox_accept"),
    path("inbox/<int:pk>/reject/", acts.reject, name="inbox_reject"),
    path("inbox/<int:pk>/duplicates/", acts.duplicates, name="inbox_duplicates"),
    path("inbox/<int:pk>/undo/", acts.undo, name="inbox_undo"),
    path("disputes/", disputes.disputes, name="disputes"),
    path("disputes/<int:pk>/", disputes.dispute_rule, name="dispute_rule"),
    path("leads/<int:pk>/dispute/", disputes.handoff_dispute, name="handoff_dispute"),
    path("leads/<int:pk>/take-up/", acts.take_up, name="handoff_take_up"),
    path("agreement/<int:number>/open/", agreement.agreement_open, name="agreement_open"),
    path("agreement/trend/", agreement.agreement_trend, name="agreement_trend"),
    path("", include("leads.audit.urls")),
    path("", include("leads.backtest.urls")),
    path("", include("leads.intake.imports.urls")),
    path("people/<int:pk>/deactivate/", people.deactivate, name="person_deactivate"),
    path("leads/", leads.leads, name="leads"),
    path("leads/<int:pk>/", handoff.handoff, name="handoff"),
]
