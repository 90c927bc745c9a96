-- Run once by the image of PostgreSQL, as its superuser, when its volume is new. Two roles, neither of which rules the
-- server: one owns the database and changes its form, the other is who web, worker and scheduler sign in as. What that one
-- may do with the tables, “manage.py prepare” tells the database each time it has migrated it (reviewapp/rights.py).
\getenv owner_password POSTGRES_OWNER_PASSWORD
\getenv password POSTGRES_PASSWORD

CREATE ROLE countersign_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    PASSWORD :'owner_password';
CREATE ROLE countersign LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';

CREATE DATABASE countersign OWNER countersign_owner;
REVOKE ALL ON DATABASE countersign, postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE countersign TO countersign;

-- From here on the superuser gets in by the socket within the container alone.
ALTER ROLE CURRENT_USER PASSWORD NULL;
