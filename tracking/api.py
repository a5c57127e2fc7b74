"""The same figures and cases for a landlord's own tools: read-only, in its scope, without incomes or tax numbers."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.decorators import method_decorator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from drf_spectacular.views import SpectacularAPIView
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from campaigns.models import Campaign, User
from returns.completeness import missing_items
from returns.models import SupportingDocument
from tenants.case_states import State
from tenants.models import SurveyCase
from tracking import case_list, figures
from tracking.access import campaign_or_404, campaigns_of, case_or_404, may_follow, read_only

PARAMETERS = [
    OpenApiParameter("q", OpenApiTypes.STR, description="Nom, numéro de dossier, référence du locataire ou commune."),
    OpenApiParameter("groupe", OpenApiTypes.STR, enum=list(case_list.GROUPS), description="Compteur."),
    OpenApiParameter("etat", OpenApiTypes.STR, enum=[state.value for state in State], description="État."),
    OpenApiParameter("agence", OpenApiTypes.STR, description="Code d'agence, « - » pour les dossiers sans agence."),
    OpenApiParameter("canal", OpenApiTypes.STR, enum=SurveyCase.Channel.values, description="Canal de réponse."),
]


class MayFollow(BasePermission):
    """Those who see the tracking's screens."""

    message = "Connectez-vous avec un compte bailleur, chargé d'affaires ou conseiller."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the person follows campaigns."""
        return may_follow(request.user)


class CampaignSerializer(serializers.ModelSerializer[Campaign]):
    """A campaign."""

    landlord = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)

    class Meta:
        model = Campaign
        fields: ClassVar = [
            "id", "landlord", "survey", "year", "stage", "rehearsal", "opens_on", "reply_by", "closes_on",
        ]  # fmt: skip


class CountersSerializer(serializers.Serializer[figures.Counters]):
    """The three counters; they always add up to `surveyed`. Rates are shares from 0 to 1, null without any case."""

    surveyed = serializers.IntegerField()
    processed = serializers.IntegerField()
    in_progress = serializers.IntegerField()
    not_received = serializers.IntegerField()
    out_of_scope = serializers.IntegerField()
    answered = serializers.IntegerField()
    return_rate = serializers.FloatField(allow_null=True)
    completion_rate = serializers.FloatField(allow_null=True)


class CurvePointSerializer(serializers.Serializer[figures.CurvePoint]):
    """First answers of one day."""

    day = serializers.DateField()
    paper = serializers.IntegerField()
    online = serializers.IntegerField()
    phone = serializers.IntegerField()
    cumulated = serializers.IntegerField()


class AgencySerializer(serializers.Serializer[figures.AgencyLine]):
    """The counters of one agency."""

    code = serializers.CharField()
    name = serializers.CharField()
    counters = CountersSerializer()


class CaseSerializer(serializers.ModelSerializer[SurveyCase]):
    """A case, as a line of the list."""

    tenant_reference = serializers.CharField(source="household.tenant_reference")
    lease_reference = serializers.CharField(source="household.lease_reference")
    dwelling = serializers.CharField(source="household.dwelling.reference")
    agency = serializers.CharField(source="household.dwelling.agency")

    class Meta:
        model = SurveyCase
        fields: ClassVar = [
            "reference", "tenant_reference", "lease_reference", "dwelling", "agency", "state", "scope", "channel",
            "sent_at", "received_at", "completed_at", "formal_notice_at", "late",
        ]  # fmt: skip


class PieceSerializer(serializers.ModelSerializer[SupportingDocument]):
    """A piece that came: its nature and what became of it (received, accepted, refused), never what it says."""

    state = serializers.CharField()

    class Meta:
        model = SupportingDocument
        fields: ClassVar = ["kind", "row", "state", "received_at"]


class MissingSerializer(serializers.Serializer[Any]):
    """Something that keeps the case incomplete."""

    rule = serializers.CharField()
    field = serializers.CharField()
    document = serializers.CharField()
    row = serializers.IntegerField()
    message = serializers.CharField()


class CaseDetailSerializer(CaseSerializer):
    """A case with what is missing and the pieces that came."""

    missing = serializers.SerializerMethodField()
    documents = PieceSerializer(many=True)

    class Meta(CaseSerializer.Meta):
        fields: ClassVar = [*CaseSerializer.Meta.fields, "missing", "documents"]

    @extend_schema_field(MissingSerializer(many=True))
    def get_missing(self, case: SurveyCase) -> Any:
        """What keeps an answered case incomplete."""
        answered = State(case.state) in {State.RECEIVED, State.INCOMPLETE}
        return MissingSerializer(missing_items(case) if answered else [], many=True).data


@method_decorator(read_only, name="dispatch")
class Reading(GenericAPIView[Any]):
    """What every address of the API shares: who may read, and that nothing is written."""

    permission_classes = [MayFollow]

    @property
    def user(self) -> User:
        """The signed-in person."""
        assert isinstance(self.request.user, User)  # noqa: S101 - `read_only` has seen to it
        return self.request.user

    def campaign(self) -> Campaign:
        """The campaign that the address names, or 404."""
        return campaign_or_404(self.user, self.kwargs["pk"])


class CampaignList(ListModelMixin, Reading):
    """The campaigns, the newest first."""

    serializer_class = CampaignSerializer

    def get_queryset(self) -> Any:
        """Those of the person."""
        return campaigns_of(self.user).order_by("-opens_on", "-pk")

    def get(self, request: Request) -> Response:
        """One page of them."""
        return self.list(request)


class CampaignDetail(Reading):
    """One campaign."""

    serializer_class = CampaignSerializer

    def get(self, request: Request, pk: int) -> Response:
        """The campaign."""
        return Response(self.get_serializer(self.campaign()).data)


class CampaignCounters(Reading):
    """The three counters of a campaign."""

    serializer_class = CountersSerializer

    def get(self, request: Request, pk: int) -> Response:
        """The counters."""
        return Response(self.get_serializer(figures.counters(self.campaign())).data)


class CampaignCurve(Reading):
    """First answers day by day."""

    serializer_class = CurvePointSerializer
    pagination_class = None

    @extend_schema(responses=CurvePointSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The days with answers."""
        return Response(self.get_serializer(figures.curve(self.campaign()), many=True).data)


class CampaignAgencies(Reading):
    """The counters of each agency."""

    serializer_class = AgencySerializer
    pagination_class = None

    @extend_schema(responses=AgencySerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The agencies."""
        return Response(self.get_serializer(figures.by_agency(self.campaign()), many=True).data)


class CaseList(ListModelMixin, Reading):
    """The cases of a campaign, searched and narrowed as on screen."""

    serializer_class = CaseSerializer

    def get_queryset(self) -> Any:
        """Those looked for."""
        found = case_list.found(self.campaign(), case_list.Wanted.of(self.request.query_params))
        return found.select_related("household__dwelling")

    @extend_schema(parameters=PARAMETERS)
    def get(self, request: Request, pk: int) -> Response:
        """One page of them."""
        return self.list(request)


class CaseDetail(Reading):
    """One case."""

    serializer_class = CaseDetailSerializer

    def get(self, request: Request, reference: str) -> Response:
        """The case, what is missing, the pieces."""
        return Response(self.get_serializer(case_or_404(self.user, reference)).data)


@method_decorator(read_only, name="dispatch")
class Schema(SpectacularAPIView):
    """The description of this API (OpenAPI)."""

    permission_classes = [MayFollow]
