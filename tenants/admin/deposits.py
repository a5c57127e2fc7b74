"""A deposit on its page: what it changes, who is left out and why, what is wrong in it; then the decision about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns.admin_site import RecordAdmin, actor_of, attached
from tenants import importing, tasks
from tenants.importing.departures import already_told
from tenants.importing.kinds import label_of
from tenants.models import ImportAnomaly, ImportChange, ImportFile

PER_PAGE = 50
# A file larger than this (bytes; some ten thousand households) is imported by the queue, not by the page.
BY_THE_QUEUE = 20_000_000
Kind = ImportChange.Kind


@dataclass(frozen=True, slots=True)
class Sort:
    """Anomalies of one kind: how many, how serious, an example; `url` lists them all."""

    kind: str
    label: str
    severity: str
    severity_label: str
    count: int
    example: str
    url: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, and the addresses of its neighbours."""

    page: Page[Any]
    previous: str
    next: str


@admin.register(ImportFile)
class ImportFileAdmin(RecordAdmin):
    """What the landlords dropped."""

    list_display = ("name", "campaign", "kind", "state", "households", "refused", "anomalies", "received_at")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter), "kind", "state")
    list_select_related = ("campaign__landlord",)
    ordering = ("-received_at", "-pk")
    fields = ("campaign", "explanation", ("received_at", "imported_at", "accepted_by"), ("size", "sha256"))
    readonly_fields = ("campaign", "explanation", "received_at", "imported_at", "accepted_by", "size", "sha256")
    change_form_template = "admin/deposit.html"

    @admin.display(description="anomalies")
    def anomalies(self, deposit: ImportFile) -> int:
        """How many things were wrong in it."""
        kinds = deposit.report.get("kinds")
        return deposit.anomalies.count() if kinds is None else sum(kinds.values())

    def get_urls(self) -> list[URLPattern]:
        """The file, its lists as pages and CSV, and the buttons."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/fichier/", view(self.file), name="deposit_file"),
            path("<int:pk>/anomalies.csv", view(self.anomalies_file), name="deposit_anomalies"),
            path("<int:pk>/changements/", view(self.changes), name="deposit_changes"),
            path("<int:pk>/changements.csv", view(self.changes_file), name="deposit_changes_file"),
            path("<int:pk>/examiner/", view(require_POST(self.examine)), name="deposit_examine"),
            path("<int:pk>/renumeroter/", view(require_POST(self.renumber)), name="deposit_renumber"),
            path("<int:pk>/importer/", view(require_POST(self.process)), name="deposit_process"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """The deposit with its report and one page of its anomalies."""
        deposit = self.get_object(request, object_id)
        shown = _shown(deposit, request) if deposit is not None else {}
        return super().change_view(request, object_id, form_url, {**shown, **(extra_context or {})})

    def changes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What it changes, household by household; for those who left, what they had been sent."""
        deposit = _deposit(pk)
        counts = dict(deposit.changes.values_list("kind").annotate(Count("pk")).order_by())
        kind = request.GET.get("nature", "")
        kind = kind if kind in counts else next(iter(sorted(counts)), "")
        listing = _listing(deposit.changes.filter(kind=kind).order_by("line", "pk"), request)
        told = already_told(listing.page.object_list)
        context = {
            **self.admin_site.each_context(request),
            "title": "Ce que change ce dépôt",
            "deposit": deposit,
            "campaign": deposit.campaign,
            "tabs": [(value, label, counts[value]) for value, label in Kind.choices if value in counts],
            "kind": kind,
            "changes": [(each, told.get(each.household_id or 0, [])) for each in listing.page.object_list],
            "departures": kind == Kind.DEPARTURE,
            "renumbered": _renumbered(deposit).count() if kind == Kind.DEPARTURE else 0,
            "listing": listing,
        }
        return TemplateResponse(request, "admin/deposit_changes.html", context)

    def file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The content, as it was received."""
        deposit = _deposit(pk)
        return attached(deposit.content, deposit.name, "application/octet-stream")  # type: ignore[return-value]

    def anomalies_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All the anomalies, for the landlord."""
        deposit = _deposit(pk)
        text = importing.anomalies_csv(deposit.anomalies.order_by("line", "pk").iterator())
        headers = {"Content-Disposition": f'attachment; filename="anomalies-{deposit.pk}.csv"'}
        return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)

    def changes_file(self, request: HttpRequest, pk: int) -> StreamingHttpResponse:
        """All the changes, for the landlord."""
        deposit = _deposit(pk)
        headers = {"Content-Disposition": f'attachment; filename="changements-{deposit.pk}.csv"'}
        lines = importing.changes_csv(deposit.changes.order_by("kind", "line", "pk"))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def examine(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it and say what it would change, without changing anything."""
        deposit = _deposit(pk)
        try:
            report = importing.examine_households(deposit=deposit, now=timezone.now())
        except importing.UnableToImport as error:
            messages.error(request, str(error))
        else:
            (messages.error if report.refused else messages.success)(request, report.sentence)
        return redirect("admin:tenants_importfile_change", pk)

    def renumber(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep the case of a household that has only changed reference, or of all those that seem to have."""
        deposit = _deposit(pk)
        chosen = _renumbered(deposit)
        if request.POST.get("change", "").isdecimal():
            chosen = chosen.filter(pk=request.POST["change"])
        try:
            told = importing.keep_renumbered(
                deposit=deposit, changes=list(chosen), now=timezone.now(), actor=actor_of(request)
            )
        except (importing.UnableToRenumber, importing.UnableToImport) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, told)
        return redirect("admin:deposit_changes", pk)

    def process(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put the deposit to use, accept what it changes, or try again."""
        deposit = _deposit(pk)
        if deposit.size > BY_THE_QUEUE:
            tasks.put_deposit_to_use.delay(deposit.pk, actor_of(request).pk)
            messages.success(request, "L’import est lancé : rechargez cette page dans quelques minutes.")
            return redirect("admin:tenants_importfile_change", pk)
        try:
            told = importing.put_to_use(deposit=deposit, now=timezone.now(), actor=actor_of(request))
        except importing.UnableToImport as error:
            messages.error(request, str(error))
        else:
            refused = deposit.state in {ImportFile.State.REFUSED, ImportFile.State.RECEIVED}
            (messages.error if refused else messages.success)(request, told)
        return redirect("admin:tenants_importfile_change", pk)


def _renumbered(deposit: ImportFile) -> QuerySet[ImportChange]:
    """The departures that seem to be the same household under another reference; none once it is decided."""
    waiting = deposit.changes.filter(kind=Kind.DEPARTURE, deposit__state=ImportFile.State.EXAMINED)
    return waiting.exclude(renumbered_as="").order_by("pk")


def _deposit(pk: int) -> ImportFile:
    return get_object_or_404(ImportFile.objects.select_related("campaign__landlord"), pk=pk)


# ── What a deposit's page shows ──────────────────────────────────────────────────────────────────────────────────────


def _shown(deposit: ImportFile, request: HttpRequest) -> dict[str, Any]:
    report = deposit.report
    anomalies = deposit.anomalies.order_by("line", "pk")
    kind, sought = request.GET.get("nature", ""), request.GET.get("locataire", "").strip()
    if kind:
        anomalies = anomalies.filter(kind=kind)
    if sought:
        anomalies = anomalies.filter(tenant_reference__startswith=sought)
    examined = deposit.state == ImportFile.State.EXAMINED
    households = deposit.kind == ImportFile.Kind.HOUSEHOLDS
    return {
        "deposit": deposit,
        "waiting": examined,
        "may_examine": households and deposit.state != ImportFile.State.IMPORTED,
        "corrects": households and not examined and deposit.campaign.households.exists(),
        "figures": _figures(deposit, report),
        "exclusions": sorted(report.get("exclusions", {}).items(), key=lambda each: -each[1]),
        "sorts": _sorts(deposit),
        "kind": kind,
        "kind_label": label_of(kind) if kind else "",
        "sought": sought,
        "listing": _listing(anomalies, request),
    }


def _figures(deposit: ImportFile, report: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Label, number, address of the list behind it ('' when there is none)."""
    if not report:
        return []
    url = reverse("admin:deposit_changes", args=[deposit.pk])
    listed = set(deposit.changes.values_list("kind", flat=True).distinct())

    def figure(label: str, name: str, kind: str = "") -> tuple[str, int, str]:
        return label, report.get(name, 0), f"{url}?nature={kind}" if kind in listed else ""

    told = [
        figure("nouveaux ménages", "created", Kind.ARRIVAL),
        figure("départs", "absent", Kind.DEPARTURE),
        figure("sans doute renumérotés", "renumbered", Kind.DEPARTURE),
        figure("retours", "returned", Kind.RETURN),
        figure("corrections", "corrected", Kind.CORRECTION),
        figure("déjà servis", "kept", Kind.CORRECTION),
        figure("sans changement", "unchanged"),
        figure("laissés de côté", "left_out"),
        figure("hors enquête", "exempt"),
    ]
    return [each for each in told if each[1] or each[0] in {"nouveaux ménages", "laissés de côté"}]


def _sorts(deposit: ImportFile) -> list[Sort]:
    """The anomalies by kind, the most serious first, with one example each."""
    kinds = deposit.anomalies.order_by().values_list("kind", "severity").annotate(Count("pk"), Min("pk"))
    rows = list(kinds)
    examples = ImportAnomaly.objects.in_bulk([first for *_, first in rows])
    order = list(ImportAnomaly.Severity.values)
    rows.sort(key=lambda row: (order.index(row[1]), -row[2]))
    severities = dict(ImportAnomaly.Severity.choices)
    return [
        Sort(
            kind=kind,
            label=label_of(kind),
            severity=severity,
            severity_label=str(severities[severity]),
            count=count,
            example=examples[first].message,
            url=f"?{urlencode({'nature': kind})}#anomalies",
        )
        for kind, severity, count, first in rows
    ]


def _listing(rows: QuerySet[Any], request: HttpRequest) -> Listing:
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    query = {name: value for name, value in request.GET.items() if name != "page"}

    def address(number: int) -> str:
        return f"?{urlencode({**query, 'page': number})}"

    return Listing(
        page=page,
        previous=address(page.number - 1) if page.has_previous() else "",
        next=address(page.number + 1) if page.has_next() else "",
    )
