from django.db import migrations

GUARDS = (("campaigns_auditentry", "audit_entry_guard"), ("campaigns_auditlink", "audit_link_guard"))


def say(how):
    """The guards of the audit hold even where other triggers are set aside, as they are while a deposit is loaded."""

    def told(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            for table, trigger in GUARDS:
                schema_editor.execute(f"ALTER TABLE {table} ENABLE {how} TRIGGER {trigger}")

    return told


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0012_proof_contents")]

    operations = [migrations.RunPython(say("ALWAYS"), say(""))]
