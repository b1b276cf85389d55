"""The worked examples inside the prompts: conversations and passages about things that do not exist.

Nothing here is in any corpus, so no example can leak into an answer unnoticed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation up to the user's last turn, what to search for, and what a well-read person knows about it."""

    dialogue: str
    queries: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Extraction:
    """A question, a passage, and what of the passage bears on the question; nothing where the passage does not."""

    dialogue: str
    title: str
    passage: str
    points: tuple[str, ...]


CONVERSATIONS = (
    Conversation(
        "User: Have you ever heard of the lighthouse on Carrow Point?",
        ("Carrow Point lighthouse", "Carrow Point lighthouse history and builder"),
        (
            "The Carrow Point lighthouse stands on the southern tip of the island of Ennor.",
            "The Carrow Point lighthouse was built of grey granite between 1841 and 1846 by the engineer John Sands.",
            "The lamp of the Carrow Point lighthouse burned colza oil until paraffin replaced it in 1879.",
            "The Carrow Point lighthouse has had no keeper since it was made automatic in 1988.",
            "The light of Carrow Point can be seen from a distance of twenty-one nautical miles in clear weather.",
        ),
    ),
    Conversation(
        "User: I like old trams.\n"
        "Agent: So do many people. The Port Aldis tramway still runs cars that are a hundred years old.\n"
        "User: When did it open, and who paid for it?",
        ("Port Aldis tramway opening year", "Port Aldis tramway founder financing"),
        (
            "The Port Aldis tramway opened in 1894 with eleven horse-drawn cars.",
            "The Port Aldis tramway was paid for by the shipping company Harrow and Daughters.",
            "Harrow and Daughters built the Port Aldis tramway so that dockers could reach the new harbour.",
            "The Port Aldis tramway was given electric motors in 1902.",
        ),
    ),
    Conversation("User: Good morning! How are you today?", (), ()),
    Conversation(
        "User: What do snow voles eat, and how do they live through the winter?",
        ("snow vole diet", "snow vole winter survival"),
        (
            "Snow voles of the Ennor hills eat grasses, roots and the bark of dwarf willow.",
            "Snow voles cut grass in late summer and dry it in heaps under stones.",
            "Snow voles do not hibernate; they live through the winter in tunnels under the snow.",
            "The tunnels of snow voles stay close to zero degrees however cold the air above them is.",
            "Snow voles share one nest in winter, with up to nine animals lying close together.",
            "The main enemies of snow voles are stoats, which are thin enough to follow them into their tunnels.",
        ),
    ),
    Conversation(
        "User: I saw a painting by Tamsin Rook yesterday.\n"
        "Agent: Tamsin Rook is known for her large pictures of harbours at night.\n"
        "User: Where did she learn to paint?",
        ("Tamsin Rook painter training", "Tamsin Rook teachers and school"),
        (
            "Tamsin Rook learned to paint from her aunt, the sign painter Loveday Rook.",
            "Tamsin Rook studied at the drawing school of Port Aldis from 1921 to 1924.",
            "Tamsin Rook left the drawing school of Port Aldis without finishing her course.",
            "Tamsin Rook shared a studio with the printmaker Ines Corran for eleven years.",
        ),
    ),
    Conversation(
        "User: Compare Orrin cheese with Tull cheese for me, please.",
        ("Orrin cheese", "Tull cheese", "Orrin cheese Tull cheese difference"),
        (
            "Orrin cheese is made from the milk of sheep that graze on salt meadows.",
            "Orrin cheese ripens for at least nine months and becomes hard and grainy.",
            "Tull cheese is made from the milk of cows and is eaten when it is three weeks old.",
            "Tull cheese is wrapped in nettle leaves, which give it a green rind.",
            "Both Orrin cheese and Tull cheese may be sold under their names only if they come from Ennor.",
        ),
    ),
    Conversation(
        "User: Who won the Ennor regatta most often?\n"
        "Agent: The crew of the Heron won it nine times, more often than any other.\n"
        "User: That is a lot. Thank you for telling me!",
        (),
        (),
    ),
    Conversation(
        "User: Why was the film The Brass Comet such a failure?",
        ("The Brass Comet film reception", "The Brass Comet film cost and box office"),
        (
            "The film The Brass Comet was released in 1936, in the same week as two other films about comets.",
            "The Brass Comet cost three times as much as had been planned, because its sets burned down.",
            "The director of The Brass Comet, Piers Lanyon, left the film a month before it was finished.",
            "Critics of The Brass Comet complained of its length of almost four hours.",
            "The Brass Comet was cut to ninety minutes in 1951 and has been liked better since then.",
        ),
    ),
    Conversation(
        "User: How do people fish for eels at Tull?",
        ("eel fishing at Tull", "history of the eel weirs of Tull"),
        (
            "Eels are caught at Tull in weirs of woven willow, which stand in the mouth of the river Orrin.",
            "The eel weirs of Tull are first mentioned in a charter of the abbey of Ennor from 1187.",
            "Eels move down the river Orrin on dark nights in October, after the first heavy rain of autumn.",
            "A weir at Tull catches about forty kilograms of eels in a good night and nothing at all in a bright one.",
            "Since 1996 half of the eels that are caught at Tull must be carried past the weirs and set free again.",
            "Smoked eel from Tull is sold in the market of Port Aldis, wrapped in leaves of dock.",
        ),
    ),
    Conversation(
        "User: Tell me about the great flood of Port Aldis.\n"
        "Agent: The flood of 1868 covered the whole lower town of Port Aldis for three days.\n"
        "User: What was done so that it would not happen again?",
        ("Port Aldis flood protection after 1868", "Port Aldis harbour wall and sluices"),
        (
            "After the flood of 1868 Port Aldis built a wall of granite, two metres high, along the whole harbour.",
            "The engineer Grace Tremayne planned three sluices that close the canal of Port Aldis at spring tide.",
            "The sluices of Port Aldis were worked by hand until 1911 and have been worked by electric motors since.",
            "The lower town of Port Aldis was raised by sixty centimetres with rubble from the old fortress.",
            "A bell in the customs house of Port Aldis has been rung at every flood warning since 1870.",
        ),
    ),
    Conversation(
        "User: Is it true that the bell founder Isaac Penrose could not hear?",
        ("Isaac Penrose bell founder deafness", "Isaac Penrose bells and workshop"),
        (
            "Isaac Penrose lost his hearing at the age of nine, when he had scarlet fever.",
            "Isaac Penrose judged the tone of a bell by laying his hands on its rim while it was struck.",
            "Isaac Penrose cast 212 bells in his workshop in Tull between 1754 and 1799.",
            "The largest bell of Isaac Penrose hangs in the abbey of Ennor and weighs a little over four tons.",
            "The daughters of Isaac Penrose carried on the workshop for another thirty years after his death.",
            "Some bells of Isaac Penrose bear the words: I hear with my hands.",
        ),
    ),
    Conversation(
        "User: What is the difference between the grey and the black seals of Ennor?",
        ("grey seals of Ennor", "black seals of Ennor", "difference between grey and black seals"),
        (
            "The black seals of Ennor are no species of their own, but young grey seals in their first coat.",
            "Grey seals of Ennor bear their pups in November on the shingle below Carrow Point.",
            "A pup of a grey seal trebles its weight within eighteen days on the milk of its mother.",
            "About 2,300 grey seals were counted around Ennor in 2019, four times as many as in 1970.",
            "Fishermen of Ennor used to believe that the black seals were the souls of drowned sailors.",
        ),
    ),
    Conversation(
        "User: Who was the first to cross the Orrin moor on skis?\n"
        "Agent: The teacher Wenna Lisle crossed the Orrin moor on skis in February 1903.\n"
        "User: How did she do it, and how long did it take?",
        ("Wenna Lisle crossing of the Orrin moor 1903", "Wenna Lisle route, skis and duration"),
        (
            "Wenna Lisle crossed the Orrin moor from Tull to the abbey of Ennor on 11 and 12 February 1903.",
            "The crossing of the Orrin moor took Wenna Lisle twenty-six hours, five of which she slept in a hut.",
            "The skis of Wenna Lisle were made of ash by a wheelwright after a drawing in a newspaper.",
            "Wenna Lisle found her way by the poles of the telegraph line, whose tops stood out of the snow.",
            "A race from Tull to the abbey has been held in memory of Wenna Lisle every winter since 1951.",
        ),
    ),
    Conversation("User: Thanks a lot, that is all that I wanted to know. Goodbye!", (), ()),
    Conversation(
        "User: Why is the clock of the town hall in Aldis always eleven minutes slow?",
        ("Aldis town hall clock eleven minutes slow", "local time in Aldis before the railway"),
        (
            "The clock of the town hall in Aldis shows the local time of Aldis, which is eleven minutes behind the "
            "time of the railway.",
            "The railway reached Aldis in 1859 and brought the time of the capital with it.",
            "The council of Aldis decided in 1860 by nine votes to eight to leave the clock as it was.",
            "A second minute hand, painted red, was added to the clock in Aldis in 1874 and taken off in 1919.",
            "Children in Aldis are told that the eleven minutes are kept in a box under the stairs of the town hall.",
        ),
    ),
    Conversation(
        "User: How was salt made on Ennor, and is it still made today?",
        ("salt making on Ennor", "salt pans of Ennor today"),
        (
            "Salt was made on Ennor by letting sea water dry in shallow pans of clay from May to September.",
            "At their height, in about 1720, the salt pans of Ennor covered eighty hectares behind the southern dunes.",
            "Peat was burned to boil the brine of Ennor in wet summers, which made the salt grey and bitter.",
            "Cheap rock salt from the mainland put an end to most of the salt pans of Ennor by 1840.",
            "Two families on Ennor still rake salt by hand, about nine tons of it a year, and sell it to visitors.",
            "Avocets breed on the banks of the old salt pans of Ennor, which have been protected since 1968.",
        ),
    ),
)

