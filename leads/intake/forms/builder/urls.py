"""Addresses of the form builder."""

from django.urls import path

from leads.intake.forms.builder import edit_views, form_views, preview_views

urlpatterns = [
    path("forms/new/", form_views.form_new, name="form_new"),
    path("forms/<slug:slug>/draft/", form_views.form_draft, name="form_draft"),
    path("forms/<slug:slug>/draft/discard/", form_views.form_discard, name="form_discard"),
    path("forms/<slug:slug>/draft/publish/", edit_views.form_publish, name="form_publish"),
    path("forms/<slug:slug>/retire/", form_views.form_retire, name="form_retire"),
    path("forms/<slug:slug>/reopen/", form_views.form_reopen, name="form_reopen"),
    path("forms/<slug:slug>/settings/", form_views.form_settings, name="form_settings"),
    path("forms/<slug:slug>/compare/<int:number>/<int:other>/", form_views.form_compare, name="form_compare"),
    path("forms/<slug:slug>/edit/", edit_views.form_edit, name="form_edit"),
    path("forms/<slug:slug>/edit/act/", edit_views.form_edit_act, name="form_edit_act"),
    path("forms/<slug:slug>/edit/<slug:part>/<slug:key>/", edit_views.form_edit_part, name="form_edit_part"),
    path("forms/<slug:slug>/versions/<int:number>/preview/", preview_views.form_preview, name="form_preview"),
    path(
        "forms/<slug:slug>/versions/<int:number>/preview/frame/", preview_views.form_preview_frame,
        name="form_preview_frame",
    ),
    path(
        "forms/<slug:slug>/versions/<int:number>/preview/part/", preview_views.form_preview_part,
        name="form_preview_part",
    ),
]  # fmt: skip
