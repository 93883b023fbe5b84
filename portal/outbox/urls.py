"""Addresses of the bell, of one's preferences, of dead letters and chat rooms, and of the demo's kept mail."""

from django.urls import path

from portal.outbox.views import bell, kept, letters, preferences, rooms

urlpatterns = [
    path("bell/", bell.bell, name="bell"),
    path("bell/count/", bell.count, name="bell_count"),
    path("bell/read/", bell.read_all, name="bell_read_all"),
    path("bell/<int:pk>/", bell.open_notice, name="bell_open"),
    path("me/messages/", preferences.preferences, name="preferences"),
    path("me/messages/quiet/", preferences.quiet, name="preferences_quiet"),
    path("messages/", letters.messages, name="messages"),
    path("messages/retry/", letters.retry_all, name="messages_retry_all"),
    path("messages/<int:pk>/retry/", letters.retry, name="message_retry"),
    path("messages/rooms/", rooms.rooms, name="rooms"),
    path("messages/rooms/<int:pk>/", rooms.room, name="room"),
    path("messages/rooms/<int:pk>/try/", rooms.try_out, name="room_try"),
    path("messages/rooms/<int:pk>/retire/", rooms.retire, name="room_retire"),
    path("demo-mail/", kept.mails, name="kept_mails"),
    path("demo-mail/<str:name>/", kept.mail, name="kept_mail"),
]
