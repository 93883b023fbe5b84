"""The head of the chain: how many versions were proposed, signed and withdrawn; triggers count, nobody else."""

import pgtrigger
from django.db import models
from django.db.models import Q

from portal.shared.triggers import no_truncate, refuse


class ChainHead(models.Model):
    """One row, made by the first proposal. With it a tail that was cut off is missed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    versions = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64, help_text="of the version proposed last")
    signatures = models.PositiveIntegerField(default=0)
    withdrawals = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="sla_chainhead_is_one")]
        triggers = [
            pgtrigger.Trigger(
                name="counted_by_triggers",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                # at depth 1 a statement of a person or a program stands above, at depth 2 one of the triggers below
                func=f"""
                    IF TG_OP = 'DELETE' OR pg_trigger_depth() < 2 THEN
                        {refuse("the head of the chain is counted by the database alone")}
                    END IF;
                    RETURN NEW;
                """,
            ),
            no_truncate("chain heads"),
        ]

    def __str__(self):
        return f"{self.versions} versions, {self.signatures} signatures, {self.withdrawals} withdrawals"


def moves_the_head():
    """On versions: a proposal, whoever writes it, must continue the chain's end and becomes it."""
    return pgtrigger.Trigger(
        name="moves_the_head",
        when=pgtrigger.After,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
            IF NEW.proposed_at IS NULL OR (TG_OP = 'UPDATE' AND OLD.proposed_at IS NOT NULL) THEN
                RETURN NULL;
            END IF;
            IF NEW.predecessor_id IS NULL THEN
                INSERT INTO sla_chainhead (id, versions, fingerprint, signatures) VALUES (1, 1, NEW.fingerprint, 0);
                RETURN NULL;
            END IF;
            UPDATE sla_chainhead SET versions = versions + 1, fingerprint = NEW.fingerprint
             WHERE fingerprint = (SELECT p.fingerprint FROM sla_slaversion p
                                   WHERE p.id = NEW.predecessor_id AND p.number < NEW.number);
            IF NOT FOUND THEN
                {refuse("a proposed version follows the end of the chain, with a higher number")}
            END IF;
            RETURN NULL;
        """,
    )


def counts_the_signature(*, also=""):
    """On signatures: each one is counted in the head, which lets one in at a time; `also` is checked after that."""
    return _counts("signature", also)


def counts_the_withdrawal():
    """On withdrawals: each one is counted in the head."""
    return _counts("withdrawal", "")


def _counts(what, also):
    return pgtrigger.Trigger(
        name=f"counts_the_{what}",
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        func=f"""
            UPDATE sla_chainhead SET {what}s = {what}s + 1;
            IF NOT FOUND THEN
                {refuse(f"a {what} needs a chain")}
            END IF;
            {also}
            RETURN NULL;
        """,
    )
