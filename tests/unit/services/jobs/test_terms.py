"""The terms that hold where no setting says otherwise fit each other."""

from services.jobs.terms import MAX_JOB_MINUTES, GradeTerms


def test_a_worker_renews_its_lease_before_it_would_have_to_stop_writing() -> None:
    lease = GradeTerms().lease
    assert lease.heartbeat_s < lease.writes_stop_after_s < lease.lease_s


def test_a_job_elsewhere_is_waited_for_as_long_as_it_may_run() -> None:
    terms = GradeTerms()
    assert terms.wait_elsewhere_s == terms.max_job_minutes * 60 == MAX_JOB_MINUTES * 60


def test_nobody_is_asked_for_proposals_and_every_bot_is_graded_unless_that_is_wanted() -> None:
    terms = GradeTerms()
    assert terms.proposals is None
    assert not terms.only_missing
