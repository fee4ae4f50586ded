from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0003_longer_ids_of_ad_accounts")]

    operations = [
        migrations.AddField(
            model_name="adcredential", name="ends_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
