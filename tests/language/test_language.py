"""Which language somebody reads, and that the catalogues speak it."""

from __future__ import annotations

import pytest

from syncline.language import _, current, ngettext, numeral, preferred, speaking


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr,de;q=0.5,en;q=0.4", "de"),
        ("fr, nl;q=0.3", "en"),
        ("de;q=0, en;q=0.1", "en"),
        ("*", "en"),
        ("de;q=nonsense, ;;;, =", "en"),
        ("x" * 100_000, "en"),
    ],
)
def test_the_browser_says_which_language_it_likes(header: str, language: str) -> None:
    """Weights count, the first of equals wins, and nonsense means English."""
    assert preferred(header) == language


def test_a_language_lasts_as_long_as_it_is_spoken() -> None:
    """Languages nest, and one without a catalogue is English."""
    with speaking("de"):
        assert current() == "de"
        with speaking("xx"):
            assert current() == "en"
        assert current() == "de"
    assert current() == "en"


def test_places_are_filled() -> None:
    """Named places take their values; the number is one of them."""
    assert _("%(time)s today", time="10:30") == "10:30 today"
    assert ngettext("%(num)s day", "%(num)s days", 2) == "2 days"


def test_numbers_are_written_as_in_the_language() -> None:
    """German has a point where English has a comma, and the other way round."""
    assert (numeral(12345), numeral(1234.56, 1)) == ("12,345", "1,234.6")
    with speaking("de"):
        assert (numeral(12345), numeral(1234.56, 1)) == ("12.345", "1.234,6")


def test_an_empty_sentence_stays_empty() -> None:
    """The empty message of a catalogue is its header, which nobody is shown."""
    with speaking("de"):
        assert _("") == ""
