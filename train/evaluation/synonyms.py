"""Words that labels of public corpora use, and the emotion that each is nearest to.

They are suggestions for a message, never applied: whether joy is happiness is for the user to say.
`LEFT_OUT` stands beside words of states that serctl has no emotion for.
"""

LEFT_OUT = "-"  # what --map gives to a name that is not to be scored

_WORDS = {
    "angry": "ang annoyance annoyed frustrated frustration fru fury furious hot-anger irritated "
    "irritation mad outrage rage wrath",
    "disgust": "aversion contempt dis disgusting loathing repulsion revulsion",
    "fear": "afraid anxiety anxious fea fright frightened nervous panic scared terrified terror worried "
    "worry",
    "happy": "amused amusement cheerful delight delighted ecstatic elated elation enjoyment exc excited "
    "excitement gladness hap happily joy joyful joyous laughter pleased pleasure",
    "sad": "depressed depression despair despairing gloomy grief melancholy sadly sorrow sorrowful "
    "unhappy",
    "neutral": "neu none normal no-emotion unemotional",
    "calm": "calmness peaceful relaxation relaxed serene serenity tranquil",
    "surprise": "amazed amazement astonished astonishment pleasant-surprise ps startled sur surprising",
    LEFT_OUT: "admiration apologetic assertive bored boredom concerned confused confusion contentment "
    "disappointed disappointment embarrassed embarrassment empathic empathy encouraging guilt interest "
    "interested jealous jealousy oth other pain pride proud sarcasm sarcastic shame sleepiness sleepy "
    "tired unknown whisper xxx",
}
SYNONYMS = {word: emotion for emotion, words in _WORDS.items() for word in words.split()}
