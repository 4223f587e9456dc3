"""Reading a paper that the graph has never seen: file, structure, statements, draft, review.

Every step keeps the positions of the text as read, so that each statement can be shown beside its passage.
"""
