"""How people say that they come, object, agree, have done something: phrases for `core.answer_table`. Pure.

The notation is that of `core.phrases`.
"""

from collections.abc import Mapping

#: What several phrases have in common.
SLOTS: Mapping[str, str] = {
    "yes": "oui\nok\nd'accord\nbien sur\nyes",
    "alas": "malheureusement\nhelas\nvraiment\nhelas vraiment",
    "there": """
        la
        (present|presente|presents|presentes)
        (des votres|parmi vous|parmi nous|au rendez vous)
        (disponible|disponibles|dispo|dispos|libre|libres)
    """,
    "come": """
        venir
        etre {there}
        y (aller|etre|participer|assister|venir)
        (participer|assister) [a la reunion|a cette reunion|a l'assemblee]
        (me|nous|se) (liberer|joindre a vous|deplacer|rendre disponible|rendre disponibles)
        (m'y|nous y|s'y) rendre
    """,
    "away": """
        (absent|absente|absents|absentes|excuse|excusee|excuses|excusees)
        (indisponible|indisponibles|indispo|empeche|empechee|empeches|pris|prise)
    """,
    "objection": "objection\nopposition",
}

COMING = """
    [{yes}] je (viens|viendrai|viendrais|participe|participerai|m'inscris)
    [{yes}] je (viens|viendrai) seulement
    [{yes}] je serai [bien] {there}
    [{yes}] je suis (dispo|disponible|partant|partante|des votres)
    [{yes}] je (peux|pourrai) [{come}]
    [{yes}] je compte [bien] {come}
    [{yes}] je confirme ma (venue|presence|participation)
    [{yes}] j'y (serai|vais|participe|participerai)
    [{yes}] (j'irai|comptez sur moi|compte sur moi|moi aussi je viens|moi aussi je viendrai)
    [yes] (i'll|i will|i can) (come|be there|attend|make it)
    [yes] (i'm|i am) (coming|attending)
    count me in
"""
COMING_BOTH = """
    [{yes}] nous (venons|viendrons|participons|participerons)
    [{yes}] nous serons [bien] {there}
    [{yes}] nous (pouvons|pourrons) [{come}]
    [{yes}] nous (y serons|y allons|comptons venir)
    [{yes}] nous sommes (dispos|disponibles|partants|partantes|des votres)
    [{yes}] nous confirmons notre (venue|presence|participation)
    [{yes}] on (vient|viendra|participe|participera|y sera|y va)
    [{yes}] on sera [bien] {there}
    [{yes}] on (peut|pourra) [{come}]
    comptez sur nous
    [yes] (we'll|we will|we can) (come|be there|attend|make it)
    [yes] (we're|we are) (coming|attending)
"""
COMING_FIRST = "(present|presente|moi aussi|inscrit|inscrite|coming)"
COMING_FIRST_BOTH = "(presents|presentes|tous les deux|toutes les deux)"

