"""Function words: in every text, so that they say nothing about any. The lists are short; rarity does the rest."""

STOP_WORDS: dict[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "english": """
            a about after again all also am an and any are as at be because been before being between both but by can
            could did do does doing down during each few for from further had has have having he her here hers him his
            how i if in into is it its itself just me might more most must my no nor not of off on once only or other
            our ours out over own same shall she should so some such than that the their theirs them then there these
            they this those through to too under until up upon us very was we were what when where which while who whom
            whose why will with would you your yours
        """,
        "german": """
            aber als am an auch auf aus bei bin bis bist da dann das dass dem den der des die dies diese diesem diesen
            dieser dieses doch dort du durch ein eine einem einen einer eines er es euch euer für hat hatte hatten
            haben ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes kann kein
            keine man mein meine mit nach nicht noch nun nur ob oder ohne sehr sein seine seinem seinen seiner sich sie
            sind so über um und uns unser unter vom von vor war waren warum was weil welche welcher welches wenn wer
            werden wie wieder wir wird wo zu zum zur
        """,
        "french": """
            à ai au aux avec ce ces cet cette comme d dans de des du elle elles en est et eu il ils j je l la le les
            leur leurs lui m ma mais me même mes moi mon n ne nos notre nous on ont ou où par pas pour qu que quel
            quelle quelles quels qui quoi s sa sans se sera ses si son sont sur t ta te tes toi ton tu un une vos votre
            vous y été être
        """,
        "spanish": """
            a al algo como con cuál cuáles cuando cuándo de del desde donde dónde el ella ellas ellos en entre era es
            esa ese eso esta está están este esto estos fue ha han hasta hay la las le les lo los más me mi muy ni no
            nos o para pero por porque qué que quién quiénes se ser si sin sobre son su sus también te tu un una unas
            uno unos y ya yo
        """,
        "italian": """
            a ad al alla alle anche c che chi ci come con cosa cui da dal dalla dei del della delle di dove e ed era
            essere fra gli ha hanno i il in io l la le lei lo loro lui ma mi ne nei nel nella noi non o per perché più
            quale quali quando quanto quello questa questo se si sono su sua sul sulla suo tra tu un una uno vi
        """,
        "portuguese": """
            a ao aos as até com como da das de dela dele do dos e ela elas ele eles em entre era essa esse esta este eu
            foi há isso isto já lhe mais mas me mesmo muito na nas nem no nos não o onde os ou para pela pelo por
            porque qual quais quando que quem se sem ser seu sua são só também te tem um uma você à às é
        """,
        "dutch": """
            aan al als bij dan dat de der deze die dit door een en er had hebben heeft het hij hoe hun ik in is je kan
            maar me met mijn na naar niet nog nu of om omdat ons ook op over te tot u uit van voor waar waarom wanneer
            was wat we welke wie wij wordt worden ze zich zij zijn zo zou
        """,
        "swedish": """
            alla att av de dem den denna det detta du där efter eller en ett från för ha han har hon hur i icke inte
            jag kan man med men min mot ni nu när och om på sig sin som så till under upp ut vad var vi vid vilken
            vilket är över
        """,
        "danish": """
            af alle at da de dem den denne der det dette dig din disse du efter eller en er et for fra han har hun hvad
            hvem hvilken hvor hvordan hvorfor i ikke jeg kan man med men mig min nu når og om op os over på sig sin som
            så til ud under var ved vi
        """,
        "norwegian": """
            alle at av da de deg den denne der det dette din disse du eller en er et etter for fra ha han har hun hva
            hvem hvilken hvor hvordan hvorfor i ikke jeg kan man med meg men min når og om opp oss over på seg sin som
            så til under ut var ved vi
        """,
        "russian": """
            а без бы был была были было быть в вам вас во вот все вы где да для до его ее если есть еще ж же за и из
            или им их к как какая какие какой когда который кто ли мне мы на над не нет ни но о об он она они оно от по
            под при с со так также такой там то того только тот ты у уже что чтобы эта эти это этот я
        """,
    }.items()
}
