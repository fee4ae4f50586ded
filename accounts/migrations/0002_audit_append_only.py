"""The audit log can only grow; entries go when their organization goes, and never otherwise."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

# A deleted user leaves entries without an actor (the name stays); that is the one change let through.
GUARD = """
CREATE FUNCTION accounts_auditentry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.actor_id IS NULL
           AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'audit entries cannot be changed' USING ERRCODE = 'restrict_violation';
    END IF;
    -- The organization's own deletion cascades here, and by then its row is gone.
    IF EXISTS (SELECT 1 FROM accounts_organization WHERE id = OLD.organization_id) THEN
        RAISE EXCEPTION 'audit entries cannot be deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END
$$;
CREATE TRIGGER accounts_auditentry_guard BEFORE UPDATE OR DELETE ON accounts_auditentry
    FOR EACH ROW EXECUTE FUNCTION accounts_auditentry_guard();
"""
NO_GUARD = """
DROP TRIGGER accounts_auditentry_guard ON accounts_auditentry;
DROP FUNCTION accounts_auditentry_guard();
"""

# Django names the constraint with a hash, so it is looked up.
REPLACE_KEY = """
DO $$
DECLARE found text;
BEGIN
    SELECT conname INTO found FROM pg_constraint
     WHERE conrelid = 'accounts_auditentry'::regclass AND contype = 'f'
       AND confrelid = 'accounts_organization'::regclass;
    EXECUTE format('ALTER TABLE accounts_auditentry DROP CONSTRAINT %I', found);
    EXECUTE format('ALTER TABLE accounts_auditentry ADD CONSTRAINT %I FOREIGN KEY (organization_id) '
                   'REFERENCES accounts_organization (id) {on_delete} DEFERRABLE INITIALLY DEFERRED', found);
END
$$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("accounts", "0001_initial")]

    operations: ClassVar = [
        migrations.RunSQL(
            REPLACE_KEY.format(on_delete="ON DELETE CASCADE"), REPLACE_KEY.format(on_delete="")
        ),
        migrations.RunSQL(GUARD, NO_GUARD),
    ]
