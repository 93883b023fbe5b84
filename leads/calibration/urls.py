"""Addresses of calibration."""

from django.urls import path

from leads.calibration import views

urlpatterns = [
    path("calibration/", views.calibrations, name="calibrations"),
    path("calibration/new/", views.calibration_new, name="calibration_new"),
    path("calibration/promises/<int:number>/", views.calibration_promise, name="calibration_promise"),
    path("calibration/<int:pk>/", views.calibration, name="calibration"),
    path("calibration/<int:pk>/progress/", views.calibration_progress, name="calibration_progress"),
    path("calibration/<int:pk>/cancel/", views.calibration_cancel, name="calibration_cancel"),
    path("calibration/<int:pk>/propose/", views.calibration_propose, name="calibration_propose"),
]
