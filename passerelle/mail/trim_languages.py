"""The words by which mail programs introduce quotes, forwards and signatures, language by language.

Data only. All words are lower case and matched after `str.casefold` and after non-breaking spaces became spaces.
The languages are those of clients that the samples and the French-speaking lists show; a language that is missing
costs a quote left in, never a word of the author's.
"""

#: Verbs that end an attribution line (« a écrit : », "wrote:") or stand in its middle ("schrieb Hans:").
WROTE = (
    "wrote", "writes", "said", "says", "typed", "posted", "have written", "has written", "wrote in message",
    "a écrit", "à écrit", "a ecrit", "écrivait", "ecrivait", "écriviez", "ecriviez", "écrivais", "avez écrit",
    "as écrit", "ont écrit", "a dit", "disait", "a répondu", "a posté", "écrivit",
    "schrieb", "schrieben", "schreibt", "geschrieben", "schriebst",
    "schreef", "geschreven", "ha scritto", "scrisse", "scriveva", "scrive",
    "escribió", "escribio", "escribía", "ha escrito", "escreveu", "va escriure", "ha escrit",
    "napisał", "napisała", "napisał(a)", "napisał/a", "pisze", "napsal", "napsala", "napsal(a)", "napísal", "píše",
    "napisao", "napisala", "je napisao", "je napisala", "skrev", "skrev följande", "skriver", "kirjoitti",
    "написал", "написала", "написал(а)", "написав", "написала", "пишет", "пише", "писал", "писала", "написа",
    "írta", "ezt írta", "a scris", "yazdı", "şunu yazdı", "şunları yazdı", "έγραψε", "kirjutas", "rašė", "rakstīja",
    "đã viết", "menulis", "idatzi du", "skrifaði",
)  # fmt: skip

#: The same for scripts without spaces between words; these are looked for at the end of the line.
WROTE_UNSPACED = (
    "写道", "寫道", "写到", "のメール", "書きました", "님이 작성", "작성", "썼습니다", "כתב", "כתבה", "كتب",
)  # fmt: skip

#: Words by which an attribution line may begin (besides a date, a weekday or a name with its address).
LEADS = (
    "on", "in", "at", "le", "la", "am", "el", "il", "op", "den", "em", "dnia", "w dniu", "dne", "dňa", "pe", "în",
    "in data", "dans", "à", "a", "vào", "pada", "στις", "на", "от", "u", "på", "ngày", "tarihinde", "el día",
    "quoting", "selon", "citando", "zitat von", "citeren", "en réponse à", "in reply to", "message du", "hier,",
    "begin", "en", "er", "al", "dia", "no dia",
)  # fmt: skip

#: Leads that need no verb: "Quoting Jean <…>:", « Selon Jean <…> : » (Horde), « En réponse à … : ».
VERBLESS_LEADS = ("quoting ", "selon ", "citando ", "zitat von ", "en réponse à ", "cytowanie ", "cita de ")

#: Beginnings of month names, at least three letters, of the European languages above.
MONTHS = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    "fév", "fev", "avr", "mai", "juin", "juil", "aoû", "aou", "déc", "mär", "mrz", "okt", "dez", "maa", "mei",
    "gen", "mag", "giu", "lug", "ago", "set", "ott", "dic", "ene", "abr", "out", "maj",
    "sty", "lut", "kwi", "cze", "lip", "sie", "wrz", "paź", "paz", "lis", "gru", "tam", "hel", "huh", "tou", "kes",
    "hei", "elo", "syy", "lok", "mar", "jou", "янв", "фев", "мар", "апр", "мая", "май", "июн", "июл", "авг", "сен",
    "окт", "ноя", "дек", "січ", "лют", "бер", "кві", "тра", "чер", "лип", "сер", "вер", "жов", "лис", "гру",
    "led", "úno", "bře", "dub", "kvě", "čer", "srp", "zář", "říj", "pro", "ιαν", "φεβ", "mart", "şub", "nis",
)  # fmt: skip

#: Beginnings of weekday names, for attributions that start with one ("lun. 3 mars", "ср, 30 апр.").
WEEKDAYS = (
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "lun", "mar", "mer", "jeu", "ven", "sam", "dim",
    "die", "mit", "don", "fre", "son", "mié", "mie", "jue", "vie", "sáb", "sab", "dom", "gio", "maa", "din", "woe",
    "vri", "zat", "zon", "mån", "man", "tis", "tir", "ons", "tor", "lör", "lør", "sön", "søn", "пн", "вт", "ср",
    "чт", "пт", "сб", "вс", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
    "ma ", "ti ", "ke ", "to ", "pe ", "la ", "su ", "pon", "wto", "śro", "czw", "pią", "sob", "nie",
    "seg", "ter", "qua", "qui", "sex", "нд",
)  # fmt: skip

