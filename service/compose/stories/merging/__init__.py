"""How the key points of a story's articles become the points of the story."""
