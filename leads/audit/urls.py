"""Addresses of the audit."""

from django.urls import path

from leads.audit import (
    action_views,
    closing_views,
    excuse_views,
    exports,
    part_views,
    quality_views,
    review_views,
    scorecard_views,
    views,
)

urlpatterns = [
    path("audit/", views.latest, name="audit_latest"),
    path("audit/review/", review_views.audit_review, name="audit_review"),
    path("audit/<slug:month>/", views.audit, name="audit"),
    path("audit/<slug:month>.json", exports.audit_json, name="audit_json"),
    path("audit/<slug:month>/audit.pdf", exports.audit_pdf, name="audit_pdf"),
    path("audit/<slug:span>/review.pdf", exports.audit_review_pdf, name="audit_review_pdf"),
    path("audit/<slug:month>/<slug:table>.<slug:form>", exports.audit_table, name="audit_table"),
    path("audit/<slug:month>/trend/", part_views.audit_trend, name="audit_trend"),
    path("audit/<slug:month>/speed/", part_views.audit_speed, name="audit_speed"),
    path("audit/<slug:month>/left-out/", part_views.audit_left_out, name="audit_left_out"),
    path("audit/<slug:month>/fix/", part_views.audit_fix, name="audit_fix"),
    path("audit/<slug:month>/fix/draft/", part_views.audit_fix_draft, name="audit_fix_draft"),
    path("audit/<slug:month>/disputes/", part_views.audit_disputes, name="audit_disputes"),
    path("audit/<slug:month>/quality/", quality_views.audit_quality, name="audit_quality"),
    path("audit/<slug:month>/quality/sample/", quality_views.audit_sample, name="audit_sample"),
    path("audit/<slug:month>/quality/recode/", quality_views.audit_recode, name="audit_recode"),
    path("audit/<slug:month>/quality/items/<int:pk>/code/", quality_views.audit_code, name="audit_code"),
    path("audit/<slug:month>/quality/<slug:flag>/", quality_views.audit_quality_flag, name="audit_quality_flag"),
    path(
        "audit/<slug:month>/quality/<slug:flag>/leads.<slug:form>",
        quality_views.audit_quality_export,
        name="audit_quality_export",
    ),
    path("audit/<slug:month>/closing/", closing_views.audit_closing, name="audit_closing"),
    path("audit/<slug:month>/close/", closing_views.audit_close, name="audit_close"),
    path("audit/<slug:month>/closing/<int:pk>/sign/", closing_views.audit_sign, name="audit_sign"),
    path("audit/<slug:month>/closing/<int:pk>/reopen/", closing_views.audit_reopen, name="audit_reopen"),
    path("audit/<slug:month>/scorecard/", scorecard_views.audit_scorecard, name="audit_scorecard"),
    path("audit/<slug:month>/breaches/", excuse_views.audit_breaches, name="audit_breaches"),
    path("audit/<slug:month>/breaches/excuse/", excuse_views.audit_excuse, name="audit_excuse"),
    path("audit/<slug:month>/breaches/answer/", excuse_views.audit_excuse_answer, name="audit_excuse_answer"),
    path("audit/<slug:month>/actions/", action_views.audit_actions, name="audit_actions"),
    path("audit/<slug:month>/actions/new/", action_views.audit_action_new, name="audit_action_new"),
    path("audit/<slug:month>/actions/<int:pk>/", action_views.audit_action, name="audit_action"),
    path("audit/<slug:month>/actions/<int:pk>/close/", action_views.audit_action_close, name="audit_action_close"),
    path(
        "audit/<slug:month>/closing/<int:number>/signed.json",
        closing_views.audit_closed_json,
        name="audit_closed_json",
    ),
]
