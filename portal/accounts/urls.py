"""Addresses of people, preferences and signing in."""

from allauth.account.urls import urlpatterns as of_allauth
from django.urls import include, path

from portal.accounts import away, demo, people, views

# Not its doors to one's own addresses: an admin says which address a person has, and who changed it could be written
# to, and set a password, in their stead.
DOORS = {
    *("account_login", "account_logout", "account_inactive", "account_signup"),
    *("account_change_password", "account_set_password", "account_reset_password", "account_reset_password_done"),
    *("account_reset_password_from_key", "account_reset_password_from_key_done"),
}

urlpatterns = [
    path("account/", include([door for door in of_allauth if door.name in DOORS])),
    path("me/", views.me, name="me"),
    path("me/theme/", views.theme, name="theme"),
    path("me/keys/", views.keys, name="keys"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add, name="person_add"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/link/", people.send_link, name="person_link"),
    path("people/<int:pk>/reactivate/", people.reactivate, name="person_reactivate"),
    path("people/teams/add/", people.team_add, name="team_add"),
    path("people/teams/<int:pk>/", people.team, name="team"),
    path("absences/", away.absences, name="absences"),
    path("absences/add/", away.absence_add, name="absence_add"),
    path("absences/<int:pk>/end/", away.absence_end, name="absence_end"),
    path("demo/", demo.demo, name="demo"),
    path("demo/<slug:role>/", demo.sign_in, name="demo_sign_in"),
]
