"""Breadth-first execution of GraphQL queries: each field once for all objects of its level of the response.

graphql-core visits a response object by object and pays for each field of each object. Here an operation becomes a
plan: a tree of scopes, one for each object type at each place of the document, with all its objects of the response
in one list. A field's resolver is called once with that list, and answers with a list of the same length.

    compiled = Compiled(schema, fragments, operation, type_name)     kept with the document
    plan = compiled.plan(variables)                                  raises Unplanned
    data = await plan.run(root, variables, context, together)        raises whatever goes wrong

What a field does stands in its `GraphQLField.extensions[BREADTH]`:

    Attribute(name)   the value is an attribute of the object
    Each(function)    the value is function(object)
    Column(function)  the values are function(objects), a list
    Batch(function)   the values are function(objects, arguments, context, selection), a list, an awaitable of one,
                      or one that is Coming; `selection` tells what is selected below, so that a resolver can fetch
                      that too. Objects of a class that has its values along are not asked, see Batch

What the fields of one level wait for is awaited by `together`, which may let it share its way to a database; left out,
they are awaited one after another.

A field without one is covered where it has no resolver at all: a key of a mapping, or else an attribute.

The result is for `orjson.dumps`: dictionaries in the order of the selection. It is only ever an answer in which
nothing went wrong. Whatever this package does not cover (introspection, subscriptions, @defer, resolvers that it
does not know) raises Unplanned, and so does a null where none may be; an error of a resolver comes through as it
is. In each of these cases the query is to be run again by graphql-core, which gives the canonical answer: queries
change nothing. Neither does this package validate; it runs documents that graphql-core has found valid.

It knows GraphQL and graphql-core, and nothing of what it is used for.
"""

from service.breadth.fields import BREADTH, Attribute, Batch, Column, Coming, Each, Unplanned
from service.breadth.plan import Compiled, Plan
from service.breadth.selection import Selection

__all__ = [
    "BREADTH",
    "Attribute",
    "Batch",
    "Column",
    "Coming",
    "Compiled",
    "Each",
    "Plan",
    "Selection",
    "Unplanned",
]