NOT_COMING = """
    [non|no] je [ne] (viens|viendrai|viendrais|participe|participerai) [{alas}] pas
    [non|no] je [ne] (peux|pourrai|pourrais) [{alas}] pas [{alas}] [{come}]
    [non|no] je ne (peux|pourrai|pourrais|puis|saurais) [{alas}] {come}
    [non|no] je [ne] (serai|suis) [{alas}] pas [{alas}] {there}
    [non|no] je (serai|suis) [{alas}] {away}
    [non|no] je (n'y serai|n'y vais|n'irai|n'y participerai|n'y assisterai) [{alas}] pas
    [non|no] (j'y serai|j'y vais|j'irai) pas
    (ne comptez|comptez|ne compte|compte) pas sur moi
    [ce sera|ce ne sera pas|ca sera|c'est|ca va etre] impossible [pour moi]
    [ce sera|ce ne sera|ca sera|ca ne sera|c'est|ce n'est] [{alas}] pas possible [pour moi]
    pas (dispo|disponible|libre) [pour moi]
    (veuillez|merci de|je vous prie de|je te prie de|priere de|je vous demande de) [bien vouloir] m'excuser
    (i can't|i cannot|i can not|i won't|i will not|i'm unable to) [be able to] [come|be there|make it|attend]
    (i'm|i am) not coming
    (count me out|not coming|sans moi)
"""
NOT_COMING_BOTH = """
    [non] nous [ne] (venons|viendrons|participons|participerons) [{alas}] pas
    [non] nous [ne] (pouvons|pourrons|pourrions) [{alas}] pas [{alas}] [{come}]
    [non] nous ne (pouvons|pourrons|pourrions|saurions) [{alas}] {come}
    [non] nous [ne] (serons|sommes) [{alas}] pas [{alas}] {there}
    [non] nous (serons|sommes) [{alas}] {away}
    [non] nous (n'y serons|n'y allons|n'irons) [{alas}] pas
    [non] on [ne] (vient|viendra|participe|participera) [{alas}] pas
    [non] on [ne] (peut|pourra) [{alas}] pas [{alas}] [{come}]
    [non] on [ne] (sera|est) [{alas}] pas [{alas}] {there}
    [non] on (sera|est) {away}
    [non] on (n'y sera|y sera|n'y va|n'ira) pas
    excusez nous
    (veuillez|merci de|nous vous prions de) [bien vouloir] nous excuser
    (we can't|we cannot|we won't|we will not) [be able to] [come|be there|make it|attend]
    (we're|we are) not coming
"""
NOT_COMING_FIRST = """
    (absent|absente|excuse|excusee|excused|indisponible|indispo|empeche|empechee|impossible)
    (excusez moi|excuse moi|je m'excuse|pas possible)
"""
NOT_COMING_FIRST_BOTH = "(absents|absentes|excuses|excusees|indisponibles|empeches)"

PERHAPS = """
    je (viens|viendrai|passerai|serai la) peut etre
    peut etre que je (viens|viendrai|pourrai venir|serai la)
    je (viens|viendrai) si possible
    je pense (venir|etre la|pouvoir venir|que oui)
    je (vais essayer|vais tenter|tacherai|essaierai|tenterai) (de venir|d'etre la|de passer)
    (j'essaierai|j'essayerai|j'essaie) (de venir|d'etre la|de passer)
    je ferai [mon|tout mon] possible [pour venir|pour etre la]
    je [ne] sais pas [encore] si je (viens|viendrai|peux venir|pourrai venir|serai la|peux|pourrai)
    (i might|i may) (come|be there)
    i'll try [to come]
"""
PERHAPS_BOTH = """
    (nous viendrons|nous venons|on viendra|on vient) peut etre
    nous (pensons venir|essaierons de venir|allons essayer de venir)
    nous ne savons pas [encore] si nous (venons|viendrons|pourrons venir|serons la|pouvons venir)
"""
PERHAPS_FIRST = """
    [oui] peut etre [bien|que oui]
    je [ne] sais pas [encore|trop]
    [je ne suis|je suis] pas [encore] (sur|sure|certain|certaine) [du tout]
    (a voir|a confirmer|je verrai|probablement|sans doute|normalement|normalement oui|normalement je viens)
    je vous (dirai|redis|tiens au courant|confirme plus tard)
    (j'essaierai|j'essaierai d'y etre|je vais essayer)
    (maybe|perhaps|i don't know|i don't know yet|not sure|not sure yet)
"""
PERHAPS_FIRST_BOTH = """
    nous ne savons pas [encore]
    on [ne] sait pas [encore]
    (nous verrons|on verra)
"""

