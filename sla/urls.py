"""Addresses of the agreement."""

from django.urls import path

from sla.views import agreement, definition, verification

urlpatterns = [
    path("agreement/", agreement.agreement, name="agreement"),
    path("agreement/<int:number>/", agreement.agreement_version, name="agreement_version"),
    path("agreement/verify/", verification.agreement_verify, name="agreement_verify"),
    path("agreement/<int:number>/bundle.json", verification.agreement_bundle, name="agreement_bundle"),
    path("agreement/<int:number>/agreement.pdf", verification.agreement_pdf, name="agreement_pdf"),
    path("definition/", definition.definition, name="definition"),
    path("definition/<int:number>/", definition.definition_version, name="definition_version"),
]
