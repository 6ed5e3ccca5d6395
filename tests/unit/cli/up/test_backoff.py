from cli.up.backoff import CALM_S, FIRST_PAUSE_S, LONGEST_PAUSE_S, next_restart


def test_each_death_in_a_row_doubles_the_pause_up_to_the_longest() -> None:
    pauses, deaths = [], 0
    for _ in range(8):
        restart = next_restart(deaths, ran_s=1)
        deaths = restart.deaths
        pauses.append(restart.pause_s)
    assert pauses == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_calm_time_forgives_earlier_deaths() -> None:
    restart = next_restart(7, ran_s=CALM_S)
    assert restart.pause_s == FIRST_PAUSE_S
    assert restart.deaths == 1
