"""Forms built from the questionnaire: one widget by type of question, one judge of values (`questionnaire.values`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from campaigns.questionnaire import values
from campaigns.questionnaire.conditions import Context, holds
from campaigns.questionnaire.schema import Field, FieldType

LONG_TEXT = 120  # signs from which a text deserves several lines
NO_BREAK = "\u00a0"
MOST_BUTTONS = 5  # choices from which a list takes less of a phone's screen than buttons
ASK = "Répondez à cette question : nous avons besoin de cette information."
ASK_CHOICE = "Choisissez une réponse."
ASK_DATE = "Indiquez cette date : jour, mois, année."
ASK_AMOUNT = "Indiquez le montant, en euros. Écrivez 0 s'il n'y en a pas."
IF_SURE = "Si elle est exacte, validez à nouveau."
NOTHING_KNOWN: Mapping[str, values.Since] = MappingProxyType({})
DATE_PARTS = (("day", "Jour", 2), ("month", "Mois", 2), ("year", "Année", 4))


class DateParts(forms.Widget):
    """A date in three short boxes, as people say it. Reads and writes the text « day/month/year »."""

    use_fieldset = True

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> str:
        """The three boxes as one text; '' when all are empty."""
        parts = [str(data.get(f"{name}_{part}", "")).strip() for part, _, _ in DATE_PARTS]
        return "/".join(parts) if any(parts) else ""

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        """Whether none of the boxes was on the page."""
        return not any(f"{name}_{part}" in data for part, _, _ in DATE_PARTS)

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        """The boxes, each with its label."""
        told = [*str(value or "").split("/"), "", "", ""][:3]
        boxes = [
            {"name": f"{name}_{part}", "label": label, "size": size, "value": written}
            for (part, label, size), written in zip(DATE_PARTS, told, strict=True)
        ]
        attributes = attrs or {}
        context = {"id": attributes.get("id", f"id_{name}"), "boxes": boxes, "invalid": "aria-invalid" in attributes}
        return mark_safe(render_to_string("portal/widgets/date.html", context))  # noqa: S308 - our own template

    def id_for_label(self, id_: str) -> str:
        """The group has a legend, not a label."""
        return ""


def spaced(text: str) -> str:
    """The text with the no-break spaces that French puts inside its quotes and before its double signs."""
    return re.sub(r"(?<=«) | (?=[»:;!?%])", NO_BREAK, text)


def _line(**attributes: Any) -> Callable[[Field], forms.Widget]:
    return lambda question: forms.TextInput(attrs={"autocomplete": "off", **attributes})


def _text(question: Field) -> forms.Widget:
    if question.size > LONG_TEXT:
        return forms.Textarea(attrs={"rows": 4, "maxlength": question.size})
    return forms.TextInput(attrs={"autocomplete": "off"})


def _digits(question: Field) -> forms.Widget:
    """No `maxlength`: a pasted number keeps its spaces."""
    return forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "spellcheck": "false"})


def _yes_no(question: Field) -> forms.Widget:
    return forms.RadioSelect(choices=[("oui", "Oui"), ("non", "Non")])


def _choice(question: Field) -> forms.Widget:
    proposed = [(choice.value, choice.label) for choice in question.choices]
    if len(proposed) > MOST_BUTTONS:
        return forms.Select(choices=[("", "Choisissez…"), *proposed])
    return forms.RadioSelect(choices=proposed)


def _tick(question: Field) -> forms.Widget:
    return forms.CheckboxInput()


# How each type of question is asked on a screen.
WIDGETS: Mapping[FieldType, Callable[[Field], forms.Widget]] = MappingProxyType(
    {
        FieldType.TEXT: _text,
        FieldType.NAME: _line(autocapitalize="words", spellcheck="false"),
        FieldType.EMAIL: lambda question: forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
        FieldType.PHONE: lambda question: forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
        FieldType.DIGITS: _digits,
        FieldType.INTEGER: _line(inputmode="numeric"),
        FieldType.MONEY: _line(inputmode="decimal"),
        FieldType.DATE: lambda question: DateParts(),
        FieldType.TICK: _tick,
        FieldType.YES_NO: _yes_no,
        FieldType.CHOICE: _choice,
        FieldType.SIGNATURE: _tick,
    }
)
BOXES = frozenset({FieldType.TICK, FieldType.SIGNATURE})
ASKED = {
    FieldType.DATE: ASK_DATE,
    FieldType.MONEY: ASK_AMOUNT,
    FieldType.YES_NO: ASK_CHOICE,
    FieldType.CHOICE: ASK_CHOICE,
}


class AnswerField(forms.Field):
    """One question. Cleaning gives the canonical value, None for nothing, or the questionnaire's own sentence."""

    def __init__(self, *, question: Field, wanted: bool, today: dt.date) -> None:
        super().__init__(
            required=False,
            label=spaced(question.label),
            help_text=spaced(question.hint),
            widget=WIDGETS[question.type](question),
        )
        self.question = question
        self.wanted = wanted
        self.today = today

    def clean(self, value: Any) -> values.Value | None:
        """What was written, as an answer. Raises ValidationError."""
        if self.question.type in BOXES:
            found: values.Value | None = True if value else None
        else:
            found = self._read(str(value or "").replace("\x00", ""))
        if found is None and self.wanted:
            raise ValidationError(ASKED.get(self.question.type, ASK), code="required")
        return found

    def _read(self, text: str) -> values.Value | None:
        try:
            found = values.parse_text(self.question, text, self.today)
        except values.FieldValueError as error:
            raise ValidationError(str(error), code="invalid") from error
        problem = values.problem(self.question, found, self.today)
        if problem:
            raise ValidationError(problem, code="invalid")
        return found


