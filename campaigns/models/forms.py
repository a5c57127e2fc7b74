"""What is asked and how it looks: revisions of the questionnaire, their layouts, and the BAT that freezes them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from campaigns.models.campaigns import Campaign
from campaigns.models.people import User
from campaigns.paper_form.zones import FormLayout
from campaigns.questionnaire.parsing import parse
from campaigns.questionnaire.schema import Questionnaire
from campaigns.scope import LandlordManager, all_landlords


class FrozenRevision(Exception):
    """A revision approved by the landlord, or one of its layouts, was about to change."""

    def __init__(self) -> None:
        super().__init__("Cette révision est figée par un BAT approuvé : préparez une nouvelle révision.")


class RevisionQuerySet(models.QuerySet["QuestionnaireRevision"]):
    """Frozen rows change neither one by one nor together."""

    def frozen(self) -> RevisionQuerySet:
        """Those that a BAT approved."""
        return self.filter(frozen_at__isnull=False)

    def update(self, **kwargs: Any) -> int:
        """Refused when one of the rows is frozen."""
        if self.frozen().exists():
            raise FrozenRevision
        return super().update(**kwargs)


RevisionManager = LandlordManager.from_queryset(RevisionQuerySet)


class QuestionnaireRevision(models.Model):
    """The whole effective definition of a campaign's form. Frozen by the BAT, then immutable."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="revisions", verbose_name="campagne")
    number = models.PositiveIntegerField("numéro")
    definition = models.JSONField("définition")
    fingerprint = models.CharField("empreinte", max_length=64)
    created_at = models.DateTimeField("créée le", auto_now_add=True)
    frozen_at = models.DateTimeField("figée le", null=True, blank=True)
    code_tables = models.ManyToManyField(
        "campaigns.CodeTable", blank=True, related_name="revisions", verbose_name="tables de correspondance figées"
    )

    landlord_path = "campaign__landlord"
    objects = RevisionManager()

    class Meta:
        verbose_name = "révision du questionnaire"
        verbose_name_plural = "révisions du questionnaire"
        constraints: ClassVar = [models.UniqueConstraint(fields=["campaign", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"révision {self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, but a frozen revision is never written again. Raises FrozenRevision."""
        self._refuse_when_frozen()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """As usual, but a frozen revision stays. Raises FrozenRevision."""
        self._refuse_when_frozen()
        return super().delete(*args, **kwargs)

    def _refuse_when_frozen(self) -> None:
        with all_landlords():
            if self.pk and QuestionnaireRevision.objects.filter(pk=self.pk).frozen().exists():
                raise FrozenRevision

    @property
    def questionnaire(self) -> Questionnaire:
        """The definition as the readings want it."""
        return parse(self.definition)


class LayoutVariant(models.Model):
    """A revision laid on paper for a number of occupant rows, in ordinary or large print.

    The page code of every printed page names it.
    """

    revision = models.ForeignKey(
        QuestionnaireRevision, on_delete=models.CASCADE, related_name="layouts", verbose_name="révision"
    )
    rows = models.PositiveIntegerField("lignes d'occupants")
    large = models.BooleanField("gros caractères", default=False)
    fingerprint = models.CharField("empreinte", max_length=8, db_index=True)
    tables = models.JSONField("zones")

    landlord_path = "revision__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "maquette"
        verbose_name_plural = "maquettes"
        constraints: ClassVar = [models.UniqueConstraint(fields=["revision", "rows", "large"], name="layout_once")]

    def __str__(self) -> str:
        return f"maquette {self.fingerprint}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """As usual, but the layouts of a frozen revision are never written again. Raises FrozenRevision."""
        if self.revision.frozen_at is not None:
            raise FrozenRevision
        super().save(*args, **kwargs)

    @property
    def layout(self) -> FormLayout:
        """The layout itself."""
        return FormLayout.from_tables(self.tables)


class FormProof(models.Model):
    """A BAT: what the landlord saw, and its signature. `digest` covers definition, layouts, texts and rules."""

    class State(models.TextChoices):
        OPEN = "open", "à approuver"
        APPROVED = "approved", "approuvé"
        REFUSED = "refused", "refusé"
        REPLACED = "replaced", "remplacé"

    revision = models.ForeignKey(
        QuestionnaireRevision, on_delete=models.CASCADE, related_name="proofs", verbose_name="révision"
    )
    digest = models.CharField("empreinte SHA-256", max_length=64)
    document = models.FileField("épreuve", upload_to="proofs/")
    state = models.CharField("état", max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField("présenté le", auto_now_add=True)
    decided_at = models.DateTimeField("décidé le", null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, verbose_name="décidé par", related_name="+"
    )
    comment = models.TextField("commentaire", blank=True)
    covered = models.JSONField("textes couverts", default=dict, blank=True)
    contents = models.JSONField("sommaire", default=list, blank=True)

    landlord_path = "revision__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "BAT"
        verbose_name_plural = "BAT"

    def __str__(self) -> str:
        return f"BAT {self.digest[:8]}"


class ProofRemark(models.Model):
    """What somebody has to say of a proof before it is decided on; of one of its pages, or of the whole."""

    proof = models.ForeignKey(FormProof, on_delete=models.CASCADE, related_name="remarks", verbose_name="BAT")
    page = models.PositiveSmallIntegerField("page", null=True, blank=True)
    text = models.TextField("remarque", max_length=2000)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name="auteur")
    written_at = models.DateTimeField("écrite le")

    landlord_path = "proof__revision__campaign__landlord"
    objects = LandlordManager()

    class Meta:
        verbose_name = "remarque sur un BAT"
        verbose_name_plural = "remarques sur les BAT"
        ordering = ("written_at", "pk")

    def __str__(self) -> str:
        return f"remarque {self.pk}"
