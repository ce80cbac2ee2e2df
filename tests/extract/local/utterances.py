"""What people write, and what should and should not come out of it. Maria and Ana talk, on Wednesday 17 May 2023; add lines freely.

`before` is what the other one wrote before. `wanted`: each needs a statement that holds all of these words. `unwanted`: no statement may
hold these words. `relations`: (subject, predicate, object). `entities`: name to kind. `time`: first day of the event's span.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Utterance:
    """One message of Maria's and what it should give."""

    text: str
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    relations: tuple[tuple[str, str, str], ...] = ()
    entities: dict[str, str] = field(default_factory=dict)
    time: str = ""
    before: str = ""
    caption: str = ""


U = Utterance
UTTERANCES = (
    # the first person becomes the speaker
    U("I went to Lisbon yesterday.", ("Maria went to Lisbon yesterday (16 May 2023).",), entities={"Lisbon": "PLACE"}, time="2023-05-16"),
    U("I'm a nurse at a small clinic.", ("Maria is a nurse at a small clinic.",)),
    U("I am allergic to peanuts.", ("Maria is allergic to peanuts.",)),
    U("I've lived in Madrid since 2019.", ("Maria has lived in Madrid since 2019",), time="2019-01-01"),
    U("I have two cats.", ("Maria has two cats.",)),
    U("I don't eat meat.", ("Maria doesn't eat meat.",)),
    U("I really enjoy painting landscapes.", ("Maria really enjoys painting landscapes.",)),
    U("I was born in Porto.", ("Maria was born in Porto.",), entities={"Porto": "PLACE"}),
    U("I'll start a new job in June.", ("Maria will start a new job in June",), time="2023-06-01"),
    U("I can't swim very well.", ("Maria can't swim very well.",)),
    U("My favourite colour is green.", ("Maria's favourite colour is green.",)),
    U("The doctor gave me new glasses.", ("The doctor gave Maria new glasses",)),
    U("Went hiking with Tom last weekend.", ("Maria went hiking with Tom last weekend",), entities={"Tom": "PERSON"}, time="2023-05-13"),
    U("Just adopted a puppy!", ("Maria just adopted a puppy",)),
    U("I try to run every morning.", ("Maria tries to run every morning.",)),
    U("I haven't slept well lately.", ("Maria hasn't slept well lately.",)),
    U("I carry my camera everywhere.", ("Maria carries Maria's camera everywhere.",)),
    # who is spoken to
    U("I love your new garden, Ana!", ("Maria loves Ana's new garden",)),
    U(
        "I think you should visit the museum in Bilbao.",
        ("Maria thinks Ana should visit the museum in Bilbao",),
        entities={"Bilbao": "PLACE"},
    ),
    U("You're such an amazing friend!", unwanted=("amazing friend",)),
    U("You should be proud of yourself.", unwanted=("proud",)),
    # we
    U("My husband and I bought a house in Faro. We love the kitchen.", ("bought a house in Faro", "Maria's husband love the kitchen")),
    U("We went to Rome in 2018.", ('Maria said: "We went to Rome in 2018."',), entities={"Rome": "PLACE"}, time="2018-01-01"),
    U("Tom and I are opening a bakery.", ("Tom and Maria are opening a bakery",)),
    # nothing is stated
    U("Hey Ana! How have you been?", unwanted=("Maria",)),
    U("Wow, that's amazing!", unwanted=("amazing",)),
    U("Thanks so much for your help!", unwanted=("help",)),
    U("Good morning!", unwanted=("morning",)),
    U("Haha, so true.", unwanted=("true",)),
    U("Congrats on the new job!", unwanted=("job",)),
    U("Take care, talk soon!", unwanted=("soon",)),
    U("Sounds great.", unwanted=("great",)),
    U("What did you do yesterday?", unwanted=("yesterday",)),
    U("I'm so happy for you!", unwanted=("happy",)),
    U("See you later!", unwanted=("later",)),
    U("👍", unwanted=("👍",)),
    U("No problem at all.", unwanted=("problem",)),
    # openings are left out
    U("Yeah, well, I sold my car last month.", ("Maria sold Maria's car last month (April 2023).",), time="2023-04-01"),
    U(
        "Thanks, Ana! I passed my driving test on Monday.",
        ("Maria passed Maria's driving test on Monday (15 May 2023).",),
        time="2023-05-15",
    ),
    U("Oh, and I finally finished my thesis.", ("Maria finally finished Maria's thesis.",)),
    # answers with their questions
    # a number alone counts what was named just before
    U(
        "I've packed eleven and I own far too many plates.",
        ("Maria has packed eleven boxes and Maria owns far too many plates.",),
        before="Good morning! Are you drowning in boxes?",
    ),
    U("I bought three.", ("Maria bought three books.",), before="How many new books did you buy?"),
    U("I have two.", ("Maria has two dogs.",), before="Do you have a dog?"),
    U("We grow roses. I planted a dozen yesterday.", ("Maria planted a dozen roses yesterday (16 May 2023).",)),
    U("My old bikes are gone. I sold five of them.", ("Maria sold five bikes.",)),
    U("I packed eleven and I own far too many plates.", ("Maria owns far too many plates.",), ("eleven",), before="How are you?"),
    U("I ate two!", ('Asked "Did you bake cookies and pies?", Maria said: "I ate two!"',), before="Did you bake cookies and pies?"),
    U("I sold three last week.", unwanted=("three",), before="What a nice day."),
    U("I have two or three cats.", ("Maria has two or three cats.",)),
    U("I wake up at five.", ("Maria wakes up at five",)),
    U("In Alfama.", ('Asked "Where do you live?", Maria said: "In Alfama."',), before="Where do you live?"),
    U("No, not any more.", ("Are you still vegetarian", "No, not any more"), before="Are you still vegetarian?"),
    U("Yes!", ("Do you have any pets", "Yes!"), before="Nice. Do you have any pets?"),
    U("About three years.", ("How long have you been dancing", "three years"), before="How long have you been dancing?"),
    U(
        "Two cats and a parrot. I got the parrot in March.",
        ("Two cats and a parrot", "Maria got the parrot in March"),
        before="What pets do you have?",
    ),
    U("Great!", unwanted=("Great",), before="Hey, how are you?"),
    # kinship and role
    U(
        "My sister Clara lives in Porto.",
        ("Maria's sister Clara lives in Porto.",),
        relations=(("Clara", "sister_of", "Maria"), ("Clara", "lives_in", "Porto")),
    ),
    U("Tom is my boss.", ("Tom is Maria's boss.",), relations=(("Tom", "boss_of", "Maria"),), entities={"Tom": "PERSON"}),
    U(
        "I work for Acme Labs.",
        ("Maria works for Acme Labs.",),
        relations=(("Maria", "works_for", "Acme Labs"),),
        entities={"Acme Labs": "ORGANISATION"},
    ),
    U(
        "My dog Rex loves the beach.",
        ("Maria's dog Rex loves the beach.",),
        relations=(("Rex", "dog_of", "Maria"),),
        entities={"Rex": "THING"},
    ),
    U("I have a daughter named Lucia.", ("Maria has a daughter named Lucia.",), relations=(("Lucia", "daughter_of", "Maria"),)),
    U("My husband's name is Pedro.", ("Maria's husband's name is Pedro.",), relations=(("Pedro", "husband_of", "Maria"),)),
    U("I live in Valencia now.", ("Maria lives in Valencia now.",), relations=(("Maria", "lives_in", "Valencia"),)),
    U("Clara, my cousin, is a pilot.", ("is a pilot",), relations=(("Clara", "cousin_of", "Maria"),)),
    U("I'm married to Pedro.", ("Maria is married to Pedro.",), relations=(("Maria", "married_to", "Pedro"),)),
    U("Clara's brother Hugo is a chef.", ("Hugo is a chef",), relations=(("Hugo", "brother_of", "Clara"),)),
    # causes
    U("I moved to Faro because my mother is ill.", ("Maria moved to Faro because Maria's mother is ill.", "Maria's mother is ill")),
    U("I quit my job, so I have more time for music.", ("Maria quit Maria's job", "has more time for music")),
    # plans, preferences, changes
    U(
        "I'm planning to visit Tokyo next spring.",
        ("Maria is planning to visit Tokyo next spring",),
        entities={"Tokyo": "PLACE"},
        time="2024-03-01",
    ),
    U("I prefer tea to coffee.", ("Maria prefers tea to coffee.",)),
    U("I don't play tennis any more.", ("Maria doesn't play tennis any more.",)),
    U("I hate loud restaurants.", ("Maria hates loud restaurants.",)),
    # what follows belongs to what it is about
    U(
        "I read a novel about Iceland. It was surprisingly funny in places.",
        ("Maria read a novel about Iceland. It was surprisingly funny",),
    ),
    U(
        "I read a novel last month. It came out on 5 May 2020.",
        ("Maria read a novel last month (April 2023). It came out",),
        time="2023-04-01",
    ),
    U("It was a lovely day.", unwanted=("lovely day",)),
    # what is no statement by itself
    U("I did, on Friday.", unwanted=("did",)),
    U("I do, I do.", unwanted=("do",)),
    U("A little sad for me.", unwanted=("sad",)),
    U("Quiet and devastating.", unwanted=("Quiet",)),
    U("A dog that plays the piano!", unwanted=("piano",)),
    U("Tell him hi from me.", unwanted=("Tell",)),
    U("Told you!", unwanted=("told",)),
    U("Exhausted but happy.", ("Maria is exhausted but happy.",), unwanted=("Maria exhausted",)),
    U("Come to my concert! It's on 9 June.", ('Maria said: "Come to my concert! It\'s on 9 June." (9 June 2023)',), time="2023-06-09"),
    U("Look after my cat in July.", ('Maria said: "Look after my cat in July."',), time="2023-07-01"),
    U("He's my neighbour and he sings.", ('Maria said: "He\'s my neighbour and he sings."',)),
    # answers that refer to their question, and what is none
    U("I did, last Tuesday!", ("Did you find a house", "I did, last Tuesday!"), time="2023-05-16", before="Did you find a house?"),
    U("I've sold it.", ("The boat?", "I've sold it."), before="And the boat?"),
    U("They repair boats.", ("What does the firm do", "They repair boats."), before="What does the firm do?"),
    U("You have to learn it.", unwanted=("Asked",), before="Who feeds my fish now?"),
    U("Yes!", unwanted=("Asked",), before="When is the exam on Monday?"),
    # dates beside their words
    U(
        "I fly on 28 June and get the keys on 30 June.",
        ("Maria flies on 28 June 2023 and gets the keys on 30 June 2023.",),
        time="2023-06-28",
    ),
    U("I swam on Monday, without a break.", ("Maria swam on Monday (15 May 2023), without a break.",), time="2023-05-15"),
    U("I'm restoring a chair from 1890.", ("Maria is restoring a chair from 1890.",), unwanted=("(1890)",)),
    U("I swim until the 20th.", ("(until 20 May 2023)",)),
    # verbs that agree
    U("In August you have to cheer for me.", ("In August 2023 Ana has to cheer for Maria.",)),
    U("Clara told me you're looking for a flat.", ("Clara told Maria that Ana is looking for a flat.",)),
    U("Clara wants to meet you too.", ("Clara wants to meet Ana too.",)),
    # names
    U("Marta told me about the concert in Seville.", ("Marta told Maria",), entities={"Marta": "PERSON", "Seville": "PLACE"}),
    U(
        "I studied at the University of Coimbra.",
        ("Maria studied at the University of Coimbra.",),
        entities={"University of Coimbra": "ORGANISATION"},
    ),
    U(
        "On Friday I flew to New York.",
        ("On Friday (12 May 2023) Maria flew to New York.",),
        entities={"New York": "PLACE"},
        time="2023-05-12",
    ),
    # captions
    U("Look at this!", ("Maria shared a photo of a red boat in a harbour.",), caption="a photo of a red boat in a harbour"),
    # prose about nothing in particular
    U("Hard work always pays off in the end.", unwanted=("pays off",)),
)
