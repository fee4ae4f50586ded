"""The posts of the Berlin brand."""

from __future__ import annotations

from smmapp.demo.plan import DemoPost, Piece

SHOP, WORKSHOP = 0, 1

POSTS = (
    # --- sent -----------------------------------------------------------------------------------
    DemoPost(
        (
            Piece(
                "First light at the lake. The tent was wet, the coffee was hot, nobody wanted to leave.\n\nWhere did you wake up this weekend?",
                "lake",
                "A mountain lake at dawn, the peaks mirrored in still water",
            ),
        ),
        day=-14,
        time="07:45",
        quality=1.5,
        comments=(
            ("Jonas", "Harz, and it rained all night. Worth it."),
            ("Mila", "On my balcony. Still counts?", "Anything with a sleeping bag counts."),
        ),
    ),
    DemoPost(
        (
            Piece(
                "Repair, don't replace: this jacket came to us with a torn sleeve and eleven winters in it. It leaves with a patch and, we hope, eleven more.",
                "patch",
                "An orange patch sewn onto blue cloth with white stitches",
            ),
        ),
        day=-13,
        time="12:00",
        on=(SHOP, WORKSHOP),
        own={
            WORKSHOP: "Sleeve torn on a fence, jacket from eleven winters ago. Patched with cloth from the same mill, 40 minutes, 18 €."
        },
        quality=1.4,
        comments=(
            (
                "Priya",
                "Can you do zips as well?",
                "Zips are our daily bread. Send a photo and you get a price.",
            ),
            ("Tom", "Mine is on its way to you"),
        ),
    ),
    DemoPost(
        (
            Piece(
                "We measured it: a waterproof jacket that is washed and reproofed twice a year stays dry about three times as long. We do it for 15 €.\nhttps://nordlicht-outdoor.example/repair/reproof"
            ),
        ),
        day=-12,
        time="18:00",
        campaign="repair",
        quality=0.9,
        comments=(
            (
                "Lena",
                "Which soap do you use?",
                "Plain soap flakes, two spoons, nothing that promises softness.",
            ),
        ),
    ),
    DemoPost(
        (
            Piece(
                "A small guide to packing light, from people who have carried far too much.\n\n1/3 Lay everything out. Then put a third of it back.",
                "trail",
                "A path winding over green hills towards pale mountains",
            ),
            Piece(
                "2/3 Two of every piece of clothing: one to wear, one to dry. Nobody on the mountain counts your shirts."
            ),
            Piece(
                "3/3 Weigh the bag before you go, and write the number on a tape inside the lid. Next time you will beat it."
            ),
        ),
        day=-11,
        time="17:30",
        on=(SHOP, WORKSHOP),
        quality=2.1,
        comments=(
            ("Noor", "A third! I always stop at one sock."),
            ("Jonas", "The tape in the lid is genius"),
            ("Erik", "14.2 kg. Send help.", "Start with the second pot, Erik."),
        ),
    ),
    DemoPost(
        (
            Piece(
                "The workshop is open from ten to six. Bring the thing, tell us its story, have a tea while we look at it."
            ),
        ),
        day=-10,
        time="09:30",
        on=(WORKSHOP,),
        quality=0.7,
    ),
    DemoPost(
        (
            Piece(
                "Under the stars with the new two-person shelter: 1.4 kg, poles you can replace one by one, and a repair kit sewn into the bag.",
                "tent",
                "A lit tent below a night sky full of stars",
            ),
        ),
        day=-9,
        time="20:15",
        quality=1.7,
        comments=(
            ("Mila", "Take my money"),
            (
                "Sam",
                "Does it fit two tall people, honestly?",
                "Honestly: up to 1.95 m. Above that, diagonally.",
            ),
        ),
    ),
    DemoPost(
        (
            Piece(
                "Question of the week, by mail: can wool be washed? Yes. Cold, in a bag, flat to dry. It forgives nearly everything but heat."
            ),
        ),
        day=-8,
        time="12:00",
    ),
    DemoPost(
        (
            Piece(
                "Forest air, 6 a.m. No filter, no signal, no hurry.",
                "forest",
                "Rows of fir trees fading into morning mist",
            ),
        ),
        day=-6,
        time="08:10",
        on=(SHOP,),
        quality=1.3,
        comments=(("Lena", "I can smell this picture", "Ninety per cent resin, ten per cent wet socks."),),
    ),
    DemoPost(
        (
            Piece(
                "Zips are the first thing to fail and the easiest to save. Rub the teeth with a candle once a season. That is the whole trick."
            ),
        ),
        day=-5,
        time="12:00",
        on=(SHOP, WORKSHOP),
        quality=1.2,
        comments=(
            ("Priya", "It worked!!"),
            ("Tom", "Beeswax or any candle?", "Any will do. Beeswax smells better."),
        ),
    ),
    DemoPost(
        (
            Piece(
                "This month's repair tally: 61 zips, 38 seams, 17 soles, and one much-loved teddy bear.\nhttps://nordlicht-outdoor.example/repair/book"
            ),
        ),
        day=-4,
        time="16:00",
        campaign="repair",
        on=(WORKSHOP,),
        quality=1.6,
        comments=(("Noor", "We need a picture of the bear.", "The bear has to agree first. We asked."),),
    ),
    DemoPost(
        (
            Piece(
                "Our rental shelf is open: tents, stoves, sleeping mats, by the weekend. Try it before you own it.",
                "tent",
                "A lit tent below a night sky full of stars",
            ),
        ),
        day=-3,
        time="17:30",
        comments=(("Erik", "Do you ship rentals?", "Within Germany, yes, 9 € both ways together."),),
    ),
    DemoPost(
        (
            Piece(
                "Route tip: the old railway between the two lakes. 19 km, flat, one bakery at exactly the right place."
            ),
        ),
        day=-2,
        time="11:00",
        on=(SHOP, WORKSHOP),
        is_failed=True,
        comments=(("Sam", "The bakery is real. Get the plum cake."),),
    ),
    DemoPost(
        (
            Piece(
                "Thank you for a full repair evening yesterday. Twenty people, forty needles, no injuries worth mentioning."
            ),
        ),
        day=-1,
        time="10:20",
        on=(WORKSHOP,),
        comments=(("Priya", "I can sew a button now. I am unstoppable."),),
    ),
    # --- going out while one looks --------------------------------------------------------------
    DemoPost(
        (
            Piece(
                "Fresh from the workshop: ten rucksacks with new straps, looking for new owners. At the shop from now on.\nhttps://nordlicht-outdoor.example/repair/rescued",
                "trail",
                "A path winding over green hills towards pale mountains",
            ),
        ),
        soon_s=90,
        campaign="repair",
        on=(SHOP, WORKSHOP),
    ),
    # --- scheduled ------------------------------------------------------------------------------
    DemoPost(
        (Piece("Rain tomorrow. Good: now you find out whether you reproofed that jacket."),),
        first_comment="Not sure how? The workshop shows you on Saturday at eleven, no need to book.",
        day=1,
        time="17:30",
    ),
    DemoPost(
        (
            Piece(
                "Behind the seams: how a sole is replaced, in four pictures, this week on our workshop account.",
                "patch",
                "An orange patch sewn onto blue cloth with white stitches",
            ),
        ),
        day=2,
        time="12:00",
        on=(SHOP, WORKSHOP),
    ),
    DemoPost(
        (
            Piece(
                "Open repair evening, 18:00 to 21:00. Bring one broken thing and half an hour of patience. Tea is on us."
            ),
        ),
        day=3,
        time="09:00",
        on=(WORKSHOP,),
    ),
    DemoPost(
        (
            Piece(
                "Three questions to ask before you buy a tent:\n\nCan I get a single pole?\nCan I get the cloth?\nWill you still pick up the phone in ten years?"
            ),
        ),
        day=5,
        time="18:00",
    ),
    DemoPost(
        (
            Piece(
                "What we learned from 500 repairs.\n\nMost gear does not wear out. It gets one small hole and is given up on.",
                "forest",
                "Rows of fir trees fading into morning mist",
            ),
            Piece(
                "So we now sew a patch of the same cloth into every jacket. You will find it behind the label. Future you says thanks."
            ),
        ),
        day=6,
        time="12:00",
        on=(SHOP, WORKSHOP),
    ),
    DemoPost(
        (
            Piece(
                "Sunrise walk, short and slow, from the shop door. Be there at half past six, home for breakfast.",
                "sunrise",
                "The sun rising over layered hills",
            ),
        ),
        day=8,
        time="17:00",
    ),
    DemoPost(
        (
            Piece(
                "New on the spare parts wall: buckles in nine sizes, sold one by one. No kit, no blister pack.\nhttps://nordlicht-outdoor.example/repair/parts"
            ),
        ),
        day=9,
        time="12:00",
        campaign="repair",
        on=(WORKSHOP,),
    ),
    DemoPost(
        (
            Piece(
                "Your photos of old gear that still goes strong: send us one, tell us its age. The oldest three get a free service."
            ),
        ),
        day=11,
        time="18:00",
        on=(SHOP, WORKSHOP),
    ),
    DemoPost(
        (Piece("We are closed for stocktaking tomorrow. The repair letterbox is open as always."),),
        day=13,
        time="10:00",
        on=(SHOP, WORKSHOP),
    ),
    # --- drafts ---------------------------------------------------------------------------------
    DemoPost(
        (
            Piece(
                "Interview with the people who weave our cloth. Photos still to come from the mill. Ask: how long does one roll take?"
            ),
        ),
        is_draft=True,
        on=(SHOP,),
    ),
    DemoPost(
        (
            Piece(
                "Gift idea: a repair voucher. Fits every size, never returned.",
                "parcels",
                "Three cardboard parcels stacked on each other",
            ),
        ),
        day=7,
        time="12:00",
        is_draft=True,
        on=(SHOP, WORKSHOP),
    ),
)
