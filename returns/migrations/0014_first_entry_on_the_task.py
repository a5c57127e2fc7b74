import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def tell_the_first_entry(apps, schema_editor):
    """Copy on each field still to key who made its first independent entry."""
    tasks, entries = apps.get_model("returns", "KeyingTask"), apps.get_model("returns", "KeyingEntry")
    first = entries._base_manager.filter(task=OuterRef("pk"), arbitration=False).order_by("pk").values("operator")[:1]
    tasks._base_manager.exclude(state="done").update(first_by=Subquery(first))


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0012_proof_contents"),
        ("returns", "0013_same_sheet"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="keyingtask", name="keying_queue"),
        migrations.AddField(
            model_name="keyingtask",
            name="first_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="première saisie par",
            ),
        ),
        migrations.AddIndex(
            model_name="keyingtask",
            index=models.Index(
                fields=["campaign", "state", "id", "first_by", "purpose", "field", "reading"], name="keying_queue"
            ),
        ),
        migrations.RunPython(tell_the_first_entry, migrations.RunPython.noop),
    ]
