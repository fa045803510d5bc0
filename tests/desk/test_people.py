"""Users, tokens and signing in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from syncline.desk import signing, tokens, users
from syncline.desk.reading import OPERATOR
from syncline.errors import SyncError
from tests.desk.office import DOMAIN, PASSWORD, Office


def test_a_password_opens_a_session(office: Office) -> None:
    """The right password gives a session with role and addresses, and it ends when signed out."""
    secret, session = signing.sign_in(office.app, "maya", PASSWORD)
    again = signing.by_session(office.app, secret)
    signing.sign_out(office.app, secret)

    assert session == again
    assert session.viewer.emails == {f"maya@{DOMAIN}"}
    assert session.viewer.full_name == "Maya Lind"
    assert session.csrf
    assert signing.by_session(office.app, secret) is None


@pytest.mark.parametrize(("name", "password"), [("maya", "wrong"), ("nobody", PASSWORD), ("maya", "x" * 5000)])
def test_wrong_names_and_passwords_sound_alike(office: Office, name: str, password: str) -> None:
    """The refusal does not tell which of the two was wrong."""
    with pytest.raises(SyncError) as refused:
        signing.sign_in(office.app, name, password)

    assert refused.value.code == "SignInRefused"
    assert refused.value.text == "User name or password is wrong."


def test_five_wrong_passwords_slow_the_account_down(office: Office) -> None:
    """After the fifth, even the right one has to wait."""
    for _ in range(5):
        with pytest.raises(SyncError, match="SignInRefused"):
            signing.sign_in(office.app, "maya", "wrong")
    with pytest.raises(SyncError) as slowed:
        signing.sign_in(office.app, "maya", PASSWORD)

    assert slowed.value.code == "SignInSlowed"
    assert slowed.value.retry_after_s is not None


def test_a_token_acts_for_its_user_until_revoked(office: Office) -> None:
    """A token carries its user's role; its secret is told once."""
    token = tokens.create(office.app, office.viewer("maya"), "maya", "script")
    assert token.token is not None
    session = signing.by_token(office.app, token.token)
    listed = tokens.listing(office.app, office.viewer("maya"))
    tokens.revoke(office.app, office.viewer("maya"), "maya", "script")

    assert session is not None
    assert (session.viewer.name, session.viewer.administrator) == ("maya", False)
    assert [(each.name, each.token) for each in listed] == [("script", None)]
    assert signing.by_token(office.app, token.token) is None
    assert tokens.listing(office.app, OPERATOR) == []


def test_token_names_are_unique_per_user(office: Office) -> None:
    """Revoking by name needs one token of that name."""
    tokens.create(office.app, OPERATOR, "maya", "script")
    with pytest.raises(SyncError, match="AlreadyExists"):
        tokens.create(office.app, OPERATOR, "maya", "script")
    with pytest.raises(SyncError, match="InvalidRequest"):
        tokens.create(office.app, OPERATOR, "maya", " ")


@pytest.mark.parametrize(
    "act",
    [
        lambda app, maya: users.add(app, maya, users.NewUser(name="x", emails=(), full_name="x")),
        lambda app, maya: users.set_role(app, maya, "maya", "System Administrator"),
        lambda app, maya: users.reset_password(app, maya, "jonas"),
        lambda app, maya: tokens.create(app, maya, "ines", "x"),
        lambda app, maya: tokens.listing(app, maya, "ines"),
        lambda app, maya: tokens.revoke(app, maya, "ines", "x"),
    ],
)
def test_a_user_may_not_reach_for_more(office: Office, act: Callable[..., object]) -> None:
    """A User keeps neither users nor other people's passwords or tokens."""
    with pytest.raises(SyncError, match="NotAllowed"):
        act(office.app, office.viewer("maya"))


def test_a_new_password_ends_open_sessions(office: Office) -> None:
    """Who was signed in with the old one has to sign in again."""
    secret, _ = signing.sign_in(office.app, "maya", PASSWORD)
    made_up = users.reset_password(office.app, office.viewer("maya"), "maya")

    assert signing.by_session(office.app, secret) is None
    assert signing.sign_in(office.app, "maya", made_up)


def test_the_last_administrator_stays(office: Office) -> None:
    """Roles change, but somebody must be able to change them back."""
    assert users.set_role(office.app, OPERATOR, "maya", "System Administrator").role == "System Administrator"
    users.set_role(office.app, OPERATOR, "ines", "User")
    with pytest.raises(SyncError, match="InvalidRequest"):
        users.set_role(office.app, OPERATOR, "maya", "User")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "maya"}, "AlreadyExists"),
        ({"name": ""}, "InvalidRequest"),
        ({"name": "a\tb"}, "InvalidRequest"),
        ({"emails": ("nonsense",)}, "InvalidRequest"),
        ({"emails": (f"maya@{DOMAIN}",)}, "AlreadyExists"),
        ({"role": "God"}, "InvalidRequest"),
        ({"time_zone": "Mars/Base"}, "InvalidRequest"),
        ({"password": "short"}, "InvalidRequest"),
    ],
)
def test_a_user_that_cannot_be(office: Office, fields: dict[str, object], code: str) -> None:
    """What is wrong with a new user is said by its code, and nothing is added."""
    new = users.NewUser(**{"name": "new", "emails": ("new@example.org",), "full_name": "New", **fields})  # type: ignore[arg-type]
    with pytest.raises(SyncError) as refused:
        users.add(office.app, OPERATOR, new)

    assert refused.value.code == code
    assert len(users.listing(office.app, OPERATOR)) == 3


def test_without_a_password_nobody_signs_in(office: Office) -> None:
    """A user without a password exists in the CRM and waits for one."""
    users.add(office.app, OPERATOR, users.NewUser(name="new", emails=("new@example.org",), full_name="New"))

    assert users.show(office.app, OPERATOR, "new").email == "new@example.org"
    with pytest.raises(SyncError, match="SignInRefused"):
        signing.sign_in(office.app, "new", "")


def test_adding_goes_on_where_it_was_interrupted(office: Office) -> None:
    """A user that reached the CRM but got no account is completed, not refused."""
    office.app.crm.add_user("new", full_name="New", emails=("new@example.org",))
    added = users.add(office.app, OPERATOR, users.NewUser(name="new", emails=("new@example.org",), full_name="New"))

    assert added.name == "new"


def test_a_user_lists_himself(office: Office) -> None:
    """A User sees his own record only."""
    assert [user.name for user in users.listing(office.app, office.viewer("maya"))] == ["maya"]


def test_everybody_sets_his_own_time_zone(office: Office) -> None:
    """By IANA or Windows name; another's only by a System Administrator."""
    changed = users.set_time_zone(office.app, office.viewer("maya"), "maya", "W. Europe Standard Time")

    assert changed.time_zone == "Europe/Berlin"
    with pytest.raises(SyncError, match="Only jonas or a System Administrator"):
        users.set_time_zone(office.app, office.viewer("maya"), "jonas", "Europe/Berlin")
    with pytest.raises(SyncError, match="Atlantis"):
        users.set_time_zone(office.app, OPERATOR, "jonas", "Europe/Atlantis")
    with pytest.raises(SyncError, match="user nobody"):
        users.set_time_zone(office.app, OPERATOR, "nobody", "Europe/Berlin")
