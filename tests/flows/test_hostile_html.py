"""HTML that is smuggled in on either side does nothing on the other."""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest

from tests.flows.bridge import LIST, Bridge, mail
from tests.flows.test_hostile import all_mails, call, check_header

VECTORS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//x.test/a.js></sCrIpT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img src='x' onerror='alert(1)'/>",
    "<img/src=x/onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href='jAvAsCrIpT&colon;alert(1)'>a</a>",
    "<a href='java\tscript:alert(1)'>a</a>",
    "<a href=' &#14; javascript:alert(1)'>a</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>a</a>",
    "<a href='vbscript:msgbox(1)'>a</a>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='data:text/html,x'></object><embed src=x>",
    "<form action=//x.test><input name=p type=password><button>go</button></form>",
    "<body onload=alert(1)>",
    "<div style='background:url(javascript:alert(1))'>a</div>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>a</div>",
    "<style>@import '//x.test/a.css';</style>",
    "<link rel=stylesheet href=//x.test/a.css>",
    "<base href=//x.test/>",
    "<meta http-equiv=refresh content='0;url=//x.test'>",
    "<details open ontoggle=alert(1)>a</details>",
    "<video><source onerror=alert(1)></video>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<template><script>alert(1)</script></template>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<xmp><p title='</xmp><script>alert(1)</script>'>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<p title='\"><script>alert(1)</script>'>a</p>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;img src=x onerror=alert(1)&amp;gt;",
    "<mx-reply><script>alert(1)</script></mx-reply>",
    "<font color='red;background:url(//x.test/p)'>a</font>",
    "<span data-mx-color='\"><script>'>a</span>",
    "<img src='https://x.test/pixel.gif' width=1 height=1>",
    "<img src='mxc://x.test/abc' onload=alert(1)>",
    "<a href='https://x.test' target=_self onclick=alert(1)>a</a>",
    "<p>\x00<scr\x00ipt>alert(1)</script>",
    "<table background='javascript:alert(1)'><td background='//x.test/p'>a</td></table>",
    "<marquee onstart=alert(1)>a</marquee>",
    "<select><option><script>alert(1)</script></option></select>",
    "{{ 7 * 7 }}{% import os %}{{ self.__init__.__globals__ }}",
]
FORBIDDEN_TAGS = {
    *("script", "style", "iframe", "object", "embed", "form", "input", "button", "svg", "math", "link", "meta", "base"),
    *("template", "noscript", "textarea", "xmp", "video", "audio", "select", "marquee", "frame", "frameset"),
}
SAFE_SCHEMES = ("https://", "http://", "mailto:", "ftp://", "magnet:", "mxc://", "cid:", "tel:", "#")


class Inspector(HTMLParser):
    """What a browser could act on."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in FORBIDDEN_TAGS:
            self.faults.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("srcdoc", "background", "action", "formaction"):
                self.faults.append(f"{tag} {name}")
            if name in ("href", "src") and not str(value).strip().lower().startswith(SAFE_SCHEMES):
                self.faults.append(f"{tag} {name}={value}")
            if tag == "img" and name == "src" and not str(value).startswith(("mxc://", "cid:")):
                self.faults.append(f"img {value}")
            if name == "style" and re.search(r"url|position|expression|import|behavior", str(value), re.IGNORECASE):
                self.faults.append(f"{tag} style={value}")


def faults_in(html: str) -> list[str]:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()
    return inspector.faults


def faults_in_page(html: str) -> list[str]:
    """The same for a whole page, whose head is our template's: it has metas and one style."""
    head, _, body = html.partition("<body")
    ours = [fault for fault in faults_in(head) if fault not in ("meta", "style")]
    assert head.count("<style") == 1
    return ours + faults_in(f"<body{body}")


def html_of(sent: EmailMessage) -> str:
    part = sent.get_body(("html",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize("vector", VECTORS)
async def test_html_of_a_mail_is_harmless_in_the_room(bridge: Bridge, vector: str) -> None:
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Message-ID"] = "Paul <paul@x.test>", LIST, "<html@x.test>"
    made["List-Id"] = "<bureau.listes.lab.test>"
    made["Subject"] = "[bureau] " + vector.replace("\x00", "")
    made.set_content(f"<p>Avant.</p>{vector}<p>Après.</p>", subtype="html")
    await bridge.receive(made.as_bytes())
    await bridge.receive(mail(vector + "\n", message_id="plain@x.test"))
    html, plain = await bridge.shown()
    assert faults_in(html["formatted_body"]) == []
    assert faults_in(plain["formatted_body"]) == []
    assert "Avant." in html["body"]
    assert "49" not in plain["body"]


@pytest.mark.parametrize("vector", VECTORS)
async def test_html_of_a_line_is_harmless_in_the_mail(bridge: Bridge, vector: str) -> None:
    await call(bridge, "@eve:lab.test", vector)
    formatted = {"format": "org.matrix.custom.html", "formatted_body": f"<p>Avant.</p>{vector}<p>Après.</p>"}
    await bridge.say(f"Avant. {vector}", sender="@eve:lab.test", **formatted)
    await bridge.say(vector, sender="@eve:lab.test")
    (sent,) = await bridge.settle()
    assert faults_in_page(html_of(sent)) == []
    assert "Avant." in html_of(sent)
    assert "49" not in html_of(sent)
    check_header((await all_mails(bridge))[-1])
