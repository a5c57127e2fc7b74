"""Addresses of the commissaire de justice's screens, under /constat/."""

from django.urls import path

from tenants.bailiff import views

app_name = "bailiff"
urlpatterns = [
    path("", views.home, name="home"),
    path("acces-ferme/", views.shut, name="shut"),
    path("a/<slug:token>/", views.entrance, name="entrance"),
    path("quitter/", views.leave, name="leave"),
    path("dossier/<slug:reference>/", views.case, name="case"),
    path("dossier/<slug:reference>/pli/<int:pk>/<int:number>.png", views.letter, name="letter"),
    path("liste.csv", views.export, name="export"),
    path("paquet/<int:number>/", views.package, name="package"),
]
