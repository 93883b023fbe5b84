"""Addresses of the import: the list, and one import from upload to result."""

from django.urls import path

from leads.intake.imports import saved_views, views

urlpatterns = [
    path("import/", views.import_list, name="import_list"),
    path("import/upload/", views.import_upload, name="import_upload"),
    path("import/matchings/<int:pk>/", saved_views.import_saved, name="import_saved"),
    path("import/matchings/<int:pk>/delete/", saved_views.import_saved_delete, name="import_saved_delete"),
    path("import/<int:pk>/", views.import_detail, name="import_detail"),
    path("import/<int:pk>/mapping/", views.import_mapping, name="import_mapping"),
    path("import/<int:pk>/document/", views.import_document, name="import_document"),
    path("import/<int:pk>/save-mapping/", views.import_save_mapping, name="import_save_mapping"),
    path("import/<int:pk>/run/", views.import_run, name="import_run"),
    path("import/<int:pk>/progress/", views.import_progress, name="import_progress"),
    path("import/<int:pk>/cancel/", views.import_cancel, name="import_cancel"),
    path("import/<int:pk>/errors.csv", views.import_errors, name="import_errors"),
]
