"""What a character declines to talk about: insults, sex, hate, drugs and arms, private data.

A filter that works alone, without any provider, on what players type and on what models say.
Portuguese first, English too. It sees through accents, stretched letters, digits and signs in
place of letters, letters of other scripts, and letters spaced apart.

The stories are about crime, cattle and dead fish, so a word that has an honest use (*vaca*,
*veado*, *pau*, *sexo*, *droga*, *matar*) counts only in a phrase that has none. On the honest
questions of `bench/director` and of the cases it finds nothing (a test holds that).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal

Indecency = Literal["hate", "sexual", "insult", "harmful", "personal"]

_YOU_ARE = (
    r"(?:(?:voce|tu|o senhor|a senhora) (?:e|parece)|voces sao|seus?|suas?|teu|tua)"
    r" (?:um |uma |uns |mesmo |muito |bem |tao |so )*"
)
_YOU_ARE_EN = r"(?:you|ya) (?:are |re |r |look like )?(?:all |just |such |so |really |a |an |the )*"
_BEAST = (
    r"(?:vaca|burr[oa]|jument[oa]|anta|cadela|cachorr[oa]|galinha|piranha|cobra|porc[oa]|egua"
    r"|veado|ratazana|lesma|lixo|demonio|praga|peste)s?"
)
_FOOL = (
    r"(?:idiota|imbecil|otari[oa]|babaca|trouxa|retardad[oa]|mongol(?:oide)?|debil mental"
    r"|palhac[oa]|inutil|nojent[oa]|ridicul[oa]|escrot[oa]|vagabund[oa]|vadia|desgracad[oa]"
    r"|corn[oa]|pilantra|verme|pateta|tapad[oa]|lerd[oa]|velh[oa] (?:chat|burr|gag|nojent)\w+)s?"
)
_DUMB = r"(?:idiots?|morons?|stupid|dumb|dumbass|imbeciles?|losers?|retards?|retarded)"
_FOUL = (
    r"(?:ugly|worthless|pathetic|trash|garbage|pig|cow|donkey|jerk|creep|freak|useless"
    r"|piece of \w+)"
)
_DRUG = r"(?:drogas?|maconha|baseados?|beck|cocaina|crack|lsd|ecstasy|lanca perfume|vape)"
_DRUG_EN = r"(?:drugs?|weed|marijuana|cocaine|coke|crack|meth|lsd|ecstasy|heroin|vapes?)"
_ARM = r"(?:armas?|revolver|pistolas?|fuzil|municao|bombas?(?! d)|granadas?|explosivos?)"
_ARM_EN = r"(?:guns?|pistols?|rifles?|bombs?|grenades?|explosives?|ammo)"
_SOMEBODY = (
    r"(?:alguem|uma pessoa|gente|(?:uma?|(?:o |a )?meu|(?:a )?minha) "
    r"(?:colega|professora?|menin[oa]|vizinh[oa]|pai|mae|irmao|irma|padrasto|namorad[oa]))"
)
_SOMEBODY_EN = (
    r"(?:some(?:one|body)|people|a person|my (?:teacher|classmate|brother|sister|mom|dad))"
)
_I_MAY = r"(?: e que)?(?: eu| a gente| posso| da pra| se| faco pra| faz pra| fazer pra)*"
_HOW_I = r"(?:how (?:do i|can i|to)|where (?:can|do) i|teach me (?:how )?to)"
_BARE = r"(?:pelad[oa]|nua?|sem (?:roupa|calcinha|cueca|blusa))"
_ROD = r"(?:pau|pica|rola|pinto|piroca|cacete|caralho)"
_NUMBER_OF = r"(?:numero de )?(?:telefone|celular|zap|whats(?:app)?|wpp)"
_NETWORK = r"(?:insta(?:gram)?|tiktok|discord|snap(?:chat)?)"

_PATTERNS: dict[Indecency, tuple[str, ...]] = {
    "hate": (
        r"viad(?:os?|inhos?|agem)|boiolas?|baitolas?|travecos?|bich(?:ona|inha louca)",
        r"(?:sua|voce e uma?|tu e uma?) (?:bicha|sapatao|crioul[oa])|seu crioulo",
        (
            r"(?:seus?|suas?) (?:pret|negr|indi|nordestin)[oa]s? "
            r"(?:de merda|fedid|suj|imund|burr|nojent)\w*"
        ),
        r"macac[oa]s? (?:fedid|imund|nojent)[oa]s?|^seu macaco|^sua macaca",
        r"(?:voce|ele|ela) (?:e|parece) uma? macac[oa]$",
        (
            r"(?<!rio )(?<!agua )(?<!lama )(?:pret|negr|indi|nordestin)[oa]s? "
            r"(?:fedid\w+|nojent\w+|tem que morrer|tinham? que morrer|nao (?:e|sao) gente)"
        ),
        (
            r"(?:odeio|morte aos|(?:tem que|vamos|vou|quero) matar) (?:tod[oa]s )?(?:os |as )?"
            r"(?:pret[oa]|negr[oa]|indi[oa]|gay|judeu|nordestin[oa])s?"
        ),
        r"heil hitler|sieg heil|white power|viva (?:o )?(?:hitler|nazismo)",
        r"hitler \w+ (?:certo|razao)",
        r"nigg(?:er|a)s?|faggots?|trann(?:y|ies)|kikes?",
        (
            r"(?:i hate|kill all|death to) (?:all )?(?:the )?"
            r"(?:blacks?|gays?|jews|muslims|indians|immigrants)"
        ),
    ),
    "sexual": (
        r"bucet(?:as?|inha|uda)|bocet(?:as?|inha)|xoxotas?|xotas?|xerecas?|pirocas?|punhet\w+",
        r"siriric\w+|boquetes?|putaria|suruba|tesao|tesud[oa]|gozei|gozar (?:na|dentro)",
        r"pornos?|pornografi\w+|pornhub|xvideos?|redtube|onlyfans|hentai|nudes?",
        rf"(?:meu|seu|teu) {_ROD} (?:duro|grosso|grande|n[ao] (?:sua|tua|seu|teu))",
        (
            rf"(?:chup|mam|lamb)\w* (?:aqui )?(?:o |a |no |na )?(?:meu |minha |seu |sua )?"
            rf"(?:{_ROD}|peitos?|bunda|cu)"
        ),
        rf"minha (?:pica|rola)|senta n[oa] (?:meu )?{_ROD}|mostra (?:o )?(?:seu|teu) {_ROD}",
        (
            r"(?:vai|vou|quero|queria|vamos|bora|quer) (?:te |me |se )?"
            r"(?:transar|trepar|comer gostoso|chupar|meter gostoso)"
        ),
        r"^me come|(?:quero|vou) (?:te comer|comer voce)|fotos? do (?:seu|teu) corpo",
        r"(?:transar|trepar) com|(?:fazer|fazendo|fez|quero|quer|bora) sexo",
        r"sexo (?:com (?:voce|ele|ela|alguem|menor|crianca)|oral|anal|comigo)",
        rf"(?:fotos?|videos?|manda|te ver|ver voce) (?:sua |tua |seu |de voce )?{_BARE}",
        r"(?:fica|fique|ta|voce) pelad[oa]|tira (?:a )?(?:sua |tua )?(?:roupa|blusa|calcinha)$",
        r"sua gostosa|seu gostoso|gostosona|voce e (?:muito |bem )?gostos[oa]|sua safada",
        r"(?:seus|teus) peit(?:os|oes)|(?:sua|tua|mostra a) bunda|bundud[oa]|peitud[oa]",
        r"(?:blow|hand) ?jobs?|dildos?|milfs?|horny|masturbat\w+|puss(?:y|ies)|boobs?|tits|porno?",
        r"(?:suck|lick|touch|see) my (?:dick|cock|balls|ass)|(?:my|your|big) (?:dick|cock)",
        r"(?:have|having|want) sex|sex with|(?:send )?(?:me )?nudes?|(?:get|are you) naked",
        r"take off your (?:clothes|shirt|pants)|(?:i want to|wanna|let s) (?:fuck|bang) \w+",
    ),
    "insult": (
        r"por{1,2}as?|cara(?:lho|io)s?|krl|krai|merd(?:as?|inha)|put(?:as?|os?|inhas?)|fdps?|pqp|vsf|vtnc|tnc",
        r"bostas?(?! (?:d[eao]s? )?(?:vaca|boi|gado|bezerr|cavalo|anta|capivara))",
        r"arrombad[oa]s?|cuz(?:ao|ona|oes)|f[ou]d(?:a|ase|e|er|eu|i|id[oa])|punheteiro|escrot[oa]s?",
        r"(?:tom\w+|vai|enfi\w+|olho|meter?) (?:n|d)o (?:seu |teu |meu )?(?:cu|c you)",
        r"(?:seu|teu) cu|^cu$",
        r"vai (?:se (?:foder|ferrar)|a merda|pro inferno)|vadias?",
        r"cala (?:a|essa|tua|sua) boca|^cala boca|ninguem gosta de voce|te odeio|odeio voce",
        r"vou te (?:bater|socar|quebrar|arrebentar|encher de porrada|matar)(?! (?:a|essa) charada)",
        r"vou (?:matar|socar|bater em) voce|te dou um (?:soco|tapa|murro|tiro)",
        r"vai se matar|^se mata|morre logo|kys|kill yourself",
        rf"{_YOU_ARE}{_FOOL}(?! d[aeo]s? )",
        rf"(?:voce|tu) (?:e|parece) (?:muito |uma? |bem )*{_BEAST}$|^(?:seu|sua|sai) {_BEAST}$",
        rf"^(?:que )?(?:{_FOOL}|burr[oa])$",
        r"(?:mother)?f(?:uck|ck)\w*|fuk|shit\w*|bullshit|bitch\w*|bastards?|a(?:ss|rse)holes?",
        r"dickheads?|cunts?|whores?|sluts?|wankers?|twats?|stfu|gtfo|son of a b|kiss my ass",
        rf"{_YOU_ARE_EN}(?:{_DUMB}|{_FOUL})$|{_YOU_ARE_EN}{_DUMB} |^(?:what an? )?{_DUMB}$",
        r"shut up|(?:i|we) hate you|go to hell|nobody likes you",
        r"i (?:will|ll|m gonna|want to) (?:beat|kill|punch|hit) you",
    ),
    "harmful": (
        rf"me (?:vende|arruma|arranja|da|passa|consegue) (?:uma? |uns |umas )?(?:{_DRUG}|{_ARM})",
        rf"(?:tem|vende) (?:um |uma )?{_DRUG} (?:ai )?pra (?:mim|vender|gente|nois|nos)",
        (
            r"(?:quero|bora|vamos) (?:comprar|usar|fumar|cheirar|vender|provar) "
            rf"(?:uma? )?(?:{_DRUG}|{_ARM})"
        ),
        (
            rf"(?:como|onde){_I_MAY} (?:faz|fazer|faco|"
            r"(?:compr|consig|consegu|arrum|arranj|fabric|plant)(?:o|ir|ar)) "
            rf"(?:um |uma )?(?:{_DRUG}|{_ARM})"
        ),
        (
            rf"(?:como{_I_MAY}|ensina a|quero|vou) (?:faz|fazer|faco|fabrica|fabricar|montar) "
            rf"(?:um |uma )?{_ARM}"
        ),
        rf"como{_I_MAY} (?:mat|envenen|esfaque|sequestr|estupr)(?:o|ar) {_SOMEBODY}",
        (
            rf"{_HOW_I} (?:buy|get|make|cook|grow|sell|build|smoke) (?:a |an |some |my own )?"
            rf"(?:{_DRUG_EN}|{_ARM_EN})"
        ),
        rf"(?:sell|give|get) me (?:some |a )?(?:{_DRUG_EN}|{_ARM_EN})",
        rf"(?:wanna|want to|let s) (?:smoke|buy|try) (?:some )?{_DRUG_EN}",
        rf"{_HOW_I} (?:kill|poison|stab|kidnap|rape) {_SOMEBODY_EN}",
    ),
    "personal": (
        rf"meu (?:{_NUMBER_OF}|e ?mail|{_NETWORK}|cpf|rg|cep|endereco|nome completo) (?:novo )?e\b",
        r"minha senha (?:d[aeo] \w+ )?e\b",
        r"mor(?:o|amos) (?:na|no) (?:rua|avenida|av|travessa|alameda|condominio|quadra|bairro) \w+",
        (
            rf"(?:me (?:liga|chama|adiciona|manda (?:mensagem|msg))|anota(?: ai)?) (?:n?o |pelo )?"
            rf"(?:meu )?(?:{_NUMBER_OF}|{_NETWORK}|numero|direct)"
        ),
        (
            rf"(?:qual|me (?:da|passa|manda|fala|diz))(?: e)?(?: o)? (?:seu|teu) "
            rf"(?:zap|whats(?:app)?|wpp|{_NETWORK}|cpf)"
        ),
        (
            r"my (?:(?:phone|cell)(?: number)?|whatsapp|e ?mail|(?:home )?address|password"
            rf"|full name|zip code|{_NETWORK}) is"
        ),
        r"i live (?:at|on) (?:number )?(?:\d+|\w+ (?:street|avenue|road|st|ave|rd))",
        r"(?:call|text|add|dm) me (?:on|at)",
        rf"what (?:s|is) your (?:whatsapp|{_NETWORK}|home address)",
    ),
}
_OF_LANGUAGE: dict[str, dict[Indecency, tuple[str, ...]]] = {
    # honest in Portuguese: «ass.» before a signature, the snuff called *rapé*
    "en": {
        "hate": (r"fags?|dykes?|spastics?",),
        "sexual": (r"rape (?:you|her|him|me)|cumming",),
        "insult": (r"dumb ?ass|your ass|ass ?hat|^dick$|a dick|prick|crap|piss off",),
    },
    "pt": {"sexual": (r"estupr(?:ar|ei) (?:voce|ela|ele|essa)|xana",)},
}
_NUMBERS = re.compile(
    r"(?<![\d/.,-])(?:"
    r"\d{3}\.\d{3}\.\d{3}-\d{2}"  # a CPF
    r"|(?:\+?55[ .-]?)?\(?[1-9]\d\)?[ .-]?9[ .-]?\d{4}[ .-]?\d{4}"  # a mobile with its area
    r"|(?:\+?55[ .-]?)?\(?[1-9]\d\)?[ .-]?[2-5]\d{3}-\d{4}"  # a telephone at home
    r"|9\d{4}[ .-]\d{4}"  # a mobile alone
    r"|\+?1?[ .-]?\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}"  # one in North America
    r")(?![\d/]|[.,-]\d)"
    r"|[\w.+-]{2,}@[\w-]{2,}\.[a-z]{2,}"
    r"|(?<!\w)@[a-z][\w.]{3,}"
)


def _compiled(code: str) -> dict[Indecency, re.Pattern[str]]:
    return {
        kind: re.compile(
            "|".join(
                rf"\b(?:{p})\b" for p in (*patterns, *_OF_LANGUAGE.get(code, {}).get(kind, ()))
            )
        )
        for kind, patterns in _PATTERNS.items()
    }


_FOUND = {code: _compiled(code) for code in ("pt", "en")}

_SHORT = {
    "q": "que", "vc": "voce", "vcs": "voces", "ce": "voce", "n": "nao", "ngm": "ninguem",
    "eh": "e", "mt": "muito", "mto": "muito", "u": "you", "ur": "your", "im": "i m",
    "youre": "you re", "lets": "let s",
}  # fmt: skip
_LOOKS_LIKE = str.maketrans("аеорсухіїјѕӏԁɡһкмтвнαεικνορτυ", "aeopcyxiijsldghkmtbhaeiknoptu")
_AS_LETTERS = str.maketrans("0134578@$!€£", "oieastbasiel")
_TOKEN = re.compile(r"[a-z0-9@$!€£]*[a-z0-9@$€£]")
_STRETCHED = re.compile(r"([a-z])\1{2,}")
_APART = re.compile(r"(?<![a-z0-9])[a-z0-9@$](?:[ ._*-]{1,3}[a-z0-9@$]){2,}(?![a-z0-9])")
_STARRED = re.compile(r"[a-z]+(?:[*#]+[a-z]+)+")
_STRONG = (
    *("porra", "caralho", "merda", "bosta", "puta", "puto", "buceta", "boceta", "piroca", "foder"),
    *("foda", "arrombado", "viado", "cuzao", "fuck", "fucking", "shit", "bitch", "asshole", "cunt"),
    *("pussy", "nigger", "faggot"),
)
"""Words that are looked for in hidden writing, where there are no spaces to go by."""


def indecency(text: str, lang: str = "pt-BR") -> Indecency | None:
    """What a text is that no character answers or says; None of nearly all of them."""
    plain = unicodedata.normalize("NFKC", text).lower()
    if _NUMBERS.search(plain):
        return "personal"
    found = _FOUND["en" if lang.startswith("en") else "pt"]
    for reading in dict.fromkeys(_readings(plain)):
        for kind, pattern in found.items():
            if pattern.search(reading):
                return kind
    return None


def _readings(text: str) -> Iterator[str]:
    """A text as somebody reads it who knows the tricks."""
    if not text.isascii():
        parted = unicodedata.normalize("NFD", text.translate(_LOOKS_LIKE))
        text = "".join(c for c in parted if unicodedata.category(c) not in ("Mn", "Cf"))
    for letters in (r"\1", r"\1\1"):
        yield _words(_STRETCHED.sub(letters, text))
    for hidden in _APART.findall(text):
        joined = "".join(c for c in hidden.translate(_AS_LETTERS) if c.isalpha())
        yield from (word for word in _STRONG if word in joined)
    for starred in _STARRED.findall(text):
        shape = re.compile(re.sub(r"[*#]+", lambda m: f"[a-z]{{{len(m[0])}}}", starred))
        yield from (word for word in _STRONG if shape.fullmatch(word))


def _words(text: str) -> str:
    """The words between single spaces, digits and signs inside them read as letters."""
    words = (
        token.translate(_AS_LETTERS) if not token.isdigit() else token
        for token in _TOKEN.findall(text)
    )
    return " ".join(_SHORT.get(word, word) for word in words)
