"""The world of the simulation: a campaign in the field, a clock, and the events of its households.

Every event is a call to the product's own steps on a real database. Only what is outside is played: the post, the
carriers, the scanner's eye, the operators' hands.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from PIL import Image

from campaigns import operations
from campaigns.calendar import rearrange
from campaigns.law.timetable import default_calendar
from campaigns.models import Campaign, Milestone, User
from campaigns.paper_form.page_code import PageCode, return_sheet
from returns import keying
from returns.complements import follow_up, open_request
from returns.completeness import settle
from returns.keying_queue import next_task
from returns.missing import missing_items
from returns.models import ScanBatch, SurveyReturn
from returns.pieces import UploadedPiece
from returns.qualification import qualify, to_qualify
from returns.restitution.columns import UnableToRestitute
from returns.restitution.delivery import restitute
from returns.scan_pages import PageKeeper
from returns.seen import SeenField, SeenPage, SeenPiece, Sight
from returns.submissions import receive_online
from returns.transcription import transcribe
from returns.uploaded_pieces import read_return
from tenants import legal_dates as legal
from tenants.case_states import Move, State
from tenants.deaths import UnableToRecordDeath, record_death
from tenants.dispatch import compose_forms, compose_letters, hand_over, record_posting
from tenants.messaging import deliver_waiting, settle_uncertain
from tenants.messaging.outcomes import record_come_back, record_delivered
from tenants.models import Message, Occupant, PrintBatch, SurveyCase
from tenants.reminders import send_due
from tenants.undelivered import Motive, UnableToRecord, address_mended, record_undelivered
from tests.factories.campaigns import CampaignFactory, UserFactory
from tests.factories.populations import settled
from tests.simulation.carriers import LEDGER, Killed
from tests.tenants.printing import approve

PARIS = ZoneInfo("Europe/Paris")
OPENS, REPLY, CLOSES = dt.date(2026, 10, 12), dt.date(2026, 11, 20), dt.date(2027, 1, 20)
INCOME = "occupant.tax_reference_income"
STUBBORN = 0.2  # households that hardly ever answer by themselves
DEATHS_AT = (  # where a worker may be killed: each leaves nothing, or something that the next run finishes
    "tenants.waves.release.queue_together",
    "tenants.dispatch.letters._record",
    "tenants.dispatch.handover._start_delays",
    "returns.complement_messages.queue",
    "returns.completeness.assess",
)


class World:
    """One campaign and its days. `count` tells how often each event happened."""

    def __init__(self, *, seed: int, campaign: Campaign | None = None, moody: float = 0.05) -> None:
        self.chance = random.Random(seed)
        LEDGER.chance, LEDGER.moody = random.Random(seed + 1), moody
        self.campaign = campaign or made_campaign()
        self.now = dt.datetime.combine(OPENS, dt.time(8), PARIS)
        self.count: Counter[str] = Counter()
        self.manager: User = UserFactory()
        self.operators = [UserFactory(keying=True), UserFactory(keying=True), UserFactory()]
        self.cases: list[int] = []
        self.touched: set[int] = set()
        self.stubborn: set[int] = set()

    def settle_down(self, dossiers: int) -> None:
        """Households of one to three people, some without e-mail, without mobile, or surveyed for the OPS alone."""
        homes = []
        for _ in range(dossiers):
            people = self.chance.choice([1, 1, 2, 3])
            household = {} if self.chance.random() < 0.7 else {"email": ""}
            household |= {} if self.chance.random() < 0.7 else {"mobile": ""}
            homes.append((people, household, {"scope": "sls" if self.chance.random() < 0.9 else "ops"}))
        for case in settled(self.campaign, homes):
            self.cases.append(case.pk)
            if self.chance.random() < STUBBORN:
                self.stubborn.add(case.pk)

    def case(self, place: int) -> SurveyCase:
        """One of the cases, as it stands now."""
        pk = self.cases[place % len(self.cases)]
        self.touched.add(pk)
        return SurveyCase.objects.for_letters().get(pk=pk)

    @property
    def today(self) -> dt.date:
        return timezone.localdate(self.now)

    def wait(self, *, hours: float) -> None:
        """Time passes."""
        self.now += dt.timedelta(hours=hours)

    def noted(self, what: str) -> None:
        """Count an event."""
        self.count[what] += 1

    def answers(self, case: SurveyCase, *, channel: str = "online", whole: bool = True, again: bool = False) -> None:
        """An answer on line or by telephone; `whole` with every piece; `again`: the button pressed twice."""
        if case.state == State.OUT_OF_SCOPE and not case.sent_at:
            return
        adults = self._adults(case)
        told = {("household.size", 0): len(case.household.occupants.all())}
        told |= {(INCOME, row): self.chance.randrange(8_000, 60_000) for row in adults}
        pieces = [self._upload("tax_notice", row) for row in (adults if whole else adults[:-1])]
        submission = f"sim-{case.pk}-{case.returns.count()}-{channel}"
        for _ in range(2 if again else 1):
            made = receive_online(
                case=case, answers=told, documents=pieces, submission=submission, now=self.now, channel=channel
            )
            read_return(survey_return=made, now=self.now)
        self.noted(f"answer by {channel}" + (" twice" if again else ""))

    def posts_form(
        self, case: SurveyCase, *, signed: bool = True, pieces: bool = True, certified: bool = False
    ) -> None:
        """A form comes back by post, is scanned, read, transcribed; its doubts are keyed later."""
        variant = self.campaign.current_revision.layouts.filter(large=False).order_by("rows").last()
        fields = [_seen("household.size", 0, len(case.household.occupants.all())), _seen("signature.signed", 0, signed)]
        fields += [_seen(INCOME, row, self.chance.randrange(8_000, 60_000)) for row in self._adults(case)]
        form = SeenPage(
            0, Sight.FORM, image=self._image(), code=PageCode(case.reference, 1, variant.fingerprint),
            fields=tuple(fields), matrix=((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        )  # fmt: skip
        people = _people(case) if pieces else []
        self._scan([form, *(self._notice(place, person, certified) for place, person in enumerate(people, start=1))])
        self.noted("answer by paper")

    def posts_blank_sheet(self, case: SurveyCase) -> None:
        """A sheet of pieces behind a return sheet whose number may be old, or nobody's."""
        request = open_request(case)
        sheet = SeenPage(
            0,
            Sight.RETURN_SHEET,
            image=self._image(),
            code=return_sheet(case.reference, request.number if request else 0),
        )
        unknown = SeenPage(1, Sight.LOOSE, image=self._image(), piece=SeenPiece())
        self._scan([sheet, unknown])
        self.noted("return sheet")

    def completes(self, case: SurveyCase, *, wholly: bool = True) -> None:
        """Some or all of what a request asks for is sent on line."""
        if case.state != State.INCOMPLETE:
            return
        items = missing_items(case)
        items = items if wholly else items[:1]
        values = {INCOME: 12_000, "household.size": 2}
        answers = {(item.field, item.row): values[item.field] for item in items if item.field in values}
        pieces = [self._upload(item.document, item.row) for item in items if item.document]
        submission = f"sim-{case.pk}-{case.returns.count()}-more"
        made = receive_online(case=case, answers=answers, documents=pieces, submission=submission, now=self.now)
        read_return(survey_return=made, now=self.now)
        self.noted("complement whole" if wholly else "complement in part")

    def dies(self, case: SurveyCase) -> None:
        """The death of the tenant is told: the case manager puts the dossier aside."""
        try:
            record_death(case=case, now=self.now, actor=self.manager)
        except UnableToRecordDeath:
            return
        self.noted("death")

    def leaves(self, case: SurveyCase) -> None:
        """A corrected deposit does not name the household any more; or names it again."""
        if case.state == State.OUT_OF_SCOPE:
            last = case.events.filter(kind__in=[Move.LEAVE, Move.EXEMPT]).order_by("-pk").first()
            if last is not None and last.kind == Move.LEAVE and case.sent_at:
                case.move(Move.COME_BACK, now=self.now)
                self.noted("deposit: came back")
        elif case.state in {State.PREPARED, State.SENT, State.UNDELIVERED, State.NON_RESPONDENT}:
            case.move(Move.LEAVE, now=self.now)
            self.noted("deposit: left")

    def comes_back(self, case: SurveyCase, motive: Motive) -> None:
        """An envelope comes back."""
        try:
            record_undelivered(case=case, reason=motive.value, now=self.now)
        except UnableToRecord:
            return
        self.noted(f"PND {motive}")

    def mended(self, case: SurveyCase) -> None:
        """The landlord gives the right address of a household that post did not reach."""
        address_mended(case=case, now=self.now)
        self.noted("address mended")

    def webhook(self, case: SurveyCase, *, arrived: bool) -> None:
        """A carrier reports on a message, twice, the second time too late."""
        message = case.messages.filter(channel__in=["sms", "email"]).told().order_by("-pk").first()
        if message is None:
            return
        for _ in range(2):
            if arrived:
                record_delivered(message=message, now=self.now, proof={})
            else:
                record_come_back(message=message, explanation="Boîte inconnue.", now=self.now, proof={})
        self.noted("webhook twice")

    def person_settles_doubts(self) -> None:
        """Somebody looks at the carriers' own lists."""
        for message in Message.objects.filter(case__campaign=self.campaign, state=Message.State.UNCERTAIN):
            settle_uncertain(message=message, left=bool(taken(message)), now=self.now, actor=self.manager)
            self.noted("doubt settled")

    def sends_forms(self) -> None:
        """Forms are composed, handed over, posted."""
        with self._dies_sometimes():
            compose_forms(campaign=self.campaign, now=self.now)
        self.campaign.refresh_from_db()

    def prepares(self) -> None:
        """The morning's work: what is due is queued, letters are composed, complements are followed."""
        with self._dies_sometimes():
            follow_up(campaign=self.campaign, now=self.now)
        with self._dies_sometimes():
            send_due(campaign=self.campaign, today=self.today, now=self.now)
        letters = Message.objects.waiting().filter(case__campaign=self.campaign, channel="letter")
        for purpose in sorted(set(letters.values_list("purpose", flat=True))):
            with self._dies_sometimes():
                compose_letters(campaign=self.campaign, purpose=purpose, now=self.now)

    def hands_over(self) -> None:
        """The composed batches go to the print house."""
        for batch in self.campaign.batches.filter(state=PrintBatch.State.COMPOSED).order_by("number"):
            with self._dies_sometimes():
                hand_over(batch=batch, now=self.now)

    def posts(self) -> None:
        """The post takes what was printed."""
        for batch in self.campaign.batches.filter(state=PrintBatch.State.HANDED_OVER, posting=None):
            record_posting(batch=batch, posted_at=self.now, now=self.now)
            self.noted("batch posted")

    def delivers(self) -> None:
        """E-mails and SMS leave; a worker that dies is followed by another."""
        for _ in range(200):
            try:
                if not deliver_waiting(now=self.now).taken:
                    return
            except Killed:
                self.noted("worker killed")

    def operators_work(self) -> None:
        """Fields are keyed, pieces named, what a dead worker left is taken up."""
        for person in (*self.operators[:2], *self.operators[:2], self.operators[2]):
            while (task := next_task(operator=person, now=self.now, campaign=self.campaign)) is not None:
                value = task.reading.value
                keying.answer(task=task, operator=person, text=str(value or ""), now=self.now, milliseconds=900)
                self.noted("field keyed")
        for document in to_qualify(self.campaign):
            qualify(document=document, kind="identity", row=1, now=self.now)
        self.redrives()

    def redrives(self) -> None:
        """What the minute's tick does for whatever was left half done."""
        open_returns = SurveyReturn.objects.filter(case__campaign=self.campaign, state=SurveyReturn.State.OPEN)
        for survey_return in open_returns.filter(
            keying__isnull=True, pages__batch__state=ScanBatch.State.READ
        ).distinct():
            transcribe(survey_return=survey_return, now=self.now)
        keying.close_keyed(now=self.now, campaign=self.campaign, rest=dt.timedelta())
        for case in SurveyCase.objects.filter(campaign=self.campaign, state=State.RECEIVED):
            settle(case=case, now=self.now)

    def moves_clock(self, kind: str, days: int) -> None:
        """A date of the calendar is moved, when the law allows it."""
        milestone = self.campaign.milestones.get(kind=kind)
        try:
            days_later = {kind: milestone.due_on + dt.timedelta(days=days)}
            rearrange(campaign=self.campaign, dates=days_later, now=self.now)
        except operations.OperationRefused:
            self.noted("clock change refused")
        else:
            self.noted("clock changed")

    def suspends(self, case: SurveyCase) -> None:
        """The delays of a household are suspended, or run again."""
        try:
            legal.suspend(case=case, cause="dispute", now=self.now)
        except legal.UnableToSuspend:
            try:
                legal.resume(case=case, now=self.now)
            except legal.UnableToSuspend:
                return
            self.noted("clock resumed")
        else:
            self.noted("clock suspended")

    def restitutes(self) -> None:
        """What is new is handed over to the landlord."""
        try:
            made = restitute(campaign=self.campaign, formats=["csv"], now=self.now)
        except UnableToRestitute:
            return
        self.noted("restitution")
        self.count["regularisation"] += made.lines.filter(regularisation=True).count()
        self.count["refund flagged"] += made.lines.exclude(refund="").count()

    @contextmanager
    def _dies_sometimes(self) -> Iterator[None]:
        """Run a step during which the worker may be killed; the next run finishes the work."""
        with ExitStack() as stack:
            if self.chance.random() < LEDGER.moody:
                target = self.chance.choice(DEATHS_AT)
                stack.enter_context(mock.patch(target, side_effect=Killed))
            try:
                with transaction.atomic():
                    yield
            except Killed:
                self.noted("worker killed")

    def _adults(self, case: SurveyCase) -> list[int]:
        limit = case.campaign.reference_on
        return [each.row for each in _people(case) if each.birth_date and _age(each.birth_date, limit) >= 18]

    def _upload(self, kind: str, row: int) -> UploadedPiece:
        return UploadedPiece(name="piece.png", content=self._image("PNG"), kind=kind, row=row)

    def _notice(self, place: int, person: object, certified: bool) -> SeenPage:
        read = {
            "income_year": self.campaign.year - 2, "tax_reference_income": 18_000,
            "notice_reference": f"26{self.chance.randrange(10**11):011d}", "tax_numbers": [],
            "declarants": [f"{person.last_name} {person.first_name}"],
        }  # fmt: skip
        piece = SeenPiece(kind="tax_notice", read=read, certified=certified)
        return SeenPage(place, Sight.LOOSE, image=self._image(), piece=piece)

    def _image(self, kind: str = "JPEG") -> bytes:
        """A small picture that nobody sent before."""
        stream = io.BytesIO()
        Image.frombytes("L", (48, 48), self.chance.randbytes(48 * 48)).save(stream, kind)
        return stream.getvalue()

    def _scan(self, pages: list[SeenPage]) -> None:
        digest = hashlib.sha256(self.chance.randbytes(16)).hexdigest()
        batch = ScanBatch.objects.create(
            campaign=self.campaign, name="lot.tif", sha256=digest, state=ScanBatch.State.READING, received_at=self.now,
            claimed_at=self.now,
        )  # fmt: skip
        keeper = PageKeeper(batch, claim=self.now, now=self.now)
        for page in pages:
            keeper.keep(page)
        for survey_return in SurveyReturn.objects.filter(pages__batch=batch, state=SurveyReturn.State.OPEN).distinct():
            transcribe(survey_return=survey_return, now=self.now)
        ScanBatch.objects.filter(pk=batch.pk).update(state=ScanBatch.State.READ, read_at=self.now)


def taken(message: Message) -> int:
    """How often a carrier took that message."""
    return LEDGER.taken[f"{message.channel}-{message.pk}"]


def made_campaign() -> Campaign:
    """A campaign with its calendar and its form approved."""
    campaign = CampaignFactory(opens_on=OPENS, reply_by=REPLY, closes_on=CLOSES)
    for kind, day in default_calendar(OPENS, REPLY, CLOSES, today=OPENS).items():
        Milestone.objects.create(campaign=campaign, kind=kind, due_on=day)
    with mock.patch.object(operations, "LARGEST_HOUSEHOLD", 4):
        approve(campaign)
    campaign.refresh_from_db()
    return campaign


def _people(case: SurveyCase) -> list[Occupant]:
    return sorted(case.household.occupants.all(), key=lambda person: person.row)


def _seen(field: str, row: int, value: object) -> SeenField:
    return SeenField(field, row, value, inked=value is not False, confidence=0.99, several=False, box=(0, 0, 10, 5))


def _age(born: dt.date, on: dt.date) -> int:
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
