"""Addresses of the agreement."""

from django.urls import path

from sla.views import (
    agreement,
    calendars,
    definition,
    definition_compare,
    definition_edit,
    definition_rules,
    definition_tiers,
    verification,
)

urlpatterns = [
    path("calendars/", calendars.calendars, name="calendars"),
    path("calendars/new/", calendars.calendar_new, name="calendar_new"),
    path("calendars/give/", calendars.calendar_give, name="calendar_give"),
    path("calendars/<int:pk>/", calendars.calendar, name="calendar"),
    path("calendars/<int:pk>/holidays/", calendars.calendar_holidays, name="calendar_holidays"),
    path("agreement/", agreement.agreement, name="agreement"),
    path("agreement/<int:number>/", agreement.agreement_version, name="agreement_version"),
    path("agreement/verify/", verification.agreement_verify, name="agreement_verify"),
    path("agreement/<int:number>/bundle.json", verification.agreement_bundle, name="agreement_bundle"),
    path("agreement/<int:number>/agreement.pdf", verification.agreement_pdf, name="agreement_pdf"),
    path("definition/", definition.definition, name="definition"),
    path("definition/draft/", definition_edit.definition_draft, name="definition_draft"),
    path("definition/compare/", definition_compare.definition_compare_choose, name="definition_compare_choose"),
    path(
        "definition/<int:number>/compare/<int:other>/",
        definition_compare.definition_compare,
        name="definition_compare",
    ),
    path("definition/<int:number>/", definition.definition_version, name="definition_version"),
    path("definition/<int:number>/edit/", definition_edit.definition_edit, name="definition_edit"),
    path("definition/<int:number>/delete/", definition_edit.definition_delete, name="definition_delete"),
    path("definition/<int:number>/summary/", definition_edit.definition_summary, name="definition_summary"),
    path("definition/<int:number>/required/", definition_edit.definition_required, name="definition_required"),
    path("definition/<int:number>/rules/add/", definition_rules.definition_rule_add, name="definition_rule_add"),
    path("definition/<int:number>/rules/<int:pk>/", definition_rules.definition_rule, name="definition_rule"),
    path(
        "definition/<int:number>/rules/<int:pk>/points/",
        definition_rules.definition_rule_points,
        name="definition_rule_points",
    ),
    path(
        "definition/<int:number>/rules/<int:pk>/move/",
        definition_rules.definition_rule_move,
        name="definition_rule_move",
    ),
    path(
        "definition/<int:number>/rules/<int:pk>/copy/",
        definition_rules.definition_rule_copy,
        name="definition_rule_copy",
    ),
    path(
        "definition/<int:number>/rules/<int:pk>/delete/",
        definition_rules.definition_rule_delete,
        name="definition_rule_delete",
    ),
    path("definition/<int:number>/tiers/add/", definition_tiers.definition_tier_add, name="definition_tier_add"),
    path("definition/<int:number>/tiers/<int:pk>/", definition_tiers.definition_tier, name="definition_tier"),
    path(
        "definition/<int:number>/tiers/<int:pk>/move/",
        definition_tiers.definition_tier_move,
        name="definition_tier_move",
    ),
    path(
        "definition/<int:number>/tiers/<int:pk>/delete/",
        definition_tiers.definition_tier_delete,
        name="definition_tier_delete",
    ),
]
