"""The letters beyond ASCII by which languages are told apart, the more frequent first."""

LATIN = {
    "German": "üäöß",
    "French": "éèàêçôùâîûœëïæÿ",
    "Spanish": "óíáñéúü",
    "Portuguese": "ãçáéóíêâõúôàü",
    "Italian": "àèìòùé",
    "Dutch": "ëéïèöüê",
    "Danish and Norwegian": "åøæéòôü",
    "Swedish and Finnish": "äåöéü",
    "Icelandic": "áíðéöóæþúý",
    "Polish": "łęążśóćńź",
    "Czech": "íáéěřščžýůúťňďó",
    "Slovak": "áíýčéžšúľťôňóäďŕĺ",
    "Hungarian": "áéöóőüíúű",
    "Croatian and Slovene": "čšžćđ",
    "Romanian": "ăîșțâşţ",
    "Albanian": "ëç",
    "Turkish": "ıüşğçöâîû",
    "Lithuanian": "ėšįųžūčąę",
    "Latvian": "āīēšūļņžķčģŗ",
    "Estonian": "äõüöšž",
}
OTHER = {
    "Russian": "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё",
    "Ukrainian": "оаинтівреслкдупмяьзбгйчхцїжюшєщфґ",
    "Bulgarian": "аоеитнрсвлкдпмзгябъучцжщхшюйфь",
    "Serbian": "аоеинрсјтдувкмпљлзгбшжчћњцђхџф",
    "Greek": "αοιετσνηυρπκμλςωδγχίόθέάήφβύώξζψϊϋΐ",
    "Hebrew": "יולהארמתבשנםדקעטפחגכזסצןךףץ",
    "Arabic": "المينرتبودعسفحكةقهجشطصخأذزىءثضغظئإآؤ",
}
PUNCTUATION = "„“”‚‘’‹›«»–—…•§°€£¥©®™²³µ½¼¾·×¡¿ªº№±\xa0\xad"
INSIDE_WORDS = "’·\xad\u200e\u200f\u200c\u200d"
AFTER = "°²³ªº®™\xa0\xad"
ASIDE = "«»„“”‚‘’‹›–—…\xa0"