#: Field names that mail programs write above a quoted or forwarded message, by what they mean.
FIELDS: dict[str, tuple[str, ...]] = {
    "from": (
        "from", "de", "von", "van", "da", "od", "från", "fra", "lähettäjä", "от", "от кого", "від", "expéditeur",
        "feladó", "kimden", "de la", "发件人", "發件人", "寄件者", "差出人", "보낸 사람", "odesílatel", "remitente",
        "remetente", "mittente", "absender", "afzender", "avsändare", "afsender", "avsender", "saatja", "από",
    ),
    "to": (
        "to", "à", "a", "an", "aan", "al", "till", "til", "do", "para", "pour", "кому", "收件人", "宛先", "받는 사람",
        "vastaanottaja", "destinataire", "destinataires", "komu", "címzett", "kime", "per", "către", "προς", "pro",
    ),
    "date": (
        "date", "datum", "data", "fecha", "dato", "päivämäärä", "päiväys", "дата", "日期", "日時", "날짜", "dátum",
        "tarih", "message du", "dnia", "le",
    ),
    "sent": (
        "sent", "envoyé", "envoye", "envoyé le", "envoyé(e)", "date d'envoi", "gesendet", "gesendet am", "verzonden",
        "inviato", "inviato il", "enviado", "enviado el", "enviado em", "enviada em", "skickat", "sendt", "lähetetty",
        "wysłano", "wysłane", "odesláno", "отправлено", "надіслано", "发送时间", "發送時間", "傳送日期", "送信日時",
        "보낸 날짜", "trimis", "gönderildi", "elküldve", "posted at", "sent at", "saadetud",
    ),
    "subject": (
        "subject", "objet", "sujet", "betreff", "onderwerp", "oggetto", "asunto", "assunto", "ämne", "emne", "aihe",
        "temat", "předmět", "predmet", "tárgy", "тема", "konu", "主题", "主題", "件名", "제목", "subiect", "teema",
        "θέμα", "assumpte",
    ),
    "other": (
        "cc", "bcc", "cci", "copie", "copie à", "copies", "kopie", "kopia", "kopi", "copia", "cópia", "kopio", "dw",
        "копия", "抄送", "reply-to", "répondre à", "répondre a", "antwort an", "risposta", "rispondi a",
        "importance", "priorité", "wichtigkeit", "priority", "pièces jointes", "pièce jointe", "attachments",
        "attachment", "anlagen", "organization", "organisation", "newsgroups", "groupes de discussion", "message-id",
        "kopia do", "in-reply-to", "references", "sender", "résumé", "responder a", "sensitivity",
    ),
}  # fmt: skip

#: What stands between the dashes of "-----Original Message-----" and its sisters: any of these words.
MESSAGE_WORDS = (
    "message", "mail", "e-mail", "email", "courriel", "nachricht", "mensaje", "mensagem", "messaggio", "bericht",
    "meddelande", "meddelelse", "besked", "melding", "viesti", "wiadomość", "wiadomosc", "zpráva", "správa",
    "сообщение", "повідомлення", "üzenet", "ileti", "mesaj", "邮件", "郵件", "メッセージ", "메시지", "missatge",
)  # fmt: skip

#: Besides one of MESSAGE_WORDS, one of these, so that "--- Message 1 ---" is no separator.
ORIGINAL_WORDS = (
    "origin", "d'origine", "d’origine", "ursprünglich", "oorspronkelijk", "oprindelig", "opprinnelig", "originale",
    "alkuperäinen", "oryginalna", "původní", "исходное", "оригинальное", "вихідне", "eredeti", "orijinal",
    "原始", "元の", "원본", "пересылаемое", "reply message", "auszug",
)  # fmt: skip
FORWARD_WORDS = (
    "forward", "fwd", "transféré", "transfere", "transféré(e)", "réexpédié", "reexpedie", "transmis",
    "weitergeleitet", "doorgestuurd", "inoltrato", "reenviado", "reenviada", "encaminhada", "vidarebefordr",
    "videresendt", "videresendte", "välitetty", "przekazan", "přeposlan", "пересла", "перенаправ", "转发", "轉寄",
    "továbbított", "iletilen", "redirecționat", "reenviat",
)  # fmt: skip

#: Lotus Notes: « ----- Transféré par Jean Dupont le 03/03/2025 14:05 ----- ».
FORWARDED_BY = ("forwarded by ", "transféré par ", "réexpédié par ", "weitergeleitet von ", "reenviado por ")

