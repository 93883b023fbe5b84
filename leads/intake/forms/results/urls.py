"""Addresses of what came of forms."""

from django.urls import path

from leads.intake.forms.results import links, views

urlpatterns = [
    path("forms/", views.form_list, name="form_list"),
    path("forms/links/<int:pk>/", links.lead_form_links, name="lead_form_links"),
    path("forms/<slug:slug>/", views.form, name="form"),
    path("forms/<slug:slug>/links/", links.form_links, name="form_links"),
    path("forms/<slug:slug>/links/file/", links.form_links_file, name="form_links_file"),
    path("forms/<slug:slug>/submissions/", views.form_submissions, name="form_submissions"),
    path("forms/<slug:slug>/submissions/<int:pk>/", views.form_submission, name="form_submission"),
    path("forms/<slug:slug>/submissions/<int:pk>/free/", views.form_submission_free, name="form_submission_free"),
]
