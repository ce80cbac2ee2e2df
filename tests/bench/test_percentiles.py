from bench.percentiles import percentiles


def test_percentiles_are_milliseconds() -> None:
    seconds = [n / 1000 for n in range(1, 102)]

    assert percentiles(seconds) == {"p50": 51.0, "p95": 96.0, "p99": 100.0}


def test_the_ranks_can_be_chosen() -> None:
    assert percentiles([0.002], (50, 99)) == {"p50": 2.0, "p99": 2.0}


def test_nothing_measured_is_none() -> None:
    assert percentiles([]) == {"p50": None, "p95": None, "p99": None}