YES = """
    (oui|oui oui|ouais|ok|okay|d'accord|entendu|yes|yep|sure|yes please|ok d'accord|oui d'accord|oui bien sur)
    (c'est d'accord|bien sur que oui|bien sur oui|mais oui|oui volontiers|oui avec plaisir)
    (volontiers|bien sur|bien entendu|evidemment|bien evidemment|avec plaisir|avec grand plaisir|avec joie)
    [oui] (je confirme|je le confirme|confirme|confirmee|i confirm|confirmed|je suis d'accord|c'est confirme)
    [oui] (ca me va|ca me convient|ca marche|c'est bon|c'est ok|c'est parfait)
    (oui|ok|okay|d'accord|bon|c'est bon|c'est ok|c'est d'accord|parfait|ca marche) pour (moi|ma part)
    (moi oui|pas de souci|pas de soucis|pas de probleme|aucun souci|aucun probleme|no problem)
"""
YES_BOTH = """
    (oui|ok) (tous les deux|toutes les deux|a deux)
    (oui|ok|d'accord|bon|c'est bon|c'est ok|c'est d'accord) pour (nous|nous deux|les deux)
    [oui] nous confirmons
    ca nous (va|convient)
"""
NO = """
    (non|non non|non merci|nope|no|surtout pas|no thanks|no thank you|je refuse|je ne confirme pas)
    non pour (moi|ma part)
"""
NO_BOTH = "non pour (nous|nous deux|les deux)"

OBJECTION = """
    [une|j'ai une|mon|nous avons une] {objection} [formelle] [a|sur|concernant] [cette|la] [decision] {n}
    [une|j'ai une|nous avons une] {objection} (a|au|aux|sur|contre|concernant|sur le|sur la) …
    [oui|non] (je fais|nous faisons|je souleve|j'emets|nous emettons|je formule) [une|mon|notre] {objection} …
    [oui|non] (je m'oppose|je m'y oppose|nous nous opposons|nous nous y opposons) …
    [non] (je ne suis|je suis) pas [du tout|vraiment|tout a fait] d'accord …
    [non] (nous ne sommes|nous sommes|on n'est|on est) pas [du tout|vraiment|tout a fait] d'accord …
    (je suis|nous sommes|on est) [tout a fait|totalement|plutot|resolument] contre …
    (je mets|j'oppose|nous mettons) (mon|un|notre) veto …
    (i|we) (object|disagree) …
"""
OBJECTION_FIRST = """
    [non] pas [du tout|vraiment|tout a fait] d'accord …
    (contre|veto)
"""
WITHDRAW = """
    [finalement] (je retire|je leve|j'annule|j'enleve|je reprends) (mon objection|l'objection|mon opposition) {n}
    [finalement] (nous retirons|nous levons|nous annulons) (notre objection|l'objection) {n}
    (je n'ai plus|nous n'avons plus) (d'objection|d'objections)
    (je ne m'oppose plus|je ne m'y oppose plus|je ne suis plus contre|je ne suis plus oppose|je ne suis plus opposee)
    i (withdraw|take back) my objection {n}
"""
WITHDRAW_FIRST = "[mon|l'] objection {n} [est] (levee|retiree|annulee|withdrawn)"

