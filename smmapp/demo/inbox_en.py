"""What names the Berlin brand elsewhere, what waits for an answer, and answers kept for use."""

from __future__ import annotations

from audience.models import Purpose
from audience.services.facts import Facts
from smmapp.demo.plan import Dialog, SavedAnswer, Waiting

SHOP, WORKSHOP = 0, 1
HANA, KENJI = "demo@example.com", "kenji@example.com"

MENTIONS = (
    Dialog(
        "Wanderlena",
        -176,
        "19:20",
        (
            "Two weeks in the rain and dry all the way. @{handle} knows what it does.",
            "That makes our week. Where have you been?",
            "Lofoten. All of it.",
        ),
    ),
    Dialog("Tobias R.", -142, "12:30", ("@{handle} mended a jacket I had given up on. 18 euros.",)),
    Dialog(
        "Carla",
        -118,
        "21:10",
        (
            "Weighed my bag with the @{handle} list: 6.8 kg. It was 11.",
            "4.2 kilos lighter. Your knees send regards.",
        ),
    ),
    Dialog(
        "Greta", -80, "18:05", ("The tent by @{handle} has now seen three countries and one bus shelter.",)
    ),
    Dialog(
        "Deniz",
        -48,
        "09:05",
        ("Is @{handle} the only shop that sells single poles?", "We hope not. But we like to be early."),
    ),
    Dialog(
        "Ines",
        -24,
        "16:50",
        (
            "A two-year promise on repairs, without receipt. Well done @{handle}",
            "Thank you, Ines. Your sentence about the law hangs over the bench.",
        ),
    ),
    Dialog(
        "Luca",
        -7,
        "13:55",
        (
            "@{handle} do you have room for an apprentice?",
            "From next term, yes. Write to us, and tell us what you have mended last.",
        ),
    ),
)

WAITING = (
    Waiting(
        "Tobias R.",
        (
            "I sent two mails and nobody answers. My jacket has been with you for four weeks. This is not what you promise on your page.",
        ),
        on=WORKSHOP,
        due_in=-160,
        assignee=KENJI,
        note=(HANA, "The zip for this one is on back order. Offer a loan jacket and say a date we can keep."),
    ),
    Waiting("Emma", ("Does the repair promise also hold if I bought the jacket second-hand?",), due_in=18),
    Waiting(
        "Anke",
        (
            "We would like to book the workshop for a birthday, ten people.",
            "Lovely idea! Which day?",
            "Any Saturday afternoon next month. What would it cost?",
        ),
        on=WORKSHOP,
        due_in=140,
        assignee=HANA,
    ),
    Waiting(
        "Piotr",
        ("I will send the photos of the sole after the weekend.",),
        on=WORKSHOP,
        due_in=90,
        snoozed_days=3,
    ),
)

# (day of the post, account, name, words): nobody has answered.
UNANSWERED = (-3, SHOP, "Ola", "Could I pick a rental tent up on Friday evening?")

# Below a post of the past, hidden by the brand.
SPAM = (-71, SHOP, "Crypto Kate", "I made 4,000 in one week from home, ask me how, link in profile!!!")

SAVED_ANSWERS = (
    SavedAnswer(
        "Opening hours",
        "Hi {name}, we are open Monday to Friday from ten to six and Saturday from ten to two.",
    ),
    SavedAnswer(
        "Öffnungszeiten",
        "Hallo {name}, wir sind Montag bis Freitag von 10 bis 18 Uhr und Samstag von 10 bis 14 Uhr für dich da.",
    ),
    SavedAnswer(
        "How to send in a repair",
        "Hi {name}, two minutes and a photo are enough, you get the price before you send anything: https://nordlicht-outdoor.example/repair/book",
    ),
    SavedAnswer(
        "Late repair",
        "Hi {name}, I am sorry that this takes longer than we said. I have just asked at the bench and come back to you today with a date.",
    ),
    SavedAnswer("Thank you", "Thank you, {name}! We have read this out loud in the workshop."),
)

# Two accounts of one person: (name that stays, other name).
MERGED = (("Jana Vogt", "jana.outdoors"),)

# (name, purpose, whether they agree, how it was given, days from today)
CONSENTS = (
    ("Jana Vogt", Purpose.PERSONAL_LINKS, True, "Repair form", -41),
    ("Jana Vogt", Purpose.NEWSLETTER, True, "Repair form", -41),
    ("Priya", Purpose.PERSONAL_LINKS, True, "Repair form", -31),
    ("Markus W.", Purpose.MESSAGES, True, "By direct message", -107),
    ("Tobias R.", Purpose.NEWSLETTER, True, "At the counter", -141),
    ("Tobias R.", Purpose.NEWSLETTER, False, "By direct message", -8),
    ("Katrin", Purpose.NEWSLETTER, True, "At the counter", -180),
)

# What people of the brand wrote down: (name, facts)
FACTS = (
    (
        "Katrin",
        Facts(
            "Katrin Albers", "katrin.albers@mail.example", "", "Eight jackets. Knows everybody at the bench."
        ),
    ),
    (
        "Ruth",
        Facts(
            "Ruth Simon", "ruth@scouts.example", "030 5550 0177", "Scout group, 24 children. Stoves for free."
        ),
    ),
    ("Henrik", Facts("Henrik Dahl", "", "", "Teacher. Second half of the class still to come.")),
    ("Tobias R.", Facts("Tobias Reuter", "t.reuter@post.example", "", "Waits for a zip on back order.")),
)