def as_written(question: Field, value: Any) -> Any:
    """What the widget shows of an answer."""
    if value is None:
        return False if question.type in BOXES else ""
    if question.type in BOXES:
        return value is True
    if question.type is FieldType.YES_NO:
        return "oui" if value else "non"
    if question.type is FieldType.CHOICE:
        return value
    return values.show(question, value).removesuffix("€").rstrip()


def is_wanted(question: Field, seen: Context) -> bool:
    """Whether an answer must be given, seen from that row."""
    return question.required or (question.required_if is not None and holds(question.required_if, seen))


def name_of(question: Field) -> str:
    """What the field is called in the page."""
    return question.key.replace(".", "-")


class QuestionForm(forms.Form):
    """A page of questions at one row; a `free` one lets any of them wait. `since`: by key, what is known of a date."""

    use_required_attribute = False

    def __init__(
        self,
        questions: Sequence[Field],
        *,
        seen: Context,
        today: dt.date,
        data: Mapping[str, Any] | None = None,
        prefix: str | None = None,
        free: bool = False,
        since: Mapping[str, values.Since] = NOTHING_KNOWN,
    ) -> None:
        super().__init__(data=data, prefix=prefix)
        self.questions = tuple(questions)
        self.seen = seen
        self.since = since
        for question in questions:
            wanted = not free and is_wanted(question, seen)
            self.fields[name_of(question)] = AnswerField(question=question, wanted=wanted, today=today)
            self.initial[name_of(question)] = as_written(question, seen.value(question.key))
            if question.key in since:
                self.fields[f"{name_of(question)}-sure"] = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """A date before what is known of the household is asked about once: what is sent again is believed."""
        told = super().clean() or self.cleaned_data
        for question in self.questions:
            name, day = name_of(question), told.get(name_of(question))
            odd = values.too_early(day, self.since.get(question.key))
            if odd and told.get(f"{name}-sure") != day:
                self.data = {**dict(self.data.items()), self.add_prefix(f"{name}-sure"): day}
                self.add_error(name, spaced(f"{odd} {IF_SURE}"))
        return told

    @property
    def answers(self) -> dict[str, Any]:
        """The answers by field key, once valid; a box unticked that was known as ticked is a no."""
        told = {question.key: self.cleaned_data[name_of(question)] for question in self.questions}
        for question in self.questions:
            if question.type in BOXES and told[question.key] is None and self.seen.prefilled(question.key) is True:
                told[question.key] = False
        return told

    def shows(self, question: Field) -> bool:
        """Whether that question is on this page."""
        return name_of(question) in self.fields


class EntranceForm(forms.Form):
    """The pair printed on the letter. Judged by `tenants.access_codes`, whose words are shown as they are."""

    use_required_attribute = False
    reference = forms.CharField(
        label="Numéro de dossier",
        help_text=spaced("8 lettres et chiffres, sur votre courrier : « Identifiant »."),
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "username", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    code = forms.CharField(
        label="Code d'accès",
        help_text=spaced("12 lettres et chiffres, avec ou sans tirets."),
        required=False,
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class HonourForm(forms.Form):
    """The declaration that stands for a signature."""

    use_required_attribute = False
    honour = forms.BooleanField(
        label="Je certifie sur l'honneur que ces renseignements sont exacts et complets.",
        required=False,
        widget=forms.CheckboxInput(),
    )
    submission = forms.CharField(required=False, widget=forms.HiddenInput())

    def clean_honour(self) -> bool:
        """Ticked, or the sentence that asks for it."""
        if not self.cleaned_data.get("honour"):
            raise ValidationError("Cochez cette case pour pouvoir envoyer : elle remplace votre signature.")
        return True