DONE = """
    [ca y est] [c'est|c'etait|cela est] [deja|bien] (fait|faite|faits|faites|regle|reglee|termine|terminee|done) {n}
    [ca y est] (je l'ai|je les ai|nous l'avons|on l'a) [deja|bien] (fait|faite|faits|faites|regle|reglee)
    (ca y est|je m'en suis occupe|je m'en suis occupee|it's done|it is done|all done)
    [action|l'action] {n} [c'est|est|sont] (fait|faite|faits|faites|reglee|done)
    (j'ai fait|nous avons fait|j'ai termine) {n}
"""
RETURNED = """
    [c'est|ca y est] [bien] (rendu|rendue|rendus|rendues|restitue|rapporte|ramene|returned) {n}
    [ca y est] (je l'ai|je les ai|nous l'avons|nous les avons) (rendu|rendue|rendus|rendues|rapporte|rapportee|ramene)
    (it's back|i gave it back|i've returned it|i returned it)
"""
ADOPT = """
    [la] [decision] [est|c'est] (adopte|adoptee|adoptes|adoptees|adopter|adopted) {n}
    (on adopte|nous adoptons|j'adopte|we adopt) {n}
    [la] decision {n} [est] (adoptee|adopted)
"""
DROP = """
    [la] [decision|action] [est|c'est] (abandonne|abandonnee|abandonnees|abandonner|rejete|rejetee|dropped) {n}
    (on abandonne|nous abandonnons|j'abandonne|on laisse tomber|we drop it) {n}
    [la] (decision|action) {n} [est] (abandonnee|rejetee|dropped)
"""
APPROVE = """
    [c'est|compte rendu|le compte rendu est] (approuve|approuvee|approuves|valide|validee|conforme|approved)
    (j'approuve|nous approuvons|je valide|nous validons|i approve) [le compte rendu|le cr|le pv|les minutes|the minutes]
    (rien a redire|rien a corriger|rien a ajouter|rien a modifier|rien a signaler|ras|looks good)
    (pas de|aucune|sans|je n'ai pas de|je n'ai aucune|nous n'avons pas de) (correction|corrections|remarque|remarques)
    (pas de|aucune|sans|je n'ai pas de|je n'ai aucune|nous n'avons pas de) (modification|modifications|observation)
    (pas d'objection|aucune objection|sans objection|je n'ai pas d'objection|nous n'avons pas d'objection)
    (je n'ai aucune objection|pas d'objections|je ne m'oppose pas|je ne m'y oppose pas)
    tout est (bon|juste|exact|correct)
    (no changes|no corrections|no objection|no objections|nothing to change|nothing to correct)
"""
QUIET = """
    (plus|pas|sans|stop|assez|arreter|arretez|arrete|stopper|stoppez) (de rappel|de rappels|les rappels|rappel|rappels)
    (stop|halte) (aux rappels|a ces rappels)
    (je ne veux|nous ne voulons) (plus|pas) [recevoir] (de rappel|de rappels|vos rappels|ces rappels)
    [merci de|veuillez] ne plus (m'envoyer|nous envoyer|envoyer) de (rappel|rappels)
    [merci de|veuillez] ne plus (me rappeler|nous rappeler)
    ne (m'envoyez|nous envoyez|m'envoie) plus de (rappel|rappels)
    (ne me rappelez plus|ne nous rappelez plus|inutile de me rappeler|inutile de nous rappeler)
    [please] (no|no more|stop|stop the|without) reminders
    don't remind me [again]
"""
QUIET_FIRST = "(stop|silence|quiet)"

#: What is said of others, behind their names.
OTHERS_PERHAPS = """
    (vient|viendra|viennent|viendront|sera la|seront la) peut etre
    (ne sait|ne savent|sait|savent) pas [encore]
    (peut etre|va essayer de venir|vont essayer de venir|might come)
"""
OTHERS_NOT_COMING = """
    [ne] (vient|viendra|viennent|viendront|participe|participera|participeront) [{alas}] pas
    [ne] (peut|pourra|peuvent|pourront) [{alas}] pas [{alas}] [{come}]
    ne (peut|pourra|peuvent|pourront) [{alas}] {come}
    [ne] (sera|seront|est|sont) [{alas}] pas [{alas}] {there}
    (sera|seront|est|sont) [{alas}] {away}
    (absent|absente|absents|absentes|excuse|excusee|excuses|excusees)
    (n'est|n'y sera|n'y seront|n'ira|n'iront) pas [{there}]
    (s'excuse|s'excusent|dit non|prie de l'excuser|isn't coming|is not coming|aren't coming|are not coming)
    (can't|cannot|won't) come
"""
OTHERS_COMING = """
    (vient|viendra|viennent|viendront|participe|participera|participeront|y sera|y seront)
    (sera|seront) [bien] {there}
    (dit oui|disent oui|present|presente|presents|presentes|aussi|egalement)
    (confirme sa|confirment leur) (venue|presence)
    (is coming|are coming|will come|will be there)
"""
OTHERS_OBJECT = """
    (n'est|n'etait|est) pas [du tout] d'accord …
    (ne sont|sont) pas [du tout] d'accord …
    (s'oppose|s'y oppose|s'opposent|s'y opposent) …
    (fait|font|a|ont) [une] {objection} …
    (est|sont) contre …
    (objects|object|disagrees|disagree) …
"""
#: The same, of others and the author together: « Annie et moi viendrons ».
TOGETHER_PERHAPS = """
    (venons|viendrons|serons la) peut etre
    ne savons pas [encore]
"""
TOGETHER_NOT_COMING = """
    [ne] (venons|viendrons|participons|participerons) [{alas}] pas
    [ne] (pouvons|pourrons) [{alas}] pas [{alas}] [{come}]
    ne (pouvons|pourrons) [{alas}] {come}
    [ne] (serons|sommes) [{alas}] pas [{alas}] {there}
    [serons|sommes] {away}
    (can't come|cannot come|won't come|are not coming|aren't coming)
"""
TOGETHER_COMING = """
    (venons|viendrons|participons|participerons|y serons)
    serons [bien] {there}
    (are coming|will come|will be there)
"""
TOGETHER_OBJECT = """
    [ne] sommes pas [du tout] d'accord …
    sommes contre …
    nous (opposons|y opposons) …
"""

