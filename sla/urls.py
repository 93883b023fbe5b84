"""Addresses of the agreement."""

from django.urls import path

from sla import views, views_verification

urlpatterns = [
    path("agreement/", views.agreement, name="agreement"),
    path("agreement/<int:number>/", views.agreement_version, name="agreement_version"),
    path("agreement/verify/", views_verification.agreement_verify, name="agreement_verify"),
    path("agreement/<int:number>/bundle.json", views_verification.agreement_bundle, name="agreement_bundle"),
    path("definition/", views.definition, name="definition"),
    path("definition/<int:number>/", views.definition_version, name="definition_version"),
]
