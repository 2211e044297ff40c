"""What the tests share: fresh databases, a GraphQL client, a running service."""
