"""The terms that hold where no setting says otherwise fit each other."""

from core.settings import Settings
from services.jobs.terms import MAX_JOB_MINUTES, GradeTerms, improve_budget_of
from services.planner.terms import PlannerTerms


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


def test_without_a_setting_jobs_the_planner_and_the_settings_agree() -> None:
    settings = Settings()
    assert GradeTerms().min_sessions == PlannerTerms().min_sessions == settings.min_sessions_for_grading == 20
    assert GradeTerms().improve == PlannerTerms().caps.improve == improve_budget_of(settings)
