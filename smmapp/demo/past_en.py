"""What the Berlin brand posted in the months before, and what people wrote below it.

Nothing here names a season or a date, so that it reads right whenever the demo is made. The words below a post
are (name, what they wrote, the brand's answer, what they wrote next ...).
"""

from __future__ import annotations

from smmapp.demo.plan import DemoPost, Piece

SHOP, WORKSHOP = 0, 1
ALTS = {
    "lake": "A mountain lake at dawn, the peaks mirrored in still water",
    "patch": "An orange patch sewn onto blue cloth with white stitches",
    "trail": "A path winding over green hills towards pale mountains",
    "tent": "A lit tent below a night sky full of stars",
    "forest": "Rows of fir trees fading into morning mist",
    "sunrise": "The sun rising over layered hills",
    "parcels": "Three cardboard parcels stacked on each other",
}

Talk = tuple[str, ...]


def _post(
    day: int,
    time: str,
    text: str,
    *comments: Talk,
    on: tuple[int, ...] = (SHOP,),
    picture: str = "",
    quality: float = 1.0,
    campaign: str = "",
) -> DemoPost:
    piece = Piece(text, picture, ALTS.get(picture, ""))
    return DemoPost(
        (piece,), day=day, time=time, on=on, quality=quality, comments=comments, campaign=campaign
    )


