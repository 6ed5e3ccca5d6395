"""What must always hold of improvements: their jobs, and the versions that were made of them."""

from typing import Final

from sql.queries.proof.invariants import Rule

RULES: Final = (
    Rule(
        "I2",
        "job {job_id} is COMPLETED without a verdict",
        """
        SELECT j.id AS job_id, j.bot_id, j.job_type FROM bot_jobs j
        WHERE j.status = 'COMPLETED' AND j.job_type IN ('IMPROVE', 'EVOLVE') AND NOT EXISTS
          (SELECT FROM bot_improvements i WHERE i.job_id = j.id)
        """,
    ),
    Rule(
        "I5",
        "improvement {improvement_id} isn't of its job {job_id}, which is {job_status}",
        """
        SELECT i.id AS improvement_id, i.job_id, i.bot_id, j.status AS job_status, i.epoch, j.epoch AS job_epoch
        FROM bot_improvements i JOIN bot_jobs j ON j.id = i.job_id
        WHERE j.status <> 'COMPLETED' OR (i.bot_id, i.job_type, i.epoch, i.base_version_id)
          IS DISTINCT FROM (j.bot_id, j.job_type, j.epoch, j.version_id)
        """,
    ),
    Rule(
        "I5",
        "version {version_id} ({reason_code}) has no improvement that adopted it",
        """
        SELECT v.id AS version_id, v.bot_id, v.reason_code FROM bot_versions v
        WHERE v.reason_code IN ('IMPROVED', 'EVOLVED') AND NOT EXISTS
          (SELECT FROM bot_improvements i WHERE i.version_id = v.id AND i.bot_id = v.bot_id
             AND i.base_version_id = v.parent_id
             AND i.job_type = CASE v.reason_code WHEN 'IMPROVED' THEN 'IMPROVE' ELSE 'EVOLVE' END)
        """,
    ),
)
