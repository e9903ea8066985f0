import asyncio
import threading

import pytest

from engine.web.pool import Busy, Pool


class Held:
    """A call that begins, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(30)
        return threading.current_thread().name


def name() -> str:
    return str(threading.get_ident())


def run(work):
    return asyncio.run(asyncio.wait_for(work, 30))


def test_quick_calls_share_one_thread():
    pool: Pool[str] = Pool(8, 8)

    async def several() -> list[str]:
        return [await pool.run(name) for _ in range(20)]

    assert len(set(run(several()))) == 1
    pool.close()


def test_a_slow_call_gets_help_and_both_are_daemons():
    pool: Pool[str] = Pool(2, 8)
    held = Held()

    async def both() -> str:
        slow = asyncio.create_task(pool.run(held))
        await asyncio.to_thread(held.begun.wait)
        quick = await pool.run(name)
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "turn")
        held.go_on.set()
        await slow
        return quick

    assert run(both())
    pool.close()


@pytest.mark.parametrize("waiting", [0, 1])
def test_without_a_free_thread_a_call_is_given_up_and_never_begins(waiting):
    pool: Pool[str] = Pool(1, waiting)
    held, late = Held(), Held()

    async def both() -> None:
        slow = asyncio.create_task(pool.run(held))
        await asyncio.to_thread(held.begun.wait)
        with pytest.raises(Busy):
            await pool.run(late)
        held.go_on.set()
        await slow

    run(both())
    assert not late.begun.is_set()
    pool.close()


def test_what_a_call_raises_is_raised():
    pool: Pool[str] = Pool(1, 1)

    def wrong() -> str:
        raise KeyError("x")

    with pytest.raises(KeyError):
        run(pool.run(wrong))
    pool.close()


def test_a_closed_pool_takes_nothing():
    pool: Pool[str] = Pool(1, 1)
    pool.close()
    with pytest.raises(Busy):
        run(pool.run(name))
