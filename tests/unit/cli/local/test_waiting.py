from engine.cli.local.waiting import Bounds, Waiting

BOUNDS = Bounds(burst=4, strained=1, strain=5.0, patience=0.04)


def admitted(queue: Waiting[int], count: int, now: float) -> int:
    return sum(queue.admit(number, now) for number in range(count))


def test_first_in_first_out():
    queue: Waiting[int] = Waiting(BOUNDS)
    admitted(queue, 3, 0.0)
    assert [queue.next() for _ in range(3)] == [0, 1, 2]
    assert len(queue) == 0


def test_a_burst_fills_the_queue_once():
    queue: Waiting[int] = Waiting(BOUNDS)
    assert admitted(queue, 9, 0.0) == 4
    while queue:
        queue.next()
    assert admitted(queue, 9, 4.9) == 1
    queue.next()
    assert admitted(queue, 9, 5.0) == 4


def test_a_queue_that_never_ran_over_is_not_strained():
    queue: Waiting[int] = Waiting(BOUNDS)
    for moment in range(10):
        assert admitted(queue, 4, float(moment)) == 4
        for _ in range(4):
            queue.next()


def test_while_nobody_is_free_none_waits_longer_than_is_bearable():
    queue: Waiting[int] = Waiting(BOUNDS)
    queue.admit(1, 0.0)
    queue.admit(2, 0.03)
    assert list(queue.overdue(0.04, moving=False)) == []
    assert list(queue.overdue(0.05, moving=False)) == [1]
    assert queue.next() == 2


def test_a_queue_that_moves_is_left_alone_until_it_runs_over():
    queue: Waiting[int] = Waiting(BOUNDS)
    admitted(queue, 4, 0.0)
    assert list(queue.overdue(9.0, moving=True)) == []
    admitted(queue, 1, 9.0)
    assert list(queue.overdue(9.1, moving=True)) == [0, 1, 2, 3]
