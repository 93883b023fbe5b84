"""Addresses of people and preferences."""

from django.urls import path

from portal.accounts import away, demo, people, views

urlpatterns = [
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
