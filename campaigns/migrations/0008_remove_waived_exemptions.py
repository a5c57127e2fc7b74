from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0007_waived_to_scope_options")]

    operations = [migrations.RemoveField(model_name="campaign", name="waived_exemptions")]
