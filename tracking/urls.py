"""Addresses of the landlord's window. A case is named by its reference, never by a number that can be counted up."""

from django.urls import path

from tracking import views

app_name = "tracking"
urlpatterns = [
    path("", views.home, name="home"),
    path("definitions/", views.definitions, name="definitions"),
    path("<int:pk>/", views.campaign, name="campaign"),
    path("<int:pk>/dossiers/", views.cases, name="cases"),
    path("<int:pk>/dossiers.csv", views.export, name="export"),
    path("<int:pk>/lecture/", views.reading, name="reading"),
    path("lot/<int:pk>.csv", views.lot, name="lot"),
    path("lot/<int:pk>.pdf", views.lot_document, name="lot_document"),
    path("dossier/<slug:reference>/", views.case, name="case"),
    path("dossier/<slug:reference>/lectures/", views.readings, name="readings"),
    path("dossier/<slug:reference>/page/<int:pk>.png", views.page_image, name="page_image"),
    path("dossier/<slug:reference>/piece/<int:pk>/", views.document, name="document"),
    path("dossier/<slug:reference>/piece/<int:pk>/image.png", views.document_image, name="document_image"),
]
