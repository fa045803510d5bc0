"""Bodies as text: what HTML says, the way back, and that no string breaks it or takes long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.core.bodies import canonical, html_of, text_of

OUTLOOK = """<html xmlns:o="urn:schemas-microsoft-com:office:office"><head>
<style><!-- p.MsoNormal {margin:0} --></style>
<!--[if gte mso 9]><xml><o:shapedefaults/></xml><![endif]--></head><body lang=EN-US><div class=WordSection1>
<p class=MsoNormal>Agenda&nbsp; for
today<o:p></o:p></p><p class=MsoNormal><o:p>&nbsp;</o:p></p>
<p class=MsoNormal>Bring cake &amp; tea</p></div></body></html>"""
HOSTILE = ["<", "<a ", '<a b="', "<!--", "&#1", "<script>", "</", "<p>", "<ul><li>", "<a href=x>", "'\"<a =", "&amp"]


@pytest.mark.rule("A-15")
@given(st.text() | st.text(alphabet=" \t\n\r\xa0<>&;\"'#nbspa/\x00\x85\u2028\ud800-"))
def test_text_comes_back_as_it_was(text: str) -> None:
    """What is written as HTML is read as the same text, in canonical form."""
    assert text_of(html_of(text)) == canonical(text)


@given(st.text() | st.text(alphabet="<>&;\"'=!-/#x10apbrdivliultdscript \n"))
def test_every_string_is_taken_and_the_result_is_canonical(body: str) -> None:
    """Nothing raises, and what comes out stays as it is."""
    found = text_of(body)
    assert canonical(found) == found


@given(st.text())
def test_canonical_text_stays_as_it_is(text: str) -> None:
    """To make text canonical twice is as good as once."""
    assert canonical(canonical(text)) == canonical(text)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (OUTLOOK, "Agenda  for today\n\nBring cake & tea"),
        ("one<br>two<br/>\n three", "one\ntwo\nthree"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<ul><li>one<li>two<ol><li>a</li><li>b</ol></ul>", "- one\n- two\n  1. a\n  2. b"),
        ("<table><tr><td>a<td>b</tr><tr><td>c</td></tr></table>", "a\tb\nc"),
        ('<a href="https://x.example/?a=1&amp;b=2">here</a>', "here <https://x.example/?a=1&b=2>"),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/"),
        ("<a href='mailto:a@x.example'>a@x.example</a> <a href='javascript:x'>no</a>", "a@x.example no"),
        ("a<script>if (1 < 2) '</p>'</script>b<style>x</style><!-- c > d -->e", "abe"),
        ("1 < 2 &lt; 3 &#8364; &euro; &nosuch; &", "1 < 2 < 3 € € &nosuch; &"),
        ('<p title="a > b">text</p>', "text"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("no markup,   one line", "no markup, one line"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_a_body_says(body: str, expected: str) -> None:
    """Paragraphs, breaks, lists, tables, links and entities, and what is left out."""
    assert text_of(body) == expected


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_markup_is_read_once(piece: str) -> None:
    """A megabyte of the worst is read; what took quadratic time would not end."""
    assert isinstance(text_of(piece * (1_000_000 // len(piece))), str)