#: What may follow « je viens » without changing it; it is taken off the end, piece by piece.
TAILS = """
    (bien sur|volontiers|avec plaisir|avec grand plaisir|avec joie|sans faute|aussi|egalement|bien|evidemment)
    (normalement|merci|merci beaucoup|svp|s'il vous plait|moi aussi|du coup|comme prevu|cette fois|cette fois ci|encore)
    (malheureusement|helas|desole|desolee|desoles|desolees|de ma part|de notre part|pour ma part)
    (tous les deux|toutes les deux|tous deux|toutes deux|a deux|tous|toutes|ensemble|tous les trois)
    sauf (imprevu|empechement|contre ordre|contretemps)
    a (la|cette) (reunion|rencontre|fete|soiree|seance|date|assemblee)
    a (l'ag|l'assemblee|l'assemblee generale|l'atelier|l'evenement)
    (au rendez vous|au ca|au bureau|au conseil|pour cette fois|pour la reunion|pour cette reunion|ce jour la|cette date)
    [pour|a] [le|la|ce|cette|de|du] {day}
    [pour] [le|du] {d} [{month}]
    [on] {weekday}
    (thanks|thank you|too|tomorrow|tonight|to the meeting|with pleasure|yet)
"""
DAYS: Mapping[str, str] = {
    "weekday_name": """
        (lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)
        (monday|tuesday|wednesday|thursday|friday|saturday|sunday)
    """,
    "clock": "[a|at|vers] {t}",
    "day": """
        (lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche) [prochain|soir|matin|midi|apres midi]
        (demain|aujourd'hui) [soir|matin|midi|apres midi]
        (soir|matin|midi|apres midi|semaine|semaine prochaine|week end|soiree|jour) [la]
    """,
    "weekday": "monday\ntuesday\nwednesday\nthursday\nfriday\nsaturday\nsunday",
    "month": """
        (janvier|fevrier|mars|avril|mai|juin|juillet|aout|septembre|octobre|novembre|decembre)
        (january|february|march|april|may|june|july|august|september|october|november|december)
    """,
}
#: Of several days that were asked about.
CHOICES = """
    [plutot|c'est|ce sera|pour|ce serait] [le|la|du|the|on] [{weekday_name}] [le|the] {d} [of] [{month}] [{clock}]
    [plutot|c'est|ce sera|pour|ce serait] [le|ce|on] {weekday_name} [prochain|soir|matin|apres midi] [{clock}]
    [plutot|c'est|ce sera] (le premier|la premiere|le deuxieme|la deuxieme|le second|la seconde|le dernier|la derniere)
    (the first|the second|the last) [one]
"""
