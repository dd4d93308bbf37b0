"""Classes of English nouns that decide what a phrase stands for: by their meaning, whatever the questions are."""

from ragkit.wording import BE, DO, Word, bag

RELATIONS = bag(
    "director author writer performer singer composer producer creator founder inventor publisher spouse wife "
    "husband father mother parent parents son daughter brother sister sibling child children uncle aunt "
    "grandfather grandmother birthplace hometown capital owner owners headquarters predecessor successor "
    "screenwriter star developer designer discoverer killer employer lyricist architect manufacturer narrator "
    "sculptor painter illustrator editor conductor ceo teacher mentor founders authors directors writers "
    "composers producers performers creators inventors ceos"
)
OWNED = RELATIONS | bag(
    "team club country city state county continent birth mater school university college label band party "
    "district province place origin company employer religion league nationality citizenship"
)
"""What may be said to be somebody's: Kevin Durant's team."""
VAGUE = bag(
    "name names term terms type types kind kinds sort number word words thing things way ways fact time times "
    "year years date dates day days reason reasons amount extent case cases title titles part parts list example "
    "examples percentage moment month century period age purpose aim idea concept method methods process "
    "processes result results effect effects factor factors problem problems event events theory theories system "
    "systems technique techniques principle rate"
)
"""A clause about one of these is the question itself: the name of the ship that sank; the method that was used."""
EMPTY = bag("called named known have has had considered said order same full located found given main answer") | BE | DO
NAMEABLE = OWNED | bag(
    "person man woman men women people individual player actor actress artist musician president king queen "
    "politician scientist general coach member guest character place town village area region island river lake "
    "mountain range sea ocean continent territory colony capital street building stadium airport park museum "
    "location mouth nation kingdom group organization organisation institution association corporation firm bank "
    "agency department airline studio network station channel newspaper magazine journal franchise brand book "
    "novel poem play film movie show series song album game opera painting sculpture ship war battle tournament "
    "festival treaty dynasty empire tribe family language sport currency planet star element species animal dish "
    "sandwich food drink product car aircraft plane one ones countries cities states counties companies "
    "universities colleges territories colonies parties agencies industries families dynasties brands justices "
    "nominees laureates picks alumni"
)
"""What has a name of its own, which can be found out first and put in its place. What was done or thought has none:
the acquisition that X completed is found where it is told of."""
TIMES = bag(
    "year years month months day days decade decades hours minutes weeks quarters seasons games times century centuries"
)
SHARED = bag(
    "effects effect causes reasons results consequences advantages disadvantages problems names types kinds terms "
    "roles differences similarities details examples factors parts uses benefits risks impacts changes elements "
    "ways features"
)
"""Plurals that belong to a set as a whole, not to each of its members."""
PERSONS = RELATIONS - bag("birthplace hometown capital headquarters star publisher developer manufacturer owner") | bag(
    "person man woman people player players president presidents king queen actor actress artist artists singer "
    "justices scientist mathematicians astronauts members winners nominees laureates drivers coach coaches "
    "leaders individual character characters mayors picks scorers commanders politician explorer monarchs "
    "minister governor"
)


def nameable(word: Word) -> bool:
    one = word.low.removesuffix("s")
    return word.low in NAMEABLE or one in NAMEABLE or (one.endswith(("er", "or", "ist", "ian")) and len(one) > 4)