#: "Begin forwarded message:" of Apple Mail and its translations: a whole line.
FORWARD_LINES = (
    "begin forwarded message", "début du message réexpédié", "début du message transféré", "message transféré",
    "message réexpédié", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail",
    "inizio messaggio inoltrato", "inicio del mensaje reenviado", "início da mensagem reencaminhada",
    "begin doorgestuurd bericht", "vidarebefordrat brev", "start på videresendt besked", "videresendt melding",
    "välitetty viesti alkaa", "rozpoczęcie przekazywanej wiadomości", "начало переадресованного сообщения",
    "початок листа, що пересилається", "下面是被转发的邮件", "início da mensagem encaminhada",
)  # fmt: skip

#: How the line of a telephone or of a mail program begins that advertises itself.
SENT_FROM = (
    "sent from", "sent via", "sent with", "sent by", "sent using", "sent on", "from my", "get outlook for",
    "download outlook", "envoyé de mon", "envoyé de ma", "envoyé de mes", "envoyé depuis", "envoyé à partir",
    "envoyé avec", "envoyé par", "envoyé via", "envoyé d'un", "envoyé d’un", "envoye de mon", "envoye depuis",
    "de mon iphone", "de mon ipad", "depuis mon iphone", "depuis mon mobile", "depuis mon téléphone",
    "provenance : courrier", "téléchargez outlook", "obtenir outlook", "obtenez outlook", "télécharger outlook",
    "posté depuis", "message envoyé depuis", "message envoyé de", "message envoyé avec", "écrit depuis",
    "courriel envoyé depuis", "gesendet von", "gesendet mit", "von meinem", "diese nachricht wurde von",
    "verzonden vanaf", "verstuurd vanaf", "verzonden met", "verstuurd met", "inviato da", "enviado desde", "enviado de",
    "enviado do", "enviado a partir", "enviado con", "enviado com", "enviado pelo", "skickat från", "skickades från",
    "sendt fra", "sendt via", "sendt med", "lähetetty", "wysłane z", "wysłano z", "odesláno z", "odoslané z",
    "отправлено с", "отправлено из", "надіслано з", "trimis de pe", "從我的", "发自我的", "iphoneから送信", "내 iphone",
)  # fmt: skip

#: Of these, the ones that are believed even with other lines right above and below.
SENT_FROM_SURELY = ("Envoyé de mon ", "Envoyé depuis mon ", "Sent from my ", "Von meinem ")

#: The same for languages that put the verb last.
SENT_FROM_ENDS = ("傳送", "发送", "から送信", "gesendet", "from mobile")

#: What is named there: a device, a system, a program. One of them, or "my …", makes the line a signature.
DEVICES = (
    "iphone", "ipad", "ipod", "android", "blackberry", "samsung", "galaxy", "huawei", "xiaomi", "redmi", "oneplus",
    "nokia", "sony", "xperia", "htc", "wiko", "pixel", "motorola", "lenovo", "honor", "oppo", "fairphone", "alcatel",
    "windows", "outlook", "mail", "mailbox", "airmail", "yahoo", "gmail", "k-9", "thunderbird", "proton", "orange",
    "laposte", "la poste", "sfr", "free", "bouygues", "mobile", "mobil", "smartphone", "telephone", "téléphone",
    "portable", "phone", "tablet", "tablette", "cell", "handy", "ordiphone", "device", "gerät", "mac", "zimbra",
    "fairemail", "bluemail", "typeapp", "spark", "aquamail", "nine", "messagerie", "appareil", "telefon", "handheld",
    "treo", "palm", "courrier", "tutanota", "tuta", "móvil", "celular", "cellulare", "telefoon", "mobiltelefon",
)  # fmt: skip

#: Greetings that may stand alone above a quote without making the answer an interleaved one.
SALUTATIONS = (
    "bonjour", "bonsoir", "salut", "hello", "coucou", "cher", "chère", "chers", "chères", "re", "hi", "hey", "dear",
    "hallo", "guten", "liebe", "lieber", "sehr", "moin", "hola", "ciao", "hej", "bjr", "slt", "re-bonjour", "allo",
    "rebonjour", "madame", "monsieur", "mesdames", "messieurs", "good", "servus", "buongiorno", "bom", "olá",
)  # fmt: skip

#: Formulas that are abbreviations, hence nobody's own words; with the name below them they are a signature.
ABBREVIATED_CLOSINGS = (
    "cdlt", "cdt", "bàv", "bav", "mfg", "mvh", "kh", "vh", "vlg", "lg", "vg", "br", "rgds", "mfkg", "mvg", "b. rgds",
)  # fmt: skip
