"""Addresses of the rounds."""

from django.urls import path

from leads.calibration import round_views

urlpatterns = [
    path("rounds/", round_views.rounds, name="rounds"),
    path("rounds/start/", round_views.round_start, name="round_start"),
    path("rounds/<int:number>/", round_views.round, name="round"),
    path("rounds/<int:number>/mark/", round_views.round_mark, name="round_mark"),
    path("rounds/<int:number>/mark/<int:position>/", round_views.round_item, name="round_item"),
    path("rounds/<int:number>/draft/", round_views.round_draft, name="round_draft"),
    path("rounds/<int:number>/ask/", round_views.round_ask, name="round_ask"),
]
