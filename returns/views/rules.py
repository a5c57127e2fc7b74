"""The page of a campaign's règles de gestion: encode, check, try on the campaign's households, confirm what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import number_format

from campaigns.admin_site import (
    CURRENT,
    DONE,
    TROUBLE,
    WAITING,
    Figure,
    Link,
    Panel,
    RecordAdmin,
    Step,
    actor_of,
    attached,
)
from campaigns.models import Campaign, LandlordRule, RuleVersion
from campaigns.questionnaire.schema import Questionnaire, Rule
from campaigns.rule_document import DocumentLine, UnableToRead, keep_document, table_of
from campaigns.rule_encoding import (
    RuleProblem,
    UnableToEncode,
    decide_line,
    encode_rule,
    line_decisions,
    own_rules,
    problems_of,
    rule_from,
    rule_from_line,
    switch_library_rule,
    withdraw_rule,
)
from returns import tasks
from returns.confirming import UnableToConfirm, confirm, refuse, to_confirm
from returns.models import Finding, RuleTrial
from returns.rules import whole_trials
from returns.rules.trial import try_rule
from returns.views.rule_book import EXAMPLES, RuleBook, lines_to_do, rule_book

REFUSALS = (UnableToEncode, UnableToRead)


@admin.register(LandlordRule)
class LandlordRuleAdmin(RecordAdmin):
    """The landlords' own rules; each campaign's are encoded on its page."""

    list_display = ("code", "campaign")
    list_filter = (("campaign", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("campaign__landlord",)
    ordering = ("campaign", "code")
    fields = ("campaign", "code")

    def get_urls(self) -> list[URLPattern]:
        """The page of a campaign, its document, and what waits for a person."""
        view = self.admin_site.admin_view
        own = [
            path("campagne/<int:pk>/", view(self.rules_page), name="rules_page"),
            path("campagne/<int:pk>/document/", view(self.document), name="rules_document"),
            path("campagne/<int:pk>/essai/<int:trial>/", view(self.trial_progress), name="rules_trial"),
            path("campagne/<int:pk>/a-confirmer/", view(self.confirmations), name="rules_confirmations"),
        ]
        return own + super().get_urls()

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """A rule is seen on its campaign's page."""
        rule = self.get_object(request, object_id)
        if rule is None:
            raise Http404("Cette règle n'existe pas.")
        return redirect(f"{reverse('admin:rules_page', args=[rule.campaign_id])}?code={rule.code}#editeur")

    def rules_page(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The rules of a campaign: seen, edited, tried, saved."""
        campaign = _campaign(pk)
        action = request.POST.get("action", "") if request.method == "POST" else ""
        if action == "try":
            return self._page(request, campaign, rule_from(request.POST), tried=True)
        if action == "try_all":
            return self._try_all(request, campaign)
        if action == "save":
            return self._save(request, campaign)
        if action:
            return self._act(request, campaign, action)
        return self._page(request, campaign)

    def trial_progress(self, request: HttpRequest, pk: int, trial: int) -> JsonResponse:
        """How far a trial on the whole campaign is, for the page that shows it."""
        found = get_object_or_404(RuleTrial, pk=trial, campaign=pk)
        told = {"value": found.examined, "max": found.total, "text": progress_of(found)}
        return JsonResponse({**told, "done": found.is_over(timezone.now())})

    def _try_all(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
        rule, form = rule_from(request.POST), rule_book(campaign).form
        if form is None or not _can_be_tried(problems_of(rule, form)):
            return self._page(request, campaign, rule, tried=True)
        trial = whole_trials.ask(campaign=campaign, rule=rule, actor=actor_of(request), now=timezone.now())
        transaction.on_commit(lambda: tasks.try_rule.delay(trial=trial.pk))
        query = urlencode({"essai": trial.pk} | {key: request.GET[key] for key in ("line",) if key in request.GET})
        return redirect(f"{_address(campaign)}?{query}#essai")

    def _save(self, request: HttpRequest, campaign: Campaign) -> HttpResponseBase:
        rule = rule_from(request.POST)
        try:
            version = encode_rule(campaign=campaign, rule=rule, actor=actor_of(request), now=timezone.now())
        except UnableToEncode as error:
            return self._page(request, campaign, rule, problems=error.problems)
        _note_line(request, campaign, rule.code)
        messages.success(request, f"La règle {rule.code} est enregistrée (version {version.number}).")
        return redirect(f"{_address(campaign)}#regles")

    def _act(self, request: HttpRequest, campaign: Campaign, action: str) -> HttpResponseBase:
        act = ACTIONS.get(action)
        if act is None:
            raise Http404("Cette action n'existe pas.")
        try:
            told, place = act(request, campaign)
        except REFUSALS as error:
            messages.error(request, str(error))
            place = "document" if action in ("line", "document") else "regles"
        else:
            messages.success(request, told)
        return redirect(f"{_address(campaign)}#{place}")

    def _page(
        self,
        request: HttpRequest,
        campaign: Campaign,
        rule: Rule | None = None,
        *,
        problems: tuple[RuleProblem, ...] = (),
        tried: bool = False,
    ) -> TemplateResponse:
        book = rule_book(campaign)
        source = next((each.line for each in book.lines if each.line.digest == request.GET.get("line")), None)
        whole = _whole_trial(request, campaign) if rule is None and book.form is not None else None
        rule = rule or (whole.definition if whole else _asked(request, campaign, source, book))
        trial = None
        if whole is not None and whole.state == RuleTrial.State.DONE and book.form is not None:
            trial = whole_trials.told(whole, book.form)
        if tried and rule is not None and book.form is not None:
            problems = tuple(problems_of(rule, book.form))
            if _can_be_tried(problems):
                trial = try_rule(campaign=campaign, rule=rule, form=book.form)
                problems = ()
        context = {
            **self.admin_site.each_context(request),
            "title": f"Règles de gestion · {campaign}",
            "campaign": campaign,
            "book": book,
            "rule": rule,
            "source": source,
            "problems": {each.entry: each for each in problems},
            "trial": trial,
            "whole": whole,
            "whole_text": progress_of(whole) if whole else "",
            "whole_silent": whole is not None and whole.is_silent(timezone.now()),
            "fields": _fields(book.form),
            "requirements": RuleVersion.Required.choices,
            "severities": RuleVersion.Gravity.choices,
            "examples": EXAMPLES,
            "codes": sorted({each.rule.code for each in book.model} | {each.version.rule.code for each in book.rules}),
            "document_name": PurePosixPath(campaign.rules_document.name or "").name,
            "waiting": to_confirm(campaign).count(),
        }
        return TemplateResponse(request, "admin/rules.html", context)

    def document(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The landlord's own document, as it was given."""
        stored = _campaign(pk).rules_document
        name = PurePosixPath(stored.name or "regles").name
        return attached(stored, name, "application/octet-stream")  # type: ignore[return-value]

    def confirmations(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What waits for one of our people, and their decision."""
        campaign = _campaign(pk)
        if request.method == "POST":
            finding = get_object_or_404(Finding, pk=request.POST.get("finding"), case__campaign=campaign)
            decide = refuse if request.POST.get("decision") == "refuse" else confirm
            try:
                comment = request.POST.get("comment", "")
                decide(finding=finding, actor=actor_of(request), now=timezone.now(), comment=comment)
            except UnableToConfirm as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"Votre décision sur la règle {finding.rule} est notée au dossier.")
            return redirect("admin:rules_confirmations", pk)
        waiting = to_confirm(campaign)
        labels = {each.rule.code: each.label for each in own_rules(campaign)}
        context = {
            **self.admin_site.each_context(request),
            "title": f"Règles à confirmer · {campaign}",
            "campaign": campaign,
            "count": waiting.count(),
            "findings": [(each, labels.get(each.rule, "")) for each in waiting[: self.list_per_page]],
        }
        return TemplateResponse(request, "admin/rules_to_confirm.html", context)


# ── Actions of the page ──────────────────────────────────────────────────────────────────────────────────────────────


def _withdraw(request: HttpRequest, campaign: Campaign) -> tuple[str, str]:
    code = request.POST.get("code", "")
    withdraw_rule(campaign=campaign, code=code, actor=actor_of(request), now=timezone.now())
    return f"La règle {code} est retirée ; son historique reste.", "regles"


def _switch(request: HttpRequest, campaign: Campaign) -> tuple[str, str]:
    code, on = request.POST.get("code", ""), request.POST.get("on") == "yes"
    switch_library_rule(campaign=campaign, code=code, on=on, actor=actor_of(request), now=timezone.now())
    return f"La règle {code} du modèle est {'reprise' if on else 'écartée'} pour cette campagne.", "modele"


def _decide_line(request: HttpRequest, campaign: Campaign) -> tuple[str, str]:
    table = table_of(campaign)
    wanted = request.POST.get("digest")
    line = next((each for each in table.lines if each.digest == wanted), None) if table else None
    if line is None:
        raise UnableToRead("Cette ligne n'est plus dans le document : rechargez la page.")
    codes = [code.strip().upper() for code in request.POST.get("codes", "").split(",") if code.strip()]
    reason = request.POST.get("reason", "")
    decide_line(campaign=campaign, line=line, codes=codes, reason=reason, actor=actor_of(request), now=timezone.now())
    return f"Ligne {line.number} : c'est noté.", "document"


def _note_line(request: HttpRequest, campaign: Campaign, code: str) -> None:
    """The line of the document from which a rule was begun is encoded by it, and by those that already did."""
    wanted = request.GET.get("line")
    table = table_of(campaign) if wanted else None
    for line in table.lines if table else ():
        if line.digest == wanted:
            known = line_decisions(campaign).get(line.digest)
            codes = [*(known.codes if known else []), code]
            decide_line(
                campaign=campaign, line=line, codes=codes, reason="", actor=actor_of(request), now=timezone.now()
            )
            return


def _keep_document(request: HttpRequest, campaign: Campaign) -> tuple[str, str]:
    uploaded = request.FILES.get("document")
    if uploaded is None or isinstance(uploaded, list):
        raise UnableToRead("Choisissez un fichier : CSV, XLSX, PDF ou DOCX.")
    name = uploaded.name or ""
    keep_document(campaign=campaign, name=name, content=uploaded.read(), actor=actor_of(request))
    return f"« {name} » est gardé avec la campagne.", "document"


ACTIONS: Mapping[str, Callable[[HttpRequest, Campaign], tuple[str, str]]] = {
    "withdraw": _withdraw,
    "switch": _switch,
    "line": _decide_line,
    "document": _keep_document,
}


def _campaign(pk: int) -> Campaign:
    return get_object_or_404(Campaign.objects.select_related("landlord"), pk=pk)


def _address(campaign: Campaign) -> str:
    return reverse("admin:rules_page", args=[campaign.pk])


def _can_be_tried(problems: Iterable[RuleProblem]) -> bool:
    """Whether nothing is wrong with what the trial needs."""
    return not any(each.entry in ("expression", "field_key", "document_key") for each in problems)


def _whole_trial(request: HttpRequest, campaign: Campaign) -> RuleTrial | None:
    """The trial on the whole campaign that the page is asked for."""
    asked = request.GET.get("essai", "")
    trials = RuleTrial.objects.select_related("campaign__landlord").filter(campaign=campaign)
    return trials.filter(pk=asked).first() if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def progress_of(trial: RuleTrial) -> str:
    """How far a trial is, in French."""
    return f"{_number(trial.examined)} sur {_number(trial.total)} foyers"


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)


def _asked(request: HttpRequest, campaign: Campaign, source: DocumentLine | None, book: RuleBook) -> Rule | None:
    """The rule to edit: one of the landlord's own, or one begun from a line of its document."""
    code = request.GET.get("code", "")
    found = next((each.definition for each in own_rules(campaign) if each.rule.code == code), None)
    return found or (rule_from_line(source, book.headings) if source else None)


def _fields(form: Questionnaire | None) -> list[tuple[str, list[tuple[str, str]]]]:
    """The questions by section, to choose from."""
    if form is None:
        return []
    return [(section.title, [(field.key, field.name) for field in section.fields]) for section in form.sections]


# ── The step of the campaign page ────────────────────────────────────────────────────────────────────────────────────


def describe_rules(campaign: Campaign) -> Panel:
    """The landlord's rules: encoded, lines left to encode, decisions that wait."""
    url = _address(campaign)
    own, waiting = len(own_rules(campaign)), to_confirm(campaign).count()
    try:
        left = lines_to_do(campaign)
    except ValueError:  # the landlord's differences can't be applied: said on the page
        left = 0
    figures = [Figure("règles encodées", own, f"{url}#regles"), Figure("lignes à traiter", left, f"{url}#document")]
    links = [Link("Règles de gestion", url)]
    if waiting:
        figures.append(Figure("à confirmer", waiting, reverse("admin:rules_confirmations", args=[campaign.pk])))
        links.append(Link("Confirmer", reverse("admin:rules_confirmations", args=[campaign.pk])))
        return Panel(TROUBLE, "Des dossiers attendent votre avis.", figures, links)
    if not campaign.rules_document:
        return Panel(DONE if own else WAITING, "Le bailleur n'a pas déposé de règles de gestion.", figures, links)
    note = "Chaque ligne du document du bailleur est encodée ou sans objet." if not left else ""
    return Panel(CURRENT if left else DONE, note, figures, links)


RULES = Step(key="regles", order=18, title="Règles de gestion", describe=describe_rules)
