"""Addresses."""

from django.urls import URLPattern

app_name = "keying"
urlpatterns: list[URLPattern] = []
