"""Addresses of a landlord's look."""

from django.urls import path

from campaigns import views

urlpatterns = [
    path("<slug:code>/style.css", views.landlord_style, name="landlord_style"),
    path("<slug:code>/logo.png", views.landlord_logo, name="landlord_logo"),
]
