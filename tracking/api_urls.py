"""Addresses of the read API."""

from django.urls import path

from tracking import api

app_name = "api"
urlpatterns = [
    path("v1/schema/", api.Schema.as_view(), name="schema"),
    path("v1/campaigns/", api.CampaignList.as_view(), name="campaigns"),
    path("v1/campaigns/<int:pk>/", api.CampaignDetail.as_view(), name="campaign"),
    path("v1/campaigns/<int:pk>/counters/", api.CampaignCounters.as_view(), name="counters"),
    path("v1/campaigns/<int:pk>/curve/", api.CampaignCurve.as_view(), name="curve"),
    path("v1/campaigns/<int:pk>/agencies/", api.CampaignAgencies.as_view(), name="agencies"),
    path("v1/campaigns/<int:pk>/cases/", api.CaseList.as_view(), name="cases"),
    path("v1/cases/<slug:reference>/", api.CaseDetail.as_view(), name="case"),
]
