from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_ad_accounts")]

    operations = [migrations.AlterField("adaccount", "remote_id", models.CharField(max_length=100))]
