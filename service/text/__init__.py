"""Text: sentences, words, numbers and similarity of text in any language (pure)."""
