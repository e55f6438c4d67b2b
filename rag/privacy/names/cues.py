"""Words that stand beside names, folded: what makes one of a word, and what makes it none."""

from __future__ import annotations

from rag.privacy.words import word_set

TITLED = word_set(
    """
    mr mrs ms miss mx dr prof professor doctor sir dame lord lady rev reverend sister brother
    nurse judge justice captain capt col colonel sgt sergeant lt herr herrn frau hr fr mme mlle
    madame madam monsieur maitre sr sra srta senor senora senorita don dona dott dottssa sig signor
    signora ing avv pan pani panem dhr mevr mevrouw meneer heer patient patientin paciente paziente
    pacjent pacjentka senhor senhora shri smt hon princess prince officer inspector detective
    chancellor ambassador sheikh imam rabbi pastor г господин госпожа
    """
)
"""Titles and offices that a name follows."""

ADDRESSES = word_set(
    """
    mr mrs ms miss mx dr prof sir dame herr herrn frau mme mlle madame monsieur sr sra srta senor
    senora senorita dott sig signor signora dhr mevr mevrouw pan pani senhor senhora
    """
)
"""Titles so plain that any word with a capital after them is a name."""

GREETINGS = word_set(
    """
    dear hi hello hey hiya heya yo liebe lieber hallo servus moin cher chere bonjour salut bonsoir
    estimado estimada querido querida hola buenos caro cara gentile egregio egregia ciao
    buongiorno szanowny szanowna drogi droga kochana kochany czesc beste geachte kjære kjaere
    kære kaere hej hei hejsan goddag prezado prezada ola oi bom draga dragi mila mily ahoj dobry
    kedves szia sziasztok merhaba sevgili sayin selam salam marhaba namaste namaskar shalom
    ahlan aloha sawubona jambo habari xin halo kia ora rakas moi terve tere labas sveiki
    labdien zdravo bok buna pershendetje yia привет здравствуйте уважаемый уважаемая дорогой
    дорогая γεια αγαπητε αγαπητη
    """
)
SIGN_OFFS = word_set(
    """
    regards sincerely cheers thanks thank thx best yours love wishes faithfully truly respectfully
    cordially gratefully warmly xx xoxo hugs kisses gruße grußen gruss gruße grusse grussen gruessen
    grußend cordialement amicalement bises bien saludos atentamente cordialmente abrazo abrazos
    besos saluti distinti cordiali pozdrawiam pozdrowienia groeten groet vriendelijke hilsen ty
    halsningar mvh vh terveisin udvozlettel atenciosamente abracos cumprimentos pozdravem pozdrav
    saygilarimla selamlar
    """
)
"""Words after which a letter's writer signs."""

RELATIONS = word_set(
    """
    wife husband spouse partner fiance fiancee girlfriend boyfriend son daughter stepson
    stepdaughter brother sister mother father mum mom mommy mummy dad daddy uncle aunt auntie cousin
    nephew niece grandson granddaughter grandmother grandfather grandma grandpa granny nan twin
    baby friend friends mate colleague coworker neighbour neighbor boss manager supervisor
    assistant secretary intern roommate flatmate landlord landlady tenant lodger teacher tutor coach
    mentor doctor physician surgeon dentist therapist midwife carer nurse patient client customer
    employee driver courier guest passenger candidate applicant student pupil witness victim suspect
    defendant claimant lawyer solicitor barrister attorney accountant plumber electrician babysitter
    holder witness attention attn author owner founder contact recipient policyholder bro sis buddy
    pal grandchild godchild insured deceased subscriber tenant member signatory
    nanny godson goddaughter godmother godfather sibling kid boy girl named called surname
    """
)
"""Who somebody is to somebody: my wife Fang, your colleague Inga."""

ADDRESSING = word_set(
    """
    ask asks asked asking tell tells told telling call calls calling contact contacted contacting
    phone phoned text texted texting email emailed emailing message messaged meet meets
    meeting met visit visited thank thanks thanked thx remind reminded inform informed invite
    invited notify notified marry married know knows knew mean means meant miss missed remove
    removed
    help helped hire hired fire fired pay paid owe owes like liked love loved hug hugged trust
    trusted visit join joined follow followed believe believed warn warned blame blamed promised
    congratulate want see saw seeing told let make made give gave show showed interview interviewed
    by from with to for than cc bcc attn attention
    """
)
"""Words in front of somebody who is spoken to or of."""

TALKING = word_set(
    """
    ask asks asked asking tell tells told telling contacted phoned texted emailed
    messaged met thank thanked thx remind reminded informed invited married meant interviewed owes
    owe let says
    """
)
"""Those of them that only people stand after."""

