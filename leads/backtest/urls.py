"""Addresses of the backtest and of what looks at leads for a definition."""

from django.urls import path

from leads.backtest import impact_views, lead_views, views

urlpatterns = [
    path("agreement/<int:number>/impact/", impact_views.agreement_impact, name="agreement_impact"),
    path("definition/facts/", lead_views.definition_facts, name="definition_facts"),
    path("definition/facts/kinds/", lead_views.definition_kinds, name="definition_kinds"),
    path("definition/facts/values/", lead_views.definition_values, name="definition_values"),
    path("definition/<int:number>/score/", lead_views.definition_score, name="definition_score"),
    path("definition/<int:number>/backtest/", views.definition_backtest, name="definition_backtest"),
    path("definition/<int:number>/backtest/start/", views.definition_backtest_start, name="definition_backtest_start"),
    path(
        "definition/<int:number>/backtest/<int:pk>/", views.definition_backtest_progress,
        name="definition_backtest_progress",
    ),
    path(
        "definition/<int:number>/backtest/<int:pk>/cancel/", views.definition_backtest_cancel,
        name="definition_backtest_cancel",
    ),
]  # fmt: skip
