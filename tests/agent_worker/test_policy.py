"""The move before an answer fits what was asked, how long the answer takes, and what was said before."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from agent_worker.preresponse.policy import MAX_RUN, MovePolicy, Plan
from agent_worker.text.intent_classifier import classify
from agent_worker.text.move import Move

SOON, USUAL, LONG = 0.7, 1.6, 4.0
LOOK_UPS = {Move.LOOK_UP, Move.MOMENT}
STATEMENT_WORDS = {Move.WORD, Move.LISTEN}
MADE_AS = {Move.LOOK_UP: Move.LOOK_UP, Move.CONSENT: Move.WORD, Move.NOTHING: Move.NOTHING}


def plan(text: str, agent: str | None = None, language: str = "en") -> Plan:
    return MovePolicy(language).plan(text, agent, classify(text, language, agent))


def possible(found: Plan) -> set[Move]:
    """Every move that may be made, whenever the answer comes."""
    return {move for eta in (None, SOON, USUAL, LONG) for move in found.moves(eta)}


def bare(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum() or letter in " '")


def moves_of_a_call(turns: Sequence[str], answer_eta: float | None = USUAL) -> list[Move]:
    policy, made = MovePolicy("en"), []
    for text in turns:
        found = policy.plan(text, "The museum is in the old town.", classify(text, "en"))
        made.append(found.moves(answer_eta)[0])
        policy.note(found, made[-1])
    return made


QUESTIONS = [
    ("It's a Salvadoran spot.", "oh that sounds really interesting what's the address and zip code"),
    ("Is that something for you?", "yeah sounds good can i get their phone number"),
    ("Is there something else I could find?", "umm yeah any motels in the area"),
    ("They are open today.", "okay great and is it kid friendly"),
    (None, "do they accept credit cards"),
    ("It is in the harbour.", "nice and um how much would two tickets be"),
]


@pytest.mark.parametrize(("agent", "text"), QUESTIONS)
@pytest.mark.parametrize("cut", [False, True])
def test_question_anywhere_in_a_turn_is_not_met_with_the_acknowledgement_of_a_statement(
    agent: str | None, text: str, cut: bool
) -> None:
    context = bare(agent) if agent and cut else agent
    assert not possible(plan(text, context)) & {*STATEMENT_WORDS, Move.SYMPATHY, Move.WELCOME, Move.GREETING}


@pytest.mark.parametrize(
    "text", ["do they have free wifi", "is it open on sunday", "could you check if dogs are allowed"]
)
def test_consent_does_not_answer_a_yes_no_question(text: str) -> None:
    assert Move.CONSENT not in possible(plan(text, "Here you go."))


@pytest.mark.parametrize(
    "text",
    ["do you know if there is any park nearby", "is it heated", "i'm looking for a hotel", "what's their address"],
)
def test_caller_who_asks_is_not_left_in_a_long_silence(text: str) -> None:
    assert plan(text, "Here you go.").moves(LONG)[0] is not Move.NOTHING


@pytest.mark.parametrize(
    "text", ["can i get the phone number", "what's their address", "could you give me the zip code"]
)
def test_fact_at_hand_gets_a_word_or_nothing_as_from_human_agents(text: str) -> None:
    assert plan(text, "It is called Marina Inn.").moves(USUAL)[0] in {Move.CONSENT, Move.NOTHING}


@pytest.mark.parametrize(
    "text",
    [
        "i'm looking for a place to eat downtown",
        "do you know if they have a parking garage",
        "can you find me a hotel near the station",
    ],
)
def test_look_up_phrase_needs_silence_that_it_fills(text: str) -> None:
    found = plan(text, "How can I help?")
    assert not LOOK_UPS & set(found.moves(SOON))
    assert Move.LOOK_UP in found.moves(0.9)  # after 0.4 s until the end of the turn is recognised
    assert Move.LOOK_UP in found.moves(USUAL)
    assert Move.MOMENT not in found.moves(USUAL)
    assert Move.MOMENT in found.moves(LONG)


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("Which card would you like to replace?", "my debit card"),
        ("What day works for you?", "wednesday"),
        ("and what is the destination account", "savings"),
        ("Okay, 421 First Street?", "yes"),
    ],
)
def test_short_answer_to_the_agents_question_gets_silence_or_one_word(agent: str, text: str) -> None:
    assert possible(plan(text, agent)) <= {Move.WORD, Move.NOTHING}


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("Is there anything else I can help you with?", "no that was all thank you"),
        ("is there anything else i can help you with", "no thank you"),
        ("Anything else?", "nope that'll be it"),
        ("Sure, let me see what I can find.", "thank you"),
        ("okay one second please", "thanks"),
        ("let me check that for you", "great thanks"),
    ],
)
def test_done_or_thanks_in_the_middle_of_a_look_up_gets_nothing_or_one_word(agent: str, text: str) -> None:
    assert possible(plan(text, agent)) <= {Move.WORD, Move.NOTHING}


def test_thanks_for_an_answer_are_returned_and_a_first_greeting_too() -> None:
    assert plan("thank you very much", "It opens at nine.").moves(USUAL)[0] is Move.WELCOME
    assert plan("hello there").moves(USUAL)[0] is Move.GREETING
    assert plan("hello", "Hello, this is the museum.").moves(USUAL)[0] is Move.NOTHING


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        (None, "do they accept credit cards"),
        ("Anything else?", "can i get the confirmation number"),
        ("Could you spell that?", "v as in victor a s q"),
        ("What is your number?", "four one five two two nine one one oh"),
        ("Sure and from what day?", "starting today if possible"),
        ("Which one?", "the one with the broken english name i guess"),
        (None, "where can i report a lost umbrella that somebody left with you"),
    ],
)
def test_nobody_is_pitied_without_trouble(agent: str | None, text: str) -> None:
    assert Move.SYMPATHY not in possible(plan(text, agent))


NO_TROUBLE = [
    # names and things that are called so
    ("en", "Which movie?", "die hard"),
    ("en", "Which song?", "broken wings"),
    ("en", "Which film?", "i think it's called crash"),
    ("en", "What's the company?", "it's called worst case solutions"),
    ("en", "What would you like?", "a frozen pizza"),
    ("en", "Who should we call?", "my emergency contact is john"),
    ("en", None, "stolen goods office"),
    ("en", "How can I help?", "i want to donate to the cancer fund"),
    ("en", "How can I help?", "i'm writing a story about a man who lost his dog"),
    # denied
    ("en", "How can I help?", "it's not broken it just needs batteries"),
    ("en", "How can I help?", "my card isn't stolen i found it again"),
    ("en", "How can I help?", "there was no error it worked"),
    ("en", "What's wrong with it?", "nothing i just don't want it anymore"),
    # nothing in it but the agent's question
    ("en", "What seems to be the trouble?", "i'd like to know my balance"),
    # joy, and mere interjections
    ("en", "How can I help?", "it's the third time i've been to your museum and i love it"),
    ("en", "How can I help?", "i broke my record on the treadmill today"),
    ("en", "How can I help?", "i lost my voice laughing at the show"),
    ("en", "It opens at nine.", "damn okay"),
    # of others
    ("en", "How can I help?", "tell me about the fire that burned down the old town"),
    ("es", "¿En qué puedo ayudar?", "mi coche no está roto"),
    ("fr", "Comment puis-je vous aider ?", "mon téléphone n'est pas cassé je veux un chargeur"),
    ("pt", "Como posso ajudar?", "meu celular não está quebrado só quero um carregador"),
    ("de", "Wie kann ich helfen?", "mein handy ist nicht kaputt ich brauche ein ladegerät"),
    # a feeling that gives the reason for a request
    ("en", "How can I help?", "the kids are scared of the dark so can we have a night light"),
    ("en", "How can I help?", "my son is nervous about flying can we sit together"),
    ("en", "How can I help?", "we're worried about the weather is there an indoor option"),
    ("en", "How can I help?", "i'm afraid of heights could i have a room on the ground floor"),
    ("de", "Wie kann ich helfen?", "die kinder haben angst im dunkeln können wir ein nachtlicht haben"),
    ("fr", "Comment puis-je vous aider ?", "les enfants ont peur du noir est ce qu'on peut avoir une veilleuse"),
    ("es", "¿En qué puedo ayudar?", "los niños tienen miedo a la oscuridad podemos tener una lamparita"),
    ("pt", "Como posso ajudar?", "as crianças têm medo do escuro podemos ter uma luz noturna"),
    # insurances, and what belongs to a hospital
    ("en", "How can I help?", "we want flood insurance for our house"),
    ("en", "How can I help?", "i'm calling about the emergency cover of my plan"),
    ("en", "How can I help?", "it's next to the hospital cafeteria"),
    ("de", "Wie kann ich helfen?", "es geht um das krankenhaus café"),
    ("de", "Wie kann ich helfen?", "ich hätte gern eine feuer versicherung"),
    ("de", "Wie kann ich helfen?", "ich brauche eine unfall versicherung"),
    ("de", "Wie kann ich helfen?", "wir suchen einen parkplatz am krankenhaus"),
    ("de", "Wie kann ich helfen?", "ich möchte einen rauch melder bestellen"),
    ("fr", "Comment puis-je vous aider ?", "je voudrais une assurance accident"),
    ("fr", "Comment puis-je vous aider ?", "mon rendez-vous est à l'hôpital saint louis"),
    ("fr", "Comment puis-je vous aider ?", "on cherche une alarme incendie"),
    ("es", "¿En qué puedo ayudar?", "quiero un seguro contra incendios"),
    ("es", "¿En qué puedo ayudar?", "es sobre la cafetería del hospital"),
    ("es", "¿En qué puedo ayudar?", "me quitaron el yeso ayer"),
    ("pt", "Como posso ajudar?", "quero um seguro contra roubo"),
    ("pt", "Como posso ajudar?", "é sobre o café do hospital"),
    ("pt", "Como posso ajudar?", "procuro um estacionamento perto do hospital"),
    # nothing that was taken away
    ("en", "How can I help?", "that dog stole my heart"),
    ("en", "How can I help?", "i swiped my card and it asked for a pin"),
]


@pytest.mark.parametrize(("language", "agent", "text"), NO_TROUBLE)
def test_words_of_trouble_that_report_none_are_not_pitied(language: str, agent: str | None, text: str) -> None:
    assert Move.SYMPATHY not in possible(plan(text, agent, language))


@pytest.mark.parametrize(
    ("language", "agent", "text"),
    [
        ("en", "How can I help?", "my son isn't breathing"),
        ("en", "How can I help?", "the elevator is stuck and i'm in it"),
        ("en", "How can I help?", "oh no i crashed my car"),
        ("en", "What is the reason?", "a death in the family"),
        ("de", "Wie kann ich helfen?", "mir wurde die karte gestohlen"),
        ("es", "¿En qué puedo ayudar?", "mi padre murió ayer"),
        ("fr", "Comment puis-je vous aider ?", "on m'a volé ma carte"),
        ("pt", "Como posso ajudar?", "minha internet não funciona há três dias"),
        ("en", "How can I help?", "someone stole my wallet"),
        ("en", "How can I help?", "they stole my phone on the train"),
        ("en", "How can I help?", "he snatched her handbag"),
        ("en", "How can I help?", "i'm really nervous about my surgery"),
        ("de", "Wie kann ich helfen?", "jemand hat meine geldbörse geklaut"),
        ("de", "Wie kann ich helfen?", "mein vater liegt im krankenhaus"),
        ("fr", "Comment puis-je vous aider ?", "quelqu'un a volé ma voiture"),
        ("fr", "Comment puis-je vous aider ?", "mon père est à l'hôpital"),
        ("es", "¿En qué puedo ayudar?", "alguien robó mi bolso"),
        ("es", "¿En qué puedo ayudar?", "mi padre está en el hospital"),
        ("pt", "Como posso ajudar?", "alguém furtou meu celular"),
        ("pt", "Como posso ajudar?", "meu pai está no hospital"),
    ],
)
def test_trouble_that_is_reported_is_met_with_sympathy(language: str, agent: str, text: str) -> None:
    assert plan(text, agent, language).moves(USUAL)[0] is Move.SYMPATHY


@pytest.mark.parametrize(
    "text",
    [
        "must i pay now",
        "shall i call them",
        "wasn't that one closed",
        "had they been renovated",
        "you think they'd let me bring my dog",
        "you mean the one by the church",
        "you said ten right",
        "am i in the right line",
    ],
)
def test_question_by_its_verb_or_tag_is_not_met_with_the_acknowledgement_of_a_statement(text: str) -> None:
    assert not possible(plan(text, "I found the Marina Inn.")) & {*STATEMENT_WORDS, Move.SYMPATHY}


@pytest.mark.parametrize(
    ("language", "agent", "text"),
    [
        ("en", "I found the Marina Inn.", "i didn't catch that"),
        ("en", "It costs ten.", "i forgot the price"),
        ("en", "It costs ten.", "say that again please"),
        ("en", "Can I have your name?", "am i talking to a robot"),
        ("en", "Hello, how can I help?", "hello can you hear me"),
        ("en", "Hello, how can I help?", "hi how are you"),
        ("de", "Guten Tag!", "hören sie mich"),
        ("es", "Hola.", "me escucha"),
        ("fr", "Bonjour.", "vous m'entendez"),
        ("pt", "Oi.", "você está me ouvindo"),
    ],
)
def test_what_the_agent_knows_without_looking_is_answered_at_once(language: str, agent: str, text: str) -> None:
    assert possible(plan(text, agent, language)) == {Move.NOTHING}


def test_greeting_with_how_are_you_is_returned_as_a_greeting() -> None:
    for text in ("hi how are you", "hey there how are you", "good morning how's it going"):
        assert plan(text).moves(USUAL)[0] is Move.GREETING


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("What day works for you?", "friday please"),
        ("How many tickets?", "two please"),
        ("Would you like the garden or the sea view?", "the sea view please"),
        ("Would you like me to book it?", "yes please"),
    ],
)
def test_polite_answer_to_the_agents_question_is_no_request(agent: str, text: str) -> None:
    assert possible(plan(text, agent)) <= {Move.WORD, Move.NOTHING}


@pytest.mark.parametrize("text", ["thank you and on sunday", "thanks but what about the zoo", "thanks and the price"])
def test_thanks_are_not_returned_if_something_is_added(text: str) -> None:
    assert not possible(plan(text, "It opens at nine.")) & {Move.WELCOME, *STATEMENT_WORDS}


@pytest.mark.parametrize("text", ["uh with the zip code", "that's too early for me", "ok i you've a phone number"])
def test_correction_that_only_the_model_sees_is_not_acknowledged(text: str) -> None:
    assert not possible(plan(text, "Sure, the address is 20 Market Street.")) & STATEMENT_WORDS


@pytest.mark.parametrize(
    "text",
    [
        "my father died last week and i have to close his account",
        "i am furious this is the third time you charged me twice",
        "somebody broke into our house last night",
    ],
)
def test_trouble_on_which_rules_and_model_agree_is_met_with_sympathy(text: str) -> None:
    assert plan(text, "How can I help?").moves(USUAL)[0] is Move.SYMPATHY


@pytest.mark.parametrize(
    "text",
    [
        "my card got swallowed by the machine outside your branch",
        "we've been stood here an hour and the coach hasn't come",
        "i've locked myself out and the dinner's on the stove",
    ],
)
def test_trouble_that_only_the_model_sees_is_not_met_briskly(text: str) -> None:
    assert not possible(plan(text, "How can I help?")) & {Move.CONSENT, Move.WORD, Move.WELCOME}


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("Can you repeat that zip code?", "zero five four"),
        ("can you repeat that zip code", "nine four one"),
        ("And the reference?", "k l seven two"),
        ("How do you spell it?", "b as in bravo r i"),
        ("How do you spell it?", "v as in victor a s q"),
        ("Could you spell that?", "s for sugar m for mike"),
        ("How can I help?", "can you call me at four one five"),
        ("What's your member id?", "a b seven"),
    ],
)
def test_half_a_number_or_a_half_spelled_name_is_not_spoken_into(agent: str, text: str) -> None:
    assert possible(plan(text, agent)) == {Move.NOTHING}


@pytest.mark.parametrize(
    "text", ["i'm looking for a cheap hotel", "please book a table for two", "find me a quiet café"]
)
def test_near_answer_to_a_request_is_preceded_by_a_word_and_no_look_up(text: str) -> None:
    found = plan(text)
    assert found.moves(USUAL)[0] is Move.LOOK_UP
    assert found.moves(SOON)[0] is Move.CONSENT


@pytest.mark.parametrize("text", ["do they take credit cards", "is there any parking", "do you know if they deliver"])
def test_near_answer_to_a_yes_no_question_is_waited_for(text: str) -> None:
    assert plan(text).moves(SOON) == (Move.NOTHING,)


@pytest.mark.parametrize(
    ("silence_s", "is_due"), [(None, False), (0.3, False), (0.45, False), (0.55, True), (0.9, True)]
)
def test_silence_counts_from_the_callers_last_sound(silence_s: float | None, is_due: bool) -> None:
    moves = plan("i'm looking for a cheap hotel").moves(SOON, silence_s)
    assert (moves[0] is Move.LOOK_UP) is is_due


@pytest.mark.parametrize("text", ["tha", "k you have", "um so the"])
def test_fragment_gets_silence(text: str) -> None:
    assert possible(plan(text, "It is in the old town.")) == {Move.NOTHING}


@pytest.mark.parametrize("text", ["is it open on monday", "can i get the address", "i'm looking for a cheap hotel"])
@pytest.mark.parametrize("answer_eta", [None, SOON, USUAL, LONG])
def test_no_move_is_made_three_times_running(text: str, answer_eta: float | None) -> None:
    made = [move.group for move in moves_of_a_call([text] * 12, answer_eta)]
    runs = [set(made[start : start + MAX_RUN + 1]) for start in range(len(made) - MAX_RUN)]
    assert not any(len(run) == 1 and Move.NOTHING not in run for run in runs)


@pytest.mark.parametrize("answer_eta", [SOON, USUAL, LONG])
def test_answer_does_not_come_first_four_times_running_if_a_word_fits(answer_eta: float) -> None:
    plan_of_quiet_turn = {Move.NOTHING: 0.97, Move.CONSENT: 0.03}
    silent = Plan(plan_of_quiet_turn, recent=(Move.NOTHING,) * 3)
    assert silent.moves(answer_eta)[0] is Move.CONSENT
    assert Plan(plan_of_quiet_turn, recent=(Move.NOTHING,) * 2).moves(answer_eta)[0] is Move.NOTHING
    assert Plan({Move.NOTHING: 1.0}, recent=(Move.NOTHING,) * 3).moves(answer_eta) == (Move.NOTHING,)


def test_moves_of_a_call_approach_the_shares_of_human_agents() -> None:
    policy, made = MovePolicy("en"), []
    human = {Move.LOOK_UP: 0.5, Move.WORD: 0.3, Move.NOTHING: 0.2}
    for _ in range(60):
        now = policy.plan("is it open", None, classify("is it open"))
        found = Plan({Move.LOOK_UP: 0.5, Move.CONSENT: 0.3, Move.NOTHING: 0.2}, human, True, now.recent, now.credits)
        made.append(found.moves(USUAL)[0])
        policy.note(found, made[-1])
    assert {group: made.count(move) / 60 for move, group in MADE_AS.items()} == pytest.approx(human, abs=0.1)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "haben sie morgen geöffnet"),
        ("es", "a qué hora abren mañana"),
        ("fr", "est ce que vous êtes ouverts demain"),
        ("pt", "vocês abrem amanhã"),
    ],
)
def test_language_without_dialogues_of_people_is_looked_up_or_silent(language: str, text: str) -> None:
    assert possible(plan(text, None, language)) <= {Move.NOTHING, *LOOK_UPS}
    assert plan(text, None, language).moves(SOON) == (Move.NOTHING,)


@pytest.mark.parametrize(
    ("language", "text"), [("de", "nein danke"), ("es", "no gracias"), ("fr", "non merci"), ("pt", "não obrigada")]
)
def test_being_done_is_understood_in_every_language(language: str, text: str) -> None:
    assert possible(plan(text, "…?", language)) <= {Move.WORD, Move.NOTHING}


@pytest.mark.parametrize(
    ("language", "agent", "text"),
    [
        ("en", "Could you spell your last name for me?", "sierra mike india"),
        ("en", "Could you spell your last name for me?", "sierra mike"),
        ("en", "What's the name?", "romeo oscar sierra"),
        ("en", "How can I help?", "tango echo lima papa"),
        ("de", "Können Sie den Namen buchstabieren?", "anton berta cäsar"),
        ("fr", "Pouvez-vous épeler votre nom ?", "anatole berthe célestin"),
        ("es", "¿Puede deletrear su apellido?", "antonio barcelona carmen"),
        ("pt", "Pode soletrar o sobrenome?", "aveiro braga coimbra"),
    ],
)
def test_nothing_is_said_in_the_middle_of_a_spelling(language: str, agent: str, text: str) -> None:
    assert possible(plan(text, agent, language)) == {Move.NOTHING}
