"""Addresses of the audit."""

from django.urls import path

from leads.audit import views

urlpatterns = [
    path("audit/", views.latest, name="audit_latest"),
    path("audit/<slug:month>/", views.audit, name="audit"),
]
