"""Addresses of the carriers and of the desk of returned envelopes, under /messages/."""

from django.urls import path

from tenants import desk, views

app_name = "messages"
urlpatterns = [
    path("sms/statut/", views.sms_status, name="sms_status"),
    path("sms/reponse/", views.sms_reply, name="sms_reply"),
    path("plis/", desk.returned, name="returned"),
    path("plis/<int:pk>/", desk.record, name="returned_record"),
    path("plis/<int:pk>/annuler/", desk.undo, name="returned_undo"),
    path("dossier/<int:pk>/caracteres/", views.print_size, name="print_size"),
    path("desinscription/<str:token>/", views.unsubscribe, name="unsubscribe"),
]
