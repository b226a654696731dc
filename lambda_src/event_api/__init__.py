"""The code that runs in Lambda: a multi-tenant event inbox that acts only as its own role."""
