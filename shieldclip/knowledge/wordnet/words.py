"""Lists of words: what can be seen, and the small words around it.

WordNet does not say which of its words are visual; these lists do. They are ours, written by hand,
and hold words that many things share.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLOURS = _words(
    """black white grey gray red orange yellow green blue purple violet pink brown golden silver
    silvery reddish yellowish greenish bluish brownish whitish blackish tan beige scarlet crimson
    colorful colored multicolored brightly-colored dark bright pale rosy purplish"""
)
SHAPES = _words(
    """round rounded circular oval spherical square rectangular triangular cylindrical conical
    flat curved curving crescent-shaped heart-shaped star-shaped bell-shaped pear-shaped
    egg-shaped spiral elongated elongate pointed sharp hollow long short tall narrow wide broad
    thin thick slender tapering straight forked tubular hooked bulbous domed arched crossed
    globular cup-shaped cone-shaped disk-shaped u-shaped wedge-shaped bushy webbed"""
)
SIZES = _words("small large big huge tiny giant heavy")
LOOKS = _words(
    """smooth rough hard soft furry hairy woolly fuzzy
    feathery scaly spiny prickly shiny glossy transparent striped spotted speckled wrinkled
    leafy fleshy juicy crisp fluffy shaggy wooden metal metallic glass plastic leather
    cloth woven knitted stuffed open closed lighted winged horned hooded tailed stout plump
    curly bald bearded smiling two-wheeled four-wheeled three-wheeled"""
)
VISUAL_ADJECTIVES = COLOURS | SHAPES | SIZES | LOOKS

PARTS = _words(
    """wing beak bill feather tail fin leg foot paw claw hoof horn antler tusk trunk ear eye mane
    snout nose mouth tongue tooth whisker fur hair neck head arm hand finger shell tentacle
    antenna scale stripe spot hump crest comb pincer flipper beard face skin body
    petal leaf stem stalk root branch thorn seed flower fruit peel rind flesh bark needle bulb
    kernel husk
    wheel tire window door roof wall tower chimney column arch stairs step bridge deck mast sail
    hull anchor propeller engine headlight bumper windshield pedal handlebar saddle seat cabin
    cockpit rail ladder handle blade string bow neck button key keyboard screen dial lens lid
    spout cap cork label strap buckle zipper pocket collar sleeve lace sole heel brim hood lining
    rope chain hook pin nail spike spring pole pipe tube barrel trigger sight flag frame page
    cover spine cushion back pillow mattress leg drawer shelf mirror light lamp flame wick candle
    bowl cup glass plate fork spoon bun crust cheese icing cream filling sauce slice meat bread
    cone stick net ball racket bat goal hole sleeve cuff point tip edge rim base bell mouthpiece
    reed valve pedestal dome steeple cross clock hand face antenna siren bed crane bucket"""
)
"""Parts that show from outside, singular."""

CATEGORIES = _words(
    """animal mammal bird fish insect reptile amphibian rodent dog cat horse bear monkey primate
    snake turtle frog spider shellfish crustacean mollusk butterfly bug
    plant tree flower fruit vegetable herb nut grain mushroom berry citrus
    food dessert cake bread meat cheese candy sandwich soup snack seafood sweet
    beverage alcohol wine beer tea coffee
    vehicle car truck bus train boat ship aircraft airplane bicycle motorcycle spacecraft wagon
    building house tower bridge shop church temple tent room road
    furniture chair bed lamp clock bottle box bag cup pot vessel dish basket jar
    clothing garment hat shoe footwear dress shirt coat jewelry headdress glove
    tool weapon knife sword gun computer telephone camera instrument toy game ball book
    musical-instrument stringed-instrument percussion-instrument wind-instrument
    star planet moon mountain cloud rain snow storm water fire island sky
    person
    paper card document picture flag sign medal award money coin
    cutlery utensil lock key fabric stone wood metal"""
)
"""Everyday names of kinds; several words are joined by a hyphen here."""

TOO_GENERAL = _words(
    """animal vertebrate invertebrate mollusk arthropod mammal reptile amphibian placental insect
    person plant container structure device instrumentality artifact body"""
)
"""Hypernyms whose parts not all of their kind show: a snake has no vertebrate's foot."""

PART_WORDS = _words("with having has bearing containing contains covered includes")
"""After these a gloss names what the thing has."""
STOP_WORDS = _words(
    """of for used using from in on at by to that which who where when like resembling as than if
    without lacking not no usually especially formerly is are was be can may it its whose during
    between among into through over under"""
)
"""After these a gloss speaks of something else: uses, places, comparisons."""

BOUNDARIES = _words(
    """a an the this that these those some with of in on at by for from to into near under over
    behind beside above below between and or without is are was were there while as one two three
    four five six seven eight nine ten"""
)
"""Between these lie the noun phrases of a caption."""
PARTITIVES = _words("ear slice piece bunch pair group set kind cup glass picture photo")
"""In ``ear of corn`` the corn is what matters."""
