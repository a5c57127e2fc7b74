"""What every test shares: rows of all landlords are in sight unless the test says otherwise."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from campaigns.models import Campaign, Landlord, User
from campaigns.scope import all_landlords
from tests.factories.campaigns import CampaignFactory, LandlordFactory, UserFactory, rival_landlords

# A property is judged on what it says, never on how fast this machine happens to be. Where a build is judged (CI set),
# the same examples are drawn each time; on a developer's machine new ones are explored at every run.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("judged", settings.get_profile("untimed"), derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker of the scope tests."""
    config.addinivalue_line("markers", "scoped: the test enters its landlord scopes itself")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, leave out what asks nothing of a database: it has run already, and would be no other there."""
    if os.environ.get("TEST_DATABASE") != "postgresql":
        return
    kept = [item for item in items if asks_a_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if not asks_a_database(item)])
    items[:] = kept


def asks_a_database(item: pytest.Item) -> bool:
    """Whether a test is marked for a database, or one of its fixtures wants one."""
    wanted = {"db", "transactional_db", "django_db_setup", "live_server"}
    return item.get_closest_marker("django_db") is not None or bool(wanted & set(getattr(item, "fixturenames", ())))


@pytest.fixture(autouse=True)
def _scope(request: pytest.FixtureRequest) -> Iterator[None]:
    """Across landlords, like tasks and commands, unless the test is marked `scoped`."""
    if request.node.get_closest_marker("scoped"):
        yield
        return
    with all_landlords():
        yield


@pytest.fixture(autouse=True)
def _nothing_drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No field falls in a sample by the number that the database gave it; tests of sampling draw for themselves."""
    if asks_a_database(request.node):
        monkeypatch.setattr("returns.sampling.is_drawn", lambda name, share: False)


@pytest.fixture
def now() -> dt.datetime:
    """A moment before the campaigns of the factories are sent."""
    return dt.datetime(2026, 10, 1, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def landlord(db: None) -> Landlord:
    """A landlord."""
    return LandlordFactory()


@pytest.fixture
def rivals(db: None) -> tuple[Landlord, Landlord]:
    """Two landlords who must never see each other's rows."""
    return rival_landlords()


@pytest.fixture
def campaign(landlord: Landlord) -> Campaign:
    """A campaign of that landlord, in preparation."""
    return CampaignFactory(landlord=landlord)


@pytest.fixture
def manager(db: None) -> User:
    """A case manager."""
    return UserFactory()


@pytest.fixture
def landlord_user(landlord: Landlord) -> User:
    """Someone who works for that landlord."""
    return UserFactory(of_landlord=True, landlord=landlord)
