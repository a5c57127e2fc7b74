"""Addresses of the keying screens, under /saisie/."""

from django.urls import path

from returns import views

app_name = "keying"
urlpatterns = [
    path("", views.home, name="home"),
    path("campagne/<int:campaign>/", views.work, name="work"),
    path("campagne/<int:campaign>/annuler/", views.undo, name="undo"),
    path("champ/<int:pk>/", views.enter, name="enter"),
    path("champ/<int:pk>/superviseur/", views.refer, name="refer"),
    path("champ/<int:pk>/image.png", views.crop, name="crop"),
    path("champ/<int:pk>/page.png", views.page, name="page"),
]