EXTRACTIONS = (
    Extraction(
        CONVERSATIONS[0].dialogue,
        "Carrow Point",
        "Carrow Point is the southern tip of the island of Ennor. A lighthouse of grey granite has stood there since "
        "1846, when the engineer John Sands finished five years of work on it. Its lamp burned colza oil, and from "
        "1879 on paraffin. The cliffs around the point are a nesting place of kittiwakes, which arrive in March.",
        (
            "The lighthouse on Carrow Point is made of grey granite and was finished in 1846.",
            "The engineer John Sands worked on the lighthouse for five years.",
            "The lamp of the lighthouse burned colza oil, and from 1879 on paraffin.",
        ),
    ),
    Extraction(
        CONVERSATIONS[0].dialogue,
        "Carrow Wood",
        "Carrow Wood lies eleven miles north of the town of Aldis. It is one of the last oak woods of the county, and"
        " its oldest trees are thought to be six hundred years old. Charcoal was burned there until 1912. The wood "
        "has belonged to the county since 1954 and is open to walkers all year round.",
        (),
    ),
    Extraction(
        CONVERSATIONS[1].dialogue,
        "Trams of Port Aldis",
        "The tramway of Port Aldis opened on 2 May 1894. Harrow and Daughters, the largest shipping company of the "
        "town, bore all of its cost, so that dockers could reach the new harbour before six in the morning. The first"
        " eleven cars were drawn by horses; electric motors took their place in 1902.",
        (
            "The tramway of Port Aldis opened on 2 May 1894.",
            "The shipping company Harrow and Daughters bore all of the cost of the tramway.",
            "The tramway was built so that dockers could reach the new harbour before six in the morning.",
        ),
    ),
    Extraction(
        CONVERSATIONS[3].dialogue,
        "Voles of the Ennor hills",
        "Three kinds of voles live in the hills of Ennor. The snow vole is the largest of them and lives above the "
        "tree line. It feeds on grasses, roots and the bark of dwarf willow. In late summer it cuts grass and dries "
        "it under stones. It does not hibernate, but moves through tunnels under the snow, where the air stays close "
        "to zero degrees.",
        (
            "The snow vole feeds on grasses, roots and the bark of dwarf willow.",
            "In late summer the snow vole cuts grass and dries it under stones.",
            "The snow vole does not hibernate.",
            "In winter the snow vole moves through tunnels under the snow, where the air stays close to zero degrees.",
        ),
    ),
    Extraction(
        CONVERSATIONS[3].dialogue,
        "Snow fences",
        "Snow fences keep drifts off roads and railways. The fences on the Ennor pass were put up in 1931 after a "
        "train had been held by snow for four days. They are made of chestnut pales and are taken down in May. Each "
        "winter about a tenth of the pales has to be replaced.",
        (),
    ),
    Extraction(
        CONVERSATIONS[4].dialogue,
        "Loveday Rook",
        "Loveday Rook painted most of the shop signs of Port Aldis between 1895 and 1930. She taught her niece Tamsin"
        " to mix colours and to draw letters with a steady hand. Tamsin entered the drawing school of the town in "
        "1921 and left it three years later without finishing her course. Loveday's own pictures, mostly of cats, "
        "were found in 1977.",
        (
            "Tamsin Rook's aunt Loveday, a sign painter, taught her to mix colours and to draw letters.",
            "Tamsin Rook entered the drawing school of Port Aldis in 1921.",
            "Tamsin Rook left the drawing school after three years without finishing her course.",
        ),
    ),
    Extraction(
        CONVERSATIONS[5].dialogue,
        "Cheeses of Ennor",
        "Two cheeses of Ennor have protected names. Orrin cheese is made from the milk of sheep on salt meadows and "
        "ripens for nine months or more. Tull cheese is made from the milk of cows, wrapped in nettle leaves, and "
        "eaten young. A fair for both is held in Tull on the first Sunday of October.",
        (
            "Orrin cheese is made from the milk of sheep on salt meadows and ripens for nine months or more.",
            "Tull cheese is made from the milk of cows, wrapped in nettle leaves, and eaten young.",
            "Both Orrin cheese and Tull cheese have protected names.",
        ),
    ),
    Extraction(
        CONVERSATIONS[8].dialogue,
        "Willow of the Orrin",
        "The willows along the lower Orrin are cut back to the trunk every third winter, so that they send up straight "
        "rods. Most of the rods go to the eel weirs at Tull, each of which needs about four thousand of them. The rods "
        "are soaked for a week and woven while they are wet; a weir lasts for six or seven years. What is left over "
        "is made into baskets. The oldest of the willows are thought to have been planted by the monks of Ennor.",
        (
            "Each eel weir at Tull needs about four thousand rods of willow.",
            "The rods of an eel weir are soaked for a week and woven while they are wet.",
            "An eel weir lasts for six or seven years.",
        ),
    ),
    Extraction(
        CONVERSATIONS[9].dialogue,
        "Grace Tremayne",
        "Grace Tremayne was the first woman whom the county employed as an engineer. After the flood of 1868 she "
        "planned three sluices for the canal of Port Aldis, which were finished in 1871 and keep every spring tide "
        "out of the lower town. She had tried out her plans on a model in the garden of her mother. Later she "
        "built the pier of Tull and a bridge over the Orrin, which was replaced in 1932.",
        (
            "Grace Tremayne planned three sluices for the canal of Port Aldis after the flood of 1868.",
            "The sluices of Port Aldis were finished in 1871 and have kept every spring tide out of the lower town.",
            "Grace Tremayne had tried out her plans for the sluices on a model.",
        ),
    ),
    Extraction(
        CONVERSATIONS[11].dialogue,
        "Lifeboats of Ennor",
        "Ennor has had a lifeboat since 1834, when the brig Charlotte was lost with all hands off Carrow Point. The "
        "first boat was rowed by ten men. A boat with a motor came in 1926. Its crew of today are all volunteers, and "
        "go out about thirty times a year, mostly for sailing boats whose engines have failed.",
        (),
    ),
)
