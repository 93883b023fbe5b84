"""Addresses of the page of keys."""

from django.urls import path

from portal.keys import views

urlpatterns = [
    path("api-keys/", views.api_keys, name="api_keys"),
    path("api-keys/<int:pk>/revoke/", views.api_key_revoke, name="api_key_revoke"),
    path("api-keys/websites/", views.website_add, name="api_key_website_add"),
    path("api-keys/websites/<int:pk>/revoke/", views.website_revoke, name="api_key_website_revoke"),
]
