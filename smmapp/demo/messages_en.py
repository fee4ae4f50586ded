"""Private messages of the last months to the Berlin brand, with its answers."""

from __future__ import annotations

from smmapp.demo.plan import Dialog

SHOP, WORKSHOP = 0, 1

MESSAGES = (
    Dialog(
        "Katrin",
        -183,
        "11:15",
        ("Do you open on Saturdays?", "Yes, from ten to two.", "Perfect, see you then."),
    ),
    Dialog(
        "Paul K.",
        -178,
        "14:40",
        (
            "My rucksack's hip belt is coming off. Warranty or repair?",
            "How old is it, and could you send a photo of the seam?",
            "Three years. The stitching has simply opened.",
            "Then it is ours. Send it in, we pay the postage, and it will be back within ten days.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Björn",
        -173,
        "09:20",
        (
            "Hallo, wie lange dauert eine Neubesohlung im Moment?",
            "Hallo Björn, zurzeit etwa zwei Wochen. Wenn es eilt, sag uns das Datum, dann schauen wir.",
            "Zwei Wochen sind super.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Emma",
        -167,
        "20:10",
        (
            "Which size of the rain shell for 178 cm and broad shoulders?",
            "M fits most people your height. With broad shoulders we would take L and shorten the sleeve, which is free.",
            "L it is.",
        ),
    ),
    Dialog(
        "Tobias R.",
        -161,
        "16:30",
        (
            "The tracking says delivered but there is no parcel.",
            "We are sorry! Please look with your neighbours first; we have opened an inquiry with the carrier at the same time.",
            "It was with the neighbour I do not talk to. We talk now.",
            "The best outcome of an inquiry so far.",
        ),
    ),
    Dialog(
        "Piotr",
        -157,
        "12:50",
        (
            "Could you mail me the stove pattern? piotr@example.org",
            "It is on its way to you. Mind your fingers, the edges are sharp.",
            "Got it, thanks!",
        ),
    ),
    Dialog(
        "Greta",
        -151,
        "10:05",
        (
            "Back from the trip. One pole has a dent. Can I get a single one?",
            "Of course, 7 € with postage. Second or third segment?",
            "Second.",
            "It leaves today.",
        ),
    ),
    Dialog(
        "Anke",
        -145,
        "18:45",
        (
            "Do you ship to Norway?",
            "We do, 14.90 € and about six days. Customs are settled already, nothing to pay at the door.",
        ),
    ),
    Dialog(
        "Sophie L.",
        -138,
        "13:25",
        (
            "The glove I found in your drawer has a hole in the thumb. Is mending it more expensive than the glove?",
            "The glove was free, so yes. 6 €, and we match the wool.",
            "Do it.",
        ),
    ),
    Dialog(
        "Felix Otto",
        -134,
        "08:55",
        (
            "Order 30112: I chose the wrong poles. Can I still change that?",
            "Just in time. We have swapped them for the 125 cm ones.",
            "You are quick.",
        ),
    ),
    Dialog(
        "Wanderlena",
        -129,
        "21:30",
        (
            "Are the mats made with PFAS?",
            "No, none of our products have been since we changed the coating. The test report is on each product page.",
            "Good to know, ordering.",
        ),
    ),
    Dialog(
        "Deniz",
        -125,
        "15:15",
        (
            "My tent arrived without the guy lines.",
            "That should not have happened, sorry. A full set leaves today by express. You keep the spare ones.",
            "Arrived this morning. Thanks for the quick fix.",
        ),
    ),
    Dialog(
        "Henrik",
        -119,
        "11:40",
        (
            "Can I visit the workshop with a school class, 22 pupils?",
            "Gladly, in two groups of eleven. Thursday mornings are best.",
            "Thursday in three weeks?",
            "Written into the calendar. Everybody may sew a patch and take it home.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Jana Vogt",
        -114,
        "17:20",
        (
            "The packing list never arrived in my mailbox.",
            "It went to the spam folder of two other people as well. We have sent it again from another address.",
            "It is there now.",
        ),
    ),
    Dialog(
        "Markus W.",
        -108,
        "19:35",
        (
            "Gibt es den 38er auch in Schwarz?",
            "Ja, ab nächster Woche wieder. Sollen wir dir einen zurücklegen?",
            "Gerne!",
            "Liegt bereit, 14 Tage lang.",
        ),
    ),
    Dialog(
        "Luca",
        -103,
        "12:15",
        (
            "Student discount?",
            "10 % on everything, with any student card. In the shop and online with the code on the student page.",
        ),
    ),
    Dialog(
        "Carla",
        -97,
        "10:50",
        (
            "I left a sleeping bag for the trade-in. Did the voucher get lost?",
            "It waited for a signature, ours. Here it comes, with our apologies.",
            "No worries.",
        ),
    ),
    Dialog(
        "Ola",
        -92,
        "09:30",
        (
            "Do your rental tents have a repair kit?",
            "Sewn into the bag, yes. If you use it, tell us, so that we can refill it.",
        ),
    ),
    Dialog(
        "Ruth",
        -87,
        "16:05",
        (
            "Could our scouts get three second-hand stoves?",
            "We have two here and will find a third. Free for the scouts, if you send a picture of the first soup.",
            "Deal!",
        ),
    ),
    Dialog(
        "Miriam",
        -82,
        "13:45",
        (
            "The zip you replaced sticks.",
            "Sorry about that. Please rub the teeth with a candle first; if it still sticks, bring it in and we do it again.",
            "The candle did it.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Ines",
        -77,
        "20:55",
        (
            "Is the down in your bags certified?",
            "Yes, RDS, and half of it is recycled. The certificate number is on the label.",
        ),
    ),
    Dialog(
        "Sam",
        -72,
        "11:00",
        (
            "Refund for order 31874 please, the jacket is too small.",
            "Received and refunded, it takes two or three days to show up. Shall we send L instead?",
            "Yes please, L.",
        ),
    ),
    Dialog(
        "Erik",
        -67,
        "18:20",
        (
            "Do you sell gift wrapping made of old tents?",
            "We did not until you asked. Now we do. 3 €, any colour that somebody has camped in.",
            "Fantastic.",
        ),
    ),
    Dialog(
        "Björn",
        -60,
        "08:40",
        (
            "Kann ich Schuhe auch im Laden in Leipzig abgeben?",
            "Ja, bei unserem Partner in der Südvorstadt. Die Adresse steht auf der Reparaturseite.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Katrin",
        -54,
        "15:50",
        (
            "Eight. Eight jackets. Can I have a loyalty card?",
            "We have made one for you. It has eight holes already.",
            "I will frame it.",
        ),
    ),
    Dialog(
        "Jana Vogt",
        -40,
        "14:00",
        (
            "I booked a repair for two things. The confirmation only shows one.",
            "Thank you for telling us. Both are in, only the mail was wrong. Here is your booking: https://nordlicht-outdoor.example/repair/book",
            "Great, thanks.",
        ),
        on=WORKSHOP,
        campaign="repair",
    ),
    Dialog(
        "jana.outdoors",
        -34,
        "19:10",
        (
            "Hi, Jana Vogt here from my hiking account. Would you repair ten rental jackets for our club?",
            "Hi Jana, we would love to. For ten pieces there is a club price, it is all on this page: https://nordlicht-outdoor.example/repair/clubs",
            "Sent you the list by mail.",
            "Received. You get the quote tomorrow.",
        ),
        on=WORKSHOP,
        campaign="repair",
    ),
    Dialog(
        "Priya",
        -30,
        "10:30",
        (
            "Is the zip repair also for sleeping bags?",
            "It is, 24 € up to two metres. Book it here and you get the label at once: https://nordlicht-outdoor.example/repair/book",
            "Booked!",
        ),
        on=WORKSHOP,
        campaign="repair",
    ),
    Dialog(
        "Noor",
        -26,
        "12:20",
        (
            "Voucher arrived, but the PDF is empty.",
            "How embarrassing. A new one is in your mailbox; the old code works as well.",
            "Works now.",
        ),
    ),
    Dialog(
        "Tom",
        -22,
        "17:00",
        ("Beeswax candle destroyed my zip. Kidding. It's great.", "You had us for two seconds."),
    ),
    Dialog(
        "Lena",
        -19,
        "09:50",
        (
            "How do I get my jacket to you from Spain?",
            "We send you a label, 9 €, and it is with us in four days. Start here: https://nordlicht-outdoor.example/repair/book",
            "Starting now.",
        ),
        on=WORKSHOP,
        campaign="repair",
    ),
    Dialog(
        "Markus W.",
        -16,
        "13:10",
        (
            "Rechnung mit Firmenadresse möglich?",
            "Klar. Schick uns die Adresse, dann bekommst du sie heute noch als PDF.",
            "Danke!",
        ),
    ),
    Dialog(
        "Felix Otto",
        -12,
        "11:25",
        (
            "Ordered the kit on Monday, still 'in preparation'.",
            "You are right, the needles were late. It leaves today, with an extra patch for the wait.",
            "Love the extra patch.",
        ),
    ),
    Dialog(
        "Mila",
        -9,
        "20:05",
        (
            "Can two tall people really live in the shelter? Asking before we order.",
            "Up to 1.95 m, yes. Above that the feet touch the wall. Come and lie in it, it stands in the shop.",
            "We came, we lay, we bought.",
        ),
    ),
    Dialog(
        "Sophie L.",
        -6,
        "15:35",
        (
            "Do you repair knitwear by other makers?",
            "All makers, all ages. We only ask for clean things.",
            "Washed and on its way.",
        ),
        on=WORKSHOP,
    ),
    Dialog(
        "Henrik",
        -4,
        "10:15",
        (
            "The class still talks about your workshop. Can the other half come?",
            "They can. Same day next month?",
            "Yes!",
        ),
        on=WORKSHOP,
    ),
)
