"""Addresses that visitors know: none of them asks for a sign-in."""

from django.urls import path

from leads.intake.forms.public import views

urlpatterns = [
    path("f/<slug:slug>/", views.form_public, name="form_public"),
    path("f/<slug:slug>/part/", views.form_public_part, name="form_public_part"),
    path("f/<slug:slug>/thanks/", views.form_public_thanks, name="form_public_thanks"),
    path("f/<slug:slug>/embed/", views.form_embed, name="form_embed"),
    path("f/<slug:slug>/embed/thanks/", views.form_embed_thanks, name="form_embed_thanks"),
    path("f/<slug:slug>/send/", views.form_embed_send, name="form_embed_send"),
]
