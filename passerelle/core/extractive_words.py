"""Words for telling sentences apart, and for what says nothing of what a sentence is about; all folded. Pure."""

#: A point behind one of these ends no sentence.
SHORTENED = frozenset(
    word for line in (
        "approx art av avr bd bld cf ch dec dim dr env ex fev fevr janv jeu juil lun m mar max me mer min mlle",
        "mlles mm mme mmes mr mrs ms n no nov num oct p pr ref sam sept st ste tel ven vs",
    ) for word in line.split()
)  # fmt: skip
#: French first, a little English: in both languages of an association's conversations.
STOP_WORDS = frozenset(
    word for line in (
        "a ai aie aient ais ait alors amicalement amities and apres are as au aucun aucune aujourd aura aurait",
        "aussi autre autres aux avait avant avec avez avoir avons bien bientot bises bisous bon bonjour bonne",
        "bonsoir but by ca car ce ceci cela celle celles celui ces cet cette ceux chez ci comme comment",
        "cordialement cordiales d dans de deja depuis des donc dont du elle elles en encore entre es est et",
        "etaient etait etant etc ete etes etre eu eux faire fait faut fois for from hello hui i ici il ils in is",
        "it j je jour journee juste l la le les leur leurs lui ma mais me meme memes merci mes mettre mieux moi",
        "moins mon my n ne ni nos notre nous of oh ok on ont ou oui par pas peu peut peuvent peux plus plutot pour",
        "pourquoi pouvez qu quand que quel quelle quelles quels qui quoi s sa salut salutations sans se sera",
        "serait ses si soiree soit sommes son sont sous suis sur t ta te tes that the their them then these they",
        "this to toi ton tous tout toute toutes tres trop tu un une va vers very voici voila vos votre vous vu was",
        "we were what will with y you your",
    ) for word in line.split()
)  # fmt: skip
