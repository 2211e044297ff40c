"""What may happen, in which order: async reads for many parents at once; below a divider, writes.

Reads return a list as long as that of the parents and in its order. They run in the current snapshot or
transaction, take explicit arguments and know nothing of GraphQL. Writes run in service/transaction.py's `run`
and return the keys of what their answer shows.
"""
