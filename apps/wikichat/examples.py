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
)
