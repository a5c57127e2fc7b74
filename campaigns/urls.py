"""Addresses of a landlord's look and of its proofs."""

from django.urls import path

from campaigns import views

urlpatterns = [
    path("<slug:code>/style.css", views.landlord_style, name="landlord_style"),
    path("<slug:code>/logo.png", views.landlord_logo, name="landlord_logo"),
    path("bat/<int:pk>/", views.proof, name="proof"),
    path("bat/<int:pk>/remarque/", views.proof_remark, name="proof_remark"),
    path("bat/<int:pk>/comparer/", views.proof_comparison, name="proof_comparison"),
    path("bat/<int:pk>/comparer/page-<int:number>.png", views.proof_difference, name="proof_difference"),
    path("bat/<int:pk>/epreuve.pdf", views.proof_document, name="proof_document"),
    path("bat/<int:pk>/page-<int:number>.png", views.proof_page, name="proof_page"),
]
