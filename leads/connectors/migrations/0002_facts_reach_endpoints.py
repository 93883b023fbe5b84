"""Whatever the outbox is told reaches every endpoint that hears of it, in the transaction of the fact."""

from django.db import migrations

# One statement for one told message or for a sweep's thousand. What chat rooms are passed on is told already.
LISTEN = """
CREATE FUNCTION connectors_listen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO connectors_delivery
        (endpoint_id, number, topic, key, fact, body, happened_at, next_attempt_at, attempts_made)
    SELECT e.id, gen_random_uuid(), m.topic, m.key, m.payload, '', m.created_at, m.created_at, 0
    FROM (
        SELECT key, payload, created_at,
            CASE topic WHEN 'clock.ran_out' THEN 'handoff.breached' ELSE topic END AS topic
        FROM told WHERE room_id IS NULL
    ) m JOIN connectors_endpoint e ON e.retired_at IS NULL AND m.topic = ANY (e.topics)
    ORDER BY m.created_at, m.key
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER connectors_listen AFTER INSERT ON outbox_message
    REFERENCING NEW TABLE AS told FOR EACH STATEMENT EXECUTE FUNCTION connectors_listen();
"""
DEAF = """
DROP TRIGGER connectors_listen ON outbox_message;
DROP FUNCTION connectors_listen();
"""


class Migration(migrations.Migration):
    dependencies = [("connectors", "0001_outgoing"), ("outbox", "0002_bell_preferences_rooms")]
    operations = [migrations.RunSQL(LISTEN, DEAF)]