POSTS = (
    _post(
        -184,
        "12:00",
        "Hello to the many new faces here. We are nine people, four sewing machines and one very old cobbler's bench.",
        ("Katrin", "Seven of my jackets have met that bench.", "We remember every one of them, Katrin."),
        (
            "Paul K.",
            "Where in Berlin are you?",
            "In the courtyard at Lausitzer Platz, second door on the left. Follow the smell of glue.",
        ),
        picture="patch",
        quality=1.2,
    ),
    _post(
        -181,
        "18:00",
        "How to read a waterproof rating: 10,000 mm is a long walk in the rain. 20,000 mm is a week of it. The rest is marketing.",
        (
            "Henrik",
            "And what is your rain shell rated at?",
            "20,000 mm when new, about 14,000 after fifty washes. We measure used ones, too.",
        ),
        quality=1.3,
    ),
    _post(
        -177,
        "08:10",
        "Slept in the workshop to finish a tent for somebody who leaves today. It left on time. So will she.",
        (
            "Greta",
            "That tent is mine and I am on the train. Thank you!!",
            "Have the best trip. Send us a picture from the top.",
        ),
        picture="tent",
        quality=1.6,
    ),
    _post(
        -174,
        "12:00",
        "A sole is worth replacing when the upper has at least two more years in it. We tell you before we start, not after.",
        (
            "Björn",
            "Was kostet eine neue Sohle bei Bergschuhen?",
            "Je nach Modell 65 bis 90 €. Schick uns gern ein Foto, dann können wir es genauer sagen.",
        ),
        on=(SHOP, WORKSHOP),
    ),
    _post(
        -170,
        "17:30",
        "Our rucksacks come with a spare buckle in the lid pocket. You will not need it for years. Then you will need it at 2,400 metres.",
        ("Sam", "Needed it at 12 metres, on an escalator. Still grateful."),
        (
            "Emma",
            "Do older models have the same buckle?",
            "From the second generation on, yes. For the first one we have spares in the shop.",
        ),
        picture="trail",
        quality=1.5,
    ),
    _post(
        -166,
        "10:20",
        "Question of the week: does down lose its loft for ever? No. Wash it, dry it low with two tennis balls, be patient.",
        ("Lena", "How patient?", "Three to four hours, and turn it every half hour."),
        ("Ines", "My dog stole one of the tennis balls. Results are uneven."),
        on=(WORKSHOP,),
    ),
    _post(
        -162,
        "18:00",
        "We stopped printing hang tags. What you need to know about a jacket is now woven into the label, where it cannot get lost.",
        ("Tobias R.", "Good. The tags always end up in the river."),
    ),
    _post(
        -158,
        "12:00",
        "The lightest thing in your bag is the thing you left at home. Number two is a stove made of one tin can. Free pattern at the shop.",
        ("Noor", "Built it. It works. My neighbours are worried."),
        (
            "Piotr",
            "Can I get the pattern as a PDF?",
            "Of course, send us a message with your mail address and it is yours.",
        ),
        quality=1.4,
    ),
    _post(
        -153,
        "17:30",
        "Behind the counter: the drawer of single gloves. If yours is lonely, come and look. Left hands upstairs, right hands downstairs.",
        ("Sophie L.", "I found a match. It's a different colour. I love it."),
        quality=1.8,
    ),
    _post(
        -149,
        "08:10",
        "Twelve kilometres before breakfast, and the only one who complained was the dog.",
        ("Mila", "Poor dog. Which route?", "Grunewald, the long loop around the lake. Bring biscuits."),
        picture="forest",
        quality=1.2,
    ),
    _post(
        -144,
        "12:00",
        "New on the wall: a map where you can pin the place your oldest gear has been. One pin per thing. There are already 84.",
        ("Anke", "One pin from Svalbard is ours. The jacket still smells of it."),
        on=(SHOP, WORKSHOP),
    ),
    _post(
        -140,
        "18:00",
        "A reader asks whether merino pills. Yes. Everything that is soft and rubs pills. A razor and five minutes, and it looks new.",
        ("Carla", "Does it get thinner, though?", "A little, and much later than you would think."),
        on=(WORKSHOP,),
    ),
    _post(
        -134,
        "12:00",
        "Pack light: we put together a kit of eleven things that weighs under five kilos, all of it repairable, all of it sold one by one.\n\n"
        "https://nordlicht-outdoor.example/light",
        (
            "Felix Otto",
            "Finally somebody sells the poles alone. Ordered.",
            "Thank you, Felix. They leave tomorrow morning.",
        ),
        (
            "Wanderlena",
            "Is the mat warm enough for cold sleepers?",
            "R-value 3.9, so yes, down to about freezing. Below that, put a second one under it.",
        ),
        on=(SHOP, WORKSHOP),
        picture="trail",
        quality=1.8,
        campaign="light",
    ),
    _post(
        -131,
        "17:30",
        "The weight of every single part stands on its page, measured on our own scale, buckles included.\nhttps://nordlicht-outdoor.example/light/weights",
        ("Erik", "You weighed the buckles. I feel seen."),
        campaign="light",
    ),
    _post(
        -126,
        "12:00",
        "Two people, one tent, 1.4 kilos. The secret is that you already carry half of it: it stands on your walking poles.\n"
        "https://nordlicht-outdoor.example/light/shelter",
        ("Jonas", "Tested in a storm. Came back dry and smug.", "Smug is included in the price."),
        (
            "Deniz",
            "How long is it inside? I am 1.96 m",
            "2.30 m on the long side. You will fit, with room for boots.",
            "Sold.",
        ),
        on=(SHOP,),
        picture="tent",
        quality=1.5,
        campaign="light",
    ),
    _post(
        -121,
        "18:00",
        "What we would leave behind: the second pot, the third pair of socks, and the worry that somebody at the hut will look at your shirt.",
        ("Priya", "Not the third pair of socks!!"),
        on=(SHOP, WORKSHOP),
        quality=1.3,
    ),
    _post(
        -116,
        "12:00",
        "Free packing list, one page, made by people who have carried too much for twenty years.\nhttps://nordlicht-outdoor.example/light/list",
        ("Ruth", "Printed it for our scout group. 24 children send greetings."),
        (
            "Jana Vogt",
            "The link asks for my mail twice, is that right?",
            "It is not, sorry! We have repaired the form. Once is enough now.",
        ),
        on=(SHOP, WORKSHOP),
        quality=1.4,
        campaign="light",
    ),
    _post(
        -111,
        "10:20",
        'Workshop rule number four: if you say "it\'s only a small hole", you are making the tea.',
        ("Tom", "I have made a lot of tea."),
        on=(WORKSHOP,),
        quality=1.5,
    ),
    _post(
        -106,
        "17:30",
        "Can one rucksack do a weekend and an aeroplane cabin? Ours can: 38 litres, 54 centimetres, no wheels to break.\n"
        "https://nordlicht-outdoor.example/light/38",
        (
            "Markus W.",
            "Passt der auch ins Handgepäck bei strengen Airlines?",
            "Ja, 54 x 35 x 20 cm. Nur vollstopfen darf man ihn dann nicht.",
        ),
        picture="trail",
        campaign="light",
    ),
    _post(
        -101,
        "12:00",
        "Somebody brought us a tent from 1987. We had one pole of that kind left. Now we have none, and the tent goes on.",
        ("Katrin", "This is why I love you."),
        on=(SHOP, WORKSHOP),
        picture="patch",
        quality=1.7,
    ),
    _post(
        -96,
        "18:00",
        "Trade-in week for the light kit: bring the heavy one, pay less for the light one. We repair yours and give it to a youth club.\n"
        "https://nordlicht-outdoor.example/light",
        (
            "Paul K.",
            "Do you take sleeping bags, too?",
            "Gladly, if the zip still moves or can be made to move.",
        ),
        on=(SHOP, WORKSHOP),
        quality=1.2,
        campaign="light",
    ),
    _post(
        -91,
        "08:10",
        "Foggy start, wet boots, best day in weeks.",
        ("Ola", "Where was this?", "Sächsische Schweiz, near Schmilka. The fog is free."),
        picture="forest",
    ),
    _post(
        -86,
        "12:00",
        "We asked 200 of you what breaks first. Zips: 41 %. Buckles: 22 %. Patience: 19 %.",
        ("Henrik", "Patience is at 60 % in this household"),
        quality=1.3,
    ),
    _post(
        -81,
        "17:30",
        "The light kit has been on the Kungsleden, the GR20 and the bus to Potsdam. Reports from all three here.\n"
        "https://nordlicht-outdoor.example/light/reports",
        ("Greta", "The bus to Potsdam report is the best one"),
        campaign="light",
    ),
    _post(
        -76,
        "18:00",
        "Stitch of the month: the lock stitch, by hand, with one needle. Slow, ugly, unbreakable.",
        (
            "Miriam",
            "Is there a video?",
            "Not yet. Come to the repair evening, we will show you with our own hands.",
        ),
        on=(WORKSHOP,),
        picture="patch",
    ),
    _post(
        -71,
        "12:00",
        "A student asked for the cheapest way to a warm night. A closed-cell mat, a borrowed bag, and a hot water bottle. 24 euros and a friend.",
        ("Luca", "As a student: confirmed"),
        quality=1.6,
    ),
    _post(
        -66,
        "17:30",
        "Last weeks of the light kit at its first price. After that the parts stay, the set goes.\nhttps://nordlicht-outdoor.example/light",
        (
            "Emma",
            "Is the set also available without the stove?",
            "Every part is sold alone, so yes. Leave out whatever you own already.",
        ),
        on=(SHOP, WORKSHOP),
        campaign="light",
    ),
    _post(
        -61,
        "10:20",
        "Ten years ago somebody sewed a name into this hood. We found its owner. He is a baker now, and we have been paid in bread.",
        ("Sam", "The only reasonable currency"),
        on=(SHOP, WORKSHOP),
        quality=1.7,
    ),
    _post(
        -56,
        "18:00",
        "Do gaiters help? Below the knee, in wet grass, for an hour: very much. On a summit photo: not at all.",
        ("Anke", "Mine are older than my children"),
    ),
    _post(
        -51,
        "12:00",
        "Repair prices are on the wall now, in big letters. No quote, no surprise, no small print.",
        ("Tobias R.", "Could you put them online as well?", "Good idea. They are on the website from today."),
        on=(WORKSHOP,),
    ),
    _post(
        -44,
        "12:00",
        "Repair, don't replace: from now on every repair comes with a two-year promise. If our seam opens, we close it again. No receipt.\n\n"
        "https://nordlicht-outdoor.example/repair",
        (
            "Wanderlena",
            "Does that hold for shoes as well?",
            "For everything we have sewn or glued. Shoes, too.",
        ),
        ("Ines", "This should be the law."),
        on=(SHOP, WORKSHOP),
        picture="patch",
        quality=1.9,
        campaign="repair",
    ),
    _post(
        -41,
        "17:30",
        "Book a repair in two minutes: photo, postcode, done. You get the price before you send anything.\nhttps://nordlicht-outdoor.example/repair/book",
        (
            "Carla",
            "Did it on the tram. Price after 20 minutes. Impressive.",
            "The tram is our second office. Thank you, Carla.",
        ),
        (
            "Jana Vogt",
            "Can I book two things at once?",
            "Yes, add a second photo on the same form. They travel in one parcel.",
        ),
        on=(SHOP, WORKSHOP),
        quality=1.4,
        campaign="repair",
    ),
    _post(
        -37,
        "18:00",
        "What does a repair cost the planet? About 3 % of a new jacket. We let somebody else do the sums, here they are.\n"
        "https://nordlicht-outdoor.example/repair/numbers",
        ("Felix Otto", "Thanks for linking the method and not only the number."),
        campaign="repair",
    ),
    _post(
        -33,
        "08:10",
        "Morning shift. The kettle is on, the zips are sorted by size, and somebody has put the radio on a station we cannot find again.",
        ("Björn", "Klingt nach einem guten Tag"),
        on=(WORKSHOP,),
        picture="sunrise",
    ),
    _post(
        -29,
        "12:00",
        "Gift vouchers for repairs. The only present that fits every size.\nhttps://nordlicht-outdoor.example/repair/voucher",
        (
            "Ruth",
            "Can one be sent to Austria?",
            "It is a PDF, so it travels everywhere. Return shipping from Austria is included as well.",
        ),
        on=(SHOP, WORKSHOP),
        picture="parcels",
        quality=1.3,
        campaign="repair",
    ),
    _post(
        -25,
        "17:30",
        '"It was cheaper than I feared and prettier than before." A customer about a patch. We have framed it.\nhttps://nordlicht-outdoor.example/repair/book',
        ("Sophie L.", "I wrote that!"),
        on=(SHOP, WORKSHOP),
        quality=1.5,
        campaign="repair",
    ),
    _post(
        -21,
        "18:00",
        "We turn away about one repair in thirty. Then we tell you which parts are worth keeping, and we send those back, too.",
        ("Noor", "Honest. I like it."),
    ),
    _post(
        -18,
        "12:00",
        "A kit to mend small things yourself: six patches, a needle, thread, a good leaflet. And our number, in case it goes wrong.\n"
        "https://nordlicht-outdoor.example/repair/kit",
        (
            "Deniz",
            "Do the patches survive the washing machine?",
            "Sewn on: for years. Only stuck on: about ten washes at 30 degrees.",
        ),
        ("Miriam", "The leaflet is lovely"),
        on=(SHOP, WORKSHOP),
        picture="patch",
        quality=1.3,
        campaign="repair",
    ),
)
