"""What the quality pages say: rates with what they rest on, dossiers untouched, the queue's age, operators."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from itertools import pairwise

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.questionnaire.schema import FieldType
from returns import keying_figures
from returns.keying import RECALL, answer, close_keyed
from returns.keying_figures import TYPES, Rate, percent, place_of
from returns.keying_queue import next_task
from returns.models import FieldReading, KeyingEntry, KeyingTask, Page, SurveyReturn
from returns.throughput import throughput
from tests.factories.campaigns import UserFactory
from tests.factories.keying import EMAIL, INCOME, SIZE, doubtful_return
from tests.factories.returns import DocumentFactory, ReadingFactory, ReturnFactory
from tests.factories.tenants import CaseFactory

pytestmark = pytest.mark.django_db

RECOUNTED = dt.datetime(2026, 11, 9, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def anne(db):
    """An operator."""
    return UserFactory(keying=True, username="anne")


@pytest.fixture
def bilal(db):
    """Another one."""
    return UserFactory(keying=True, username="bilal")


@pytest.fixture
def keyed(later):
    """Take the next task of somebody and answer it."""

    def key(operator, text, *, now=later, **more):
        return answer(task=next_task(operator=operator, now=now), operator=operator, text=text, now=now, **more)

    return key


@pytest.fixture
def disputed(campaign, anne, bilal, manager, keyed, later):
    """Two incomes keyed twice: on one the operators agree, on the other the second is wrong; the machine erred once."""
    doubtful_return(campaign, [(INCOME, 1, 21_500), (INCOME, 2, None)], now=later)
    FieldReading.objects.filter(row=1).update(confidence=0.97)
    keyed(anne, "27500", milliseconds=2000)
    keyed(anne, "4", milliseconds=1000)
    keyed(bilal, "21800", milliseconds=3000)
    keyed(bilal, "4")
    keyed(manager, "27500")
    close_keyed(now=later + RECALL)


def test_an_entry_is_counted_right_or_wrong_by_type_of_field(campaign, disputed):
    assert keying_figures.keying_rates(campaign) == [Rate("montant", 1, 4)]


def test_the_machine_s_errors_are_told_by_its_confidence(campaign, disputed):
    assert keying_figures.confidence_curve(campaign) == [Rate("de 95 à 99\u00a0%", 1, 1)]


def test_dossiers_that_nobody_looked_at(campaign, disputed, later):
    doubtful_return(campaign, [], now=later)
    told = throughput(campaign)
    assert (told.dossiers, told.untouched, told.keyed, told.per_dossier) == (1, 0, 2, "2,0")
    assert told.told == "0\u00a0%"
    assert told.efforts == [
        ("aucun champ", 0),
        ("un champ", 0),
        ("deux champs", 1),
        ("trois à cinq", 0),
        ("six à dix", 0),
        ("plus de dix", 0),
    ]


class TestDossiersThatNobodyHadAHandIn:
    @pytest.fixture
    def read(self, campaign, later):
        """A dossier read without any doubt, in two sendings."""
        case = CaseFactory(campaign=campaign, sent=True, state="received", channel="paper")
        for _ in range(2):
            ReadingFactory(survey_return=ReturnFactory(case=case, state="transcribed"))
        return case

    def told(self, campaign) -> tuple[int, int]:
        found = throughput(campaign)
        return found.dossiers, found.untouched

    def test_one_sent_in_twice_counts_once(self, campaign, read):
        assert self.told(campaign) == (1, 1)

    def test_a_page_that_a_person_placed_counts(self, campaign, read, later):
        Page.objects.filter(survey_return__case=read).update(decided_at=later)
        assert self.told(campaign) == (1, 0)

    @pytest.mark.parametrize(
        ("piece", "untouched"),
        [
            ({"kind": "tax_notice"}, 1),
            ({"kind": ""}, 0),
            ({"kind": "tax_notice", "state": "accepted"}, 0),
            ({"kind": "", "state": "refused"}, 0),
        ],
        ids=["named by the machine", "to be named", "named by a person", "refused by a person"],
    )
    def test_a_scanned_piece_counts_where_it_needs_a_person(self, campaign, read, piece, untouched):
        page = Page.objects.filter(survey_return__case=read).first()
        DocumentFactory(case=read, page=page, **piece)
        assert self.told(campaign) == (1, untouched)

    def test_a_piece_sent_on_line_has_nothing_to_do_with_paper(self, campaign, read):
        DocumentFactory(case=read, kind="")
        assert self.told(campaign) == (1, 1)


def test_the_queue_s_age(campaign, later):
    doubtful_return(campaign, [(EMAIL, 0, None), (SIZE, 0, None), (INCOME, 1, None)], now=later)
    fields = KeyingTask.objects.order_by("pk")
    fields.filter(field=EMAIL).update(created_at=later - dt.timedelta(hours=2))
    fields.filter(field=SIZE).update(created_at=later - dt.timedelta(days=9), state="arbitration")
    queue = keying_figures.queue_of(campaign, now=later + dt.timedelta(minutes=1))
    assert (queue.waiting, queue.to_settle, queue.oldest) == (3, 1, later - dt.timedelta(days=9))
    assert [count for _, count in queue.ages] == [1, 1, 0, 0, 1]


def test_operators_pace_errors_and_share_keyed_again(disputed, later):
    told = {line.operator.username: line for line in keying_figures.operators(since=later)}
    assert set(told) == {"anne", "bilal"}
    assert (told["anne"].fields, told["anne"].per_hour) == (2, 2400)
    assert (told["anne"].rate.wrong, told["bilal"].rate.wrong) == (0, 1)
    assert told["anne"].share == 0.5
    assert keying_figures.operators(since=later + dt.timedelta(days=1)) == []


def test_each_type_of_field_has_its_name():
    assert set(TYPES) == set(FieldType)


@pytest.mark.parametrize(
    ("rate", "said"),
    [(None, "—"), (0.0, "0 %"), (0.624, "62 %"), (0.031, "3,1 %"), (0.0012, "0,12 %"), (0.00001, "moins de 0,01 %")],
)
def test_a_rate_keeps_the_figures_that_count(rate, said):
    assert percent(rate) == said.replace(" %", "\u00a0%")


def test_the_scale_of_the_pictures_is_logarithmic():
    assert [place_of(rate) for rate in (0, 1e-4, 1e-2, 1)] == ["0.00", "0.00", "50.00", "100.00"]


class TestRecount:
    """Every figure of the page against a count of its own, in Python, over rows drawn at random."""

    @pytest.fixture
    def rows(self, campaign, anne):
        chance = random.Random(2027)
        keys = (EMAIL, INCOME, SIZE, "occupant.birth_date")
        returns = [doubtful_return(campaign, []) for _ in range(6)]
        SurveyReturn.objects.filter(pk__in=[each.pk for each in returns[:4]]).update(state="transcribed")
        SurveyReturn.objects.filter(pk__in=[each.pk for each in returns[4:]]).update(state="open")
        pages = {each.pk: Page.objects.filter(survey_return=each).get() for each in returns}
        readings = [
            FieldReading(
                page=pages[owner.pk],
                survey_return=owner,
                field=chance.choice(keys),
                row=row,
                confidence=chance.random() ** 0.2,
                inked=chance.random() < 0.8,
                accepted=chance.random() < 0.7,
            )
            for row in range(1, 41)
            for owner in returns[1:]  # nobody had to look at the first
        ]
        FieldReading.objects.bulk_create(readings)
        tasks = [
            KeyingTask(
                campaign=campaign,
                survey_return_id=each.survey_return_id,
                reading=each,
                field=each.field,
                row=each.row,
                purpose=chance.choice(("doubt", "control", "seed")),
                state=chance.choice(KeyingTask.State.values),
                machine_right=chance.choice((None, True, False)),
                created_at=RECOUNTED - dt.timedelta(minutes=chance.randrange(1, 8000)),
            )
            for each in readings
        ]
        KeyingTask.objects.bulk_create(tasks)
        entries = [
            KeyingEntry(
                task=task, operator=anne, value=1, entered_at=RECOUNTED, right=chance.choice((None, True, False))
            )
            for task in tasks
        ]
        KeyingEntry.objects.bulk_create(entries)
        return tasks, entries

    def counted(self, rates):
        return {each.label: (each.wrong, each.checked) for each in rates}

    def expected(self, told):
        """The same from (label, is it wrong) pairs."""
        seen = Counter(label for label, _ in told)
        wrong = Counter(label for label, is_wrong in told if is_wrong)
        return {label: (wrong[label], count) for label, count in seen.items()}

    def test_rates_and_curve(self, campaign, rows):
        tasks, entries = rows
        types = {EMAIL: "adresse électronique", INCOME: "montant", SIZE: "nombre", "occupant.birth_date": "date"}
        looked = [each for each in tasks if each.machine_right is not None]
        controls = [each for each in looked if each.purpose == "control" and each.state == "done"]
        kept = [each for each in controls if each.reading.accepted and each.reading.inked]
        assert self.counted(keying_figures.machine_rates(campaign)) == self.expected(
            [(types[each.field], not each.machine_right) for each in kept]
        )
        verdicts = [each for each in entries if each.right is not None]
        assert self.counted(keying_figures.keying_rates(campaign)) == self.expected(
            [(types[each.task.field], not each.right) for each in verdicts]
        )
        known = [each for each in looked if each.purpose != "seed" and each.reading.inked]
        places = [sum(each.reading.confidence >= edge for edge in keying_figures.BINS) for each in known]
        told = self.expected([(place, not each.machine_right) for place, each in zip(places, known, strict=True)])
        curve = keying_figures.confidence_curve(campaign)
        assert [(each.wrong, each.checked) for each in curve] == [told[place] for place in sorted(told)]

    def test_missed_answers(self, campaign, rows):
        tasks, _ = rows
        looked = [each for each in tasks if each.purpose == "control" and each.machine_right is not None]
        empty = [each for each in looked if each.reading.accepted and not each.reading.inked]
        missed = keying_figures.missed_answers(campaign)
        assert (missed.wrong, missed.checked) == (sum(not each.machine_right for each in empty), len(empty))

    def test_queue_and_dossiers(self, campaign, rows):
        tasks, _ = rows
        waiting = [each for each in tasks if each.purpose != "seed" and each.state != "done"]
        queue = keying_figures.queue_of(campaign, now=RECOUNTED)
        hours = [(RECOUNTED - each.created_at) / dt.timedelta(hours=1) for each in waiting]
        edges = [0, 1, 4, 24, 72, float("inf")]
        ages = [sum(low <= age < high for age in hours) for low, high in pairwise(edges)]
        assert [count for _, count in queue.ages] == ages
        assert (queue.waiting, queue.oldest) == (len(waiting), min(each.created_at for each in waiting))
        assert queue.to_settle == sum(each.state in {"arbitration", "referred"} for each in waiting)
        closed = set(SurveyReturn.objects.filter(state="transcribed").values_list("pk", flat=True))
        doubts = [each for each in tasks if each.purpose == "doubt" and each.survey_return_id in closed]
        read = closed & {each.survey_return_id for each in tasks}
        told = throughput(campaign)
        assert told.dossiers == len(read)
        assert told.untouched == len(read - {each.survey_return_id for each in doubts})
        assert told.keyed == sum(each.state == "done" for each in doubts)
        assert sum(count for _, count in told.efforts) == told.dossiers


class TestPages:
    @pytest.mark.parametrize("name", ["quality", "operators"])
    def test_only_case_managers_enter(self, client, campaign, anne, name):
        client.force_login(anne)
        arguments = [campaign.pk] if name == "quality" else []
        assert client.get(reverse(f"keying:{name}", args=arguments)).status_code == 403

    def test_a_campaign_s_page_tells_its_figures(self, client, campaign, manager, disputed):
        client.force_login(manager)
        text = client.get(reverse("keying:quality", args=[campaign.pk])).content.decode()
        for told in ("Montant", "De 95 à 99", "Tirer un lot", "Ce qui attend", "1 dossier prêt"):
            assert told in text, told

    def test_before_anything_was_read_it_says_so(self, client, campaign, manager):
        client.force_login(manager)
        text = client.get(reverse("keying:quality", args=[campaign.pk])).content.decode()
        assert "Aucun contrôle" in text
        assert "Rien n’a encore été comparé" in text

    def test_the_operators_page_knows_its_periods(self, client, manager, disputed):
        KeyingEntry.objects.update(entered_at=timezone.now())
        client.force_login(manager)
        text = client.get(reverse("keying:operators"), {"depuis": "jour"}).content.decode()
        assert "anne" in text
        assert "2\u202f400" in text or "2\xa0400" in text
        KeyingEntry.objects.update(entered_at=timezone.now() - dt.timedelta(days=20))
        assert "Rien de saisi" in client.get(reverse("keying:operators"), {"depuis": "autre"}).content.decode()

    def test_their_cost_does_not_grow(self, client, campaign, manager, disputed, django_assert_max_num_queries):
        client.force_login(manager)
        with django_assert_max_num_queries(30):
            client.get(reverse("keying:quality", args=[campaign.pk]))