AFTER = word_set(
    """
    is was has had and said says told asks asked came went lives lived works worked wants wanted
    will who whose signed wrote writes called calls met reports reported moved paid pays arrived
    died thinks thought knows knew likes liked left sent sends got gets does did would could can
    should needs needed agreed agrees confirmed promised forgot joined started began studies studied
    speaks spoke teaches drives drove flew lost found bought sold ordered owes owns
    complained complains refused denied admitted claimed claims explained replied answered suffered
    underwent received took takes became becomes grew married divorced loves loved hates plays
    played runs ran felt feels looked looks tried tries turned visited looking are were also never
    always
    """
)
SPEAKING = word_set(
    """
    never said says told asks asked came went lives lived wants wanted whose signed wrote writes
    phoned thinks thought knows knew died studies studied speaks spoke forgot complained complains
    refused denied admitted explained replied married divorced loves hates was is works worked
    joined promised suffered underwent teaches drove agreed agrees felt feels
    """
)
"""Those of the words after a name that only persons do."""

# A question asks: "What did Philippa Gresham decide?" The verb may begin it.
ASKING = word_set("did does do is was has had will would can could should about")
BEFORE = word_set(
    """
    for by with from to and or that told asked called named met saw patient nurse doctor colleague
    client customer between when because where while if son daughter wife husband sister brother
    mother father
    """
)

PLACES = word_set(
    """
    san santa sao saint st los las new fort mount mt lake port cape rio cote el la le north south
    east west upper lower northern southern eastern western great little old villa ville bad st
    nova novi stary nowy grand
    """
)
"""In front of a name they make a place of it."""

AFTER_PLACES = word_set(
    """
    ville city town county village airport station street road avenue lane drive square boulevard
    beach hill hills heights valley island islands bay falls creek river lake park bridge stadium
    arena harbour harbor port forest mountain mountains peninsula province district region borough
    building tower house hall plaza court gardens close terrace way mall centre center
    """
)
INSTITUTIONS = word_set(
    """
    university universitat universite universidad universita hospital klinik clinic clinics library
    institute institut instituto foundation stiftung college school academy museum gallery prize
    award awards medal bank church cathedral mosque synagogue temple theatre theater act law council
    committee commission ministry department agency authority association society trust fund group
    holding holdings ltd limited inc llc llp plc corp corporation company co gmbh gesbr ag kg ohg ug
    kgaa sarl sas sasu sa srl spa nv bv bvba ab as asa aps oy oyj kft zrt sro pty pte pvt sdn tbk
    ltda eirl cv ba rfh consulting consultants solutions services systems technologies technology
    software partners associates attorneys solicitors brothers bros sons enterprises industries
    international global logistics motors pharma pharmaceuticals chemicals foods airlines airways
    hotel hotels restaurant cafe bar pub inn store stores shop supermarket magazine journal times
    post gazette tribune newsletter press publishing books records studios productions entertainment
    media news radio tv channel network networks fc united rovers championship cup league open
    tournament festival model index scale test
    """
)
"""After a name they make a thing of it that bears the name."""
BODIES = word_set(
    """
    council hospital university college institute institut foundation museum library clinic klinik
    commission committee ministry department agency authority association corporation company ltd
    limited inc llc gmbh plc llp corp sarl ltda partners holdings solutions consulting services
    systems technologies software pharma airlines airways
    """
)
"""At the end of what looks like a name they make a body of it: Thornton Ville Council."""
LEADING = word_set("university bank city town college county school hospital institute ministry")
"""With ``of``, in front of a name: the University of Jason."""
FIRMS = word_set(
    """
    bank employer company hotel firm firma pt cv ud pd fa supplier vendor organisation organization
    institution restaurant agency manufacturer brand employers city town village country county
    region state province district place ort stadt ville ciudad citta location birthplace
    """
)
"""In front of a surname that stands alone they say that it is a firm's."""
FIRM_ENDS = word_set(
    """
    sons son co partners associates brothers bros company fils sonner sohne hijos figli cie
    daughters zoon zonen synowie filhos soner
    """
)
"""After "and": Baker and Sons."""
AT_FIRMS = word_set("at in near joined via chez bei through around outside within")
WITH_FIRMS = word_set("for with from by of to the at and")
"""In front of a double surname that stands alone they say that it may be a firm's."""

EPONYMS = word_set(
    """
    disease syndrome theorem law laws algorithm effect equation equations distribution constant
    reaction criteria lemma conjecture principle paradox palsy contracture chorea lymphoma sarcoma
    anaemia anemia tumour tumor reflex manoeuvre maneuver fracture catheter stain hypothesis
    coefficient oesophagus esophagus thyroiditis purpura nephropathy neuropathy dystrophy
    """
)
"""Things that bear their discoverer's name, with a small letter: Parkinson's disease."""

PAPERS = word_set(
    """
    licence license card passport signature death birth file case account statement testimony home
    house name names mother father son daughter wife husband behalf care office request
    """
)
"""With ``of`` in front of a name: on behalf of Paige."""
PLACE_ENDS = word_set("ville city town county village street road avenue airport station lane")
"""At the end of what looks like a name they make a place of it."""

STATES = word_set(
    """
    hr it uk us eu un tv pc ceo cfo cto coo vp md id no or so my to is in of the po uae usa nhs fbi
    """
)
"""Short words in capitals that are no initials."""
