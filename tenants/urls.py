"""Addresses of the carriers, under /messages/."""

from django.urls import path

from tenants import views

app_name = "messages"
urlpatterns = [
    path("sms/statut/", views.sms_status, name="sms_status"),
    path("sms/reponse/", views.sms_reply, name="sms_reply"),
    path("desinscription/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
