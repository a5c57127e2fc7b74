"""Addresses of a landlord's look and of its proofs."""

from django.urls import path

from campaigns import views

urlpatterns = [
    path("<slug:code>/style.css", views.landlord_style, name="landlord_style"),
    path("<slug:code>/logo.png", views.landlord_logo, name="landlord_logo"),
    path("bat/<int:pk>/", views.proof, name="proof"),
    path("bat/<int:pk>/epreuve.pdf", views.proof_document, name="proof_document"),
    path("bat/<int:pk>/page-<int:number>.png", views.proof_page, name="proof_page"),
]
