"""Judge: a language model that may only point at sentences; its answers are evidence for the selection.

A judge is asked about the numbered sentences of one article and answers with their numbers. Text is always
cut from the stored article, so a judge cannot add a word.
"""
